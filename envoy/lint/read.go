package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	admin "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// MaxSize bounds what is read, in bytes.
const MaxSize = 64 << 20

// Subject is a configuration that was read.
type Subject struct {
	// Bootstrap is what Envoy was started with.
	Bootstrap *bootstrap.Bootstrap
	// What Envoy got since, or besides: only a dump has it.
	Listeners []*listener.Listener
	Clusters  []*cluster.Cluster
	Routes    []*route.RouteConfiguration

	unknown string // the first field that this version does not know
	partial string // a part that a dump does not have
}

// Read reads a bootstrap, in YAML or JSON, or the JSON of /config_dump.
func Read(text []byte) (*Subject, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("it has more than %d MiB: give one Envoy's configuration", MaxSize>>20)
	}
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	hollow(tree)
	text, err = json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("reading it: %w", err)
	}
	s := &Subject{}
	if _, is := tree["configs"]; is {
		return s, s.readDump(text)
	}
	if _, is := tree["static_resources"]; !is && tree["staticResources"] == nil && tree["dynamic_resources"] == nil {
		return nil, errors.New("it is no Envoy bootstrap and no configuration dump: it has neither static_resources nor configs")
	}
	s.Bootstrap = &bootstrap.Bootstrap{}
	return s, s.unmarshal(text, s.Bootstrap)
}

// parse reads JSON, or else YAML, whose top is an object.
func parse(text []byte) (map[string]any, error) {
	if !json.Valid(text) {
		asJSON, err := yaml.YAMLToJSON(text)
		if err != nil {
			return nil, fmt.Errorf("it is neither YAML nor JSON: %w", err)
		}
		text = asJSON
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var tree map[string]any
	if err := d.Decode(&tree); err != nil || tree == nil {
		return nil, errors.New("it is no Envoy configuration: its top is not an object")
	}
	return tree, nil
}

// unmarshal is strict first. An Envoy newer than this program may have fields
// that it does not know: these are left out, and a rule tells of it.
func (s *Subject) unmarshal(text []byte, m proto.Message) error {
	err := protojson.UnmarshalOptions{Resolver: tolerant{}}.Unmarshal(text, m)
	if err == nil {
		return nil
	}
	proto.Reset(m)
	lenient := protojson.UnmarshalOptions{Resolver: tolerant{}, DiscardUnknown: true}
	if lenient.Unmarshal(text, m) != nil {
		return fmt.Errorf("it is no Envoy configuration: %w", err)
	}
	if s.unknown == "" {
		s.unknown = tidy(err)
	}
	return nil
}

// tidy is what protojson says, without its prefix, which varies on purpose.
func tidy(err error) string {
	_, after, ok := strings.Cut(err.Error(), "unknown field ")
	if !ok {
		return err.Error()
	}
	return "unknown field " + after
}

// readDump reads what Envoy runs with: the bootstrap for what only it has,
// and listeners, clusters and routes from wherever they came.
func (s *Subject) readDump(text []byte) error {
	dump := &admin.ConfigDump{}
	if err := s.unmarshal(text, dump); err != nil {
		return err
	}
	for _, part := range dump.GetConfigs() {
		if err := s.take(part); err != nil {
			return err
		}
	}
	if s.Bootstrap == nil {
		return errors.New("the dump has no bootstrap: take all of /config_dump, not a part of it")
	}
	// Listed again below, from what is active now.
	s.Bootstrap.StaticResources = nil
	return nil
}

func (s *Subject) take(part *anypb.Any) error {
	m, err := part.UnmarshalNew()
	if err != nil {
		return nil // a section that says nothing about the contract
	}
	switch m := m.(type) {
	case *admin.BootstrapConfigDump:
		s.Bootstrap = m.GetBootstrap()
	case *admin.ListenersConfigDump:
		for _, l := range m.GetStaticListeners() {
			s.Listeners = append(s.Listeners, unpack[*listener.Listener](s, l.GetListener())...)
		}
		for _, l := range m.GetDynamicListeners() {
			s.Listeners = append(s.Listeners, unpack[*listener.Listener](s, l.GetActiveState().GetListener())...)
		}
	case *admin.ClustersConfigDump:
		for _, c := range m.GetStaticClusters() {
			s.Clusters = append(s.Clusters, unpack[*cluster.Cluster](s, c.GetCluster())...)
		}
		for _, c := range m.GetDynamicActiveClusters() {
			s.Clusters = append(s.Clusters, unpack[*cluster.Cluster](s, c.GetCluster())...)
		}
	case *admin.RoutesConfigDump:
		for _, r := range m.GetStaticRouteConfigs() {
			s.Routes = append(s.Routes, unpack[*route.RouteConfiguration](s, r.GetRouteConfig())...)
		}
		for _, r := range m.GetDynamicRouteConfigs() {
			s.Routes = append(s.Routes, unpack[*route.RouteConfiguration](s, r.GetRouteConfig())...)
		}
	}
	return nil
}

// unpack gives the message of a dump's section, or none where there is none.
func unpack[M proto.Message](s *Subject, packed *anypb.Any) []M {
	if packed == nil {
		return nil
	}
	m, err := packed.UnmarshalNew()
	typed, ok := m.(M)
	if err != nil || !ok {
		s.partial = packed.GetTypeUrl()
		return nil
	}
	return []M{typed}
}
