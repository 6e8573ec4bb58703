package envoy

import (
	"fmt"
	"time"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	overload "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	connections "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	heap "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Bootstrap is the whole configuration of one Envoy in front of one
// application. The error names every problem of the settings at once.
func Bootstrap(s Settings) (*bootstrap.Bootstrap, error) {
	s = s.withDefaults()
	s.S3 = distinct(s.S3)
	if err := s.check(); err != nil {
		return nil, err
	}
	b := &builder{Settings: s}
	out := b.bootstrap()
	if b.err != nil {
		return nil, fmt.Errorf("packing the bootstrap: %w", b.err)
	}
	if err := out.ValidateAll(); err != nil {
		return nil, fmt.Errorf("validating the bootstrap: %w", err)
	}
	return out, nil
}

// builder carries the settings and the first error of packing or validating a
// typed message. ValidateAll does not look into an Any, so any does.
type builder struct {
	Settings
	err error
}

func (b *builder) any(m proto.Message) *anypb.Any {
	if v, ok := m.(interface{ ValidateAll() error }); ok {
		if err := v.ValidateAll(); err != nil && b.err == nil {
			b.err = err
		}
	}
	packed, err := anypb.New(m)
	if err != nil && b.err == nil {
		b.err = err
	}
	return packed
}

func (b *builder) bootstrap() *bootstrap.Bootstrap {
	clusters := append([]*cluster.Cluster{b.rolepass(), b.app()}, b.s3Clusters()...)
	return &bootstrap.Bootstrap{
		Node:  &core.Node{Id: "rolepass-edge", Cluster: "rolepass-edge"},
		Admin: b.admin(),
		StaticResources: &bootstrap.Bootstrap_StaticResources{
			Listeners: []*listener.Listener{b.edge()},
			Clusters:  clusters,
		},
		OverloadManager: b.overload(),
	}
}

// adminPaths are what Envoy's admin address answers. /logging (debug logs
// print cookies and signatures), /quitquitquit and /runtime_modify are not
// among them.
var adminPaths = []string{"/ready", "/stats", "/clusters", "/listeners", "/config_dump", "/server_info", "/certs", "/memory", "/drain_listeners", "/healthcheck/"}

func (b *builder) admin() *bootstrap.Admin {
	admin := &bootstrap.Admin{Address: socketAddress(b.Admin)}
	for _, p := range adminPaths {
		admin.AllowPaths = append(admin.AllowPaths, &matcher.StringMatcher{MatchPattern: &matcher.StringMatcher_Prefix{Prefix: p}})
	}
	return admin
}

// maxHeap is the heap, in bytes, near which Envoy sheds load.
const maxHeap = 1 << 30

// overload sheds load before memory or connections run out. A killed Envoy
// refuses everybody.
func (b *builder) overload() *overload.OverloadManager {
	const fixedHeap = "envoy.resource_monitors.fixed_heap"
	action := func(name string, at float64) *overload.OverloadAction {
		return &overload.OverloadAction{Name: name, Triggers: []*overload.Trigger{{
			Name:         fixedHeap,
			TriggerOneof: &overload.Trigger_Threshold{Threshold: &overload.ThresholdTrigger{Value: at}},
		}}}
	}
	return &overload.OverloadManager{
		RefreshInterval: durationpb.New(250 * time.Millisecond),
		ResourceMonitors: []*overload.ResourceMonitor{
			{Name: fixedHeap, ConfigType: &overload.ResourceMonitor_TypedConfig{
				TypedConfig: b.any(&heap.FixedHeapConfig{MaxHeapSizeBytes: maxHeap})}},
			{Name: "envoy.resource_monitors.global_downstream_max_connections", ConfigType: &overload.ResourceMonitor_TypedConfig{
				TypedConfig: b.any(&connections.DownstreamConnectionsConfig{MaxActiveDownstreamConnections: 10000})}},
		},
		Actions: []*overload.OverloadAction{
			action("envoy.overload_actions.shrink_heap", 0.90),
			action("envoy.overload_actions.stop_accepting_requests", 0.95),
			action("envoy.overload_actions.stop_accepting_connections", 0.98),
		},
	}
}

// distinct keeps the first of equal hosts: several buckets share an endpoint.
func distinct(all []S3Endpoint) []S3Endpoint {
	seen := map[S3Endpoint]bool{}
	var out []S3Endpoint
	for _, e := range all {
		if !seen[e] {
			seen[e] = true
			out = append(out, e)
		}
	}
	return out
}
