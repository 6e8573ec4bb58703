package lint

import (
	"fmt"
	"slices"
	"strings"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extauthz "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/rolepass/rolepass/envoy/contract"
)

// view is a configuration as the rules look at it.
type view struct {
	subject   *Subject
	bootstrap *bootstrap.Bootstrap
	clusters  map[string]*cluster.Cluster
	managers  []*manager
	wanted    *view
}

// manager is one HTTP connection manager.
type manager struct {
	listener *listener.Listener
	chain    *listener.FilterChain
	hcm      *hcm.HttpConnectionManager
	routes   *route.RouteConfiguration // nil where they are not known
	filters  []proto.Message           // of hcm.HttpFilters; nil where unreadable

	authzAt int // the place of ext_authz among the filters; -1: there is none
	authz   *extauthz.ExtAuthz
}

func newView(s *Subject) *view {
	v := &view{subject: s, bootstrap: s.Bootstrap, clusters: map[string]*cluster.Cluster{}}
	for _, c := range append(slices.Clone(s.Clusters), s.Bootstrap.GetStaticResources().GetClusters()...) {
		v.clusters[c.GetName()] = c
	}
	named := map[string]*route.RouteConfiguration{}
	for _, r := range s.Routes {
		named[r.GetName()] = r
	}
	for _, l := range append(slices.Clone(s.Listeners), s.Bootstrap.GetStaticResources().GetListeners()...) {
		chains := slices.Clone(l.GetFilterChains())
		if l.GetDefaultFilterChain() != nil {
			chains = append(chains, l.GetDefaultFilterChain())
		}
		for _, chain := range chains {
			for _, f := range chain.GetFilters() {
				if m := open[*hcm.HttpConnectionManager](f.GetTypedConfig()); m != nil {
					v.managers = append(v.managers, newManager(l, chain, m, named))
				}
			}
		}
	}
	return v
}

func newManager(l *listener.Listener, chain *listener.FilterChain, h *hcm.HttpConnectionManager, named map[string]*route.RouteConfiguration) *manager {
	m := &manager{listener: l, chain: chain, hcm: h, routes: h.GetRouteConfig(), authzAt: -1}
	if rds := h.GetRds(); rds != nil {
		m.routes = named[rds.GetRouteConfigName()]
	}
	for i, f := range h.GetHttpFilters() {
		message := open[proto.Message](f.GetTypedConfig())
		m.filters = append(m.filters, message)
		// The first one: a second would judge what that one let by.
		if authz, ok := message.(*extauthz.ExtAuthz); ok && m.authzAt < 0 {
			m.authzAt, m.authz = i, authz
		}
	}
	return m
}

// guarded are the connection managers that have ext_authz.
func (v *view) guarded() (out []*manager) {
	for _, m := range v.managers {
		if m.authz != nil {
			out = append(out, m)
		}
	}
	return out
}

func (m *manager) place() string {
	name := m.listener.GetName()
	if n := m.chain.GetName(); n != "" {
		name += ", filter chain " + n
	}
	return "listener " + name
}

func hostPlace(m *manager, h *route.VirtualHost) string {
	return m.place() + ", virtual host " + h.GetName()
}

func routePlace(m *manager, h *route.VirtualHost, r *route.Route, i int) string {
	name := r.GetName()
	if name == "" {
		name = fmt.Sprintf("number %d", i+1)
	}
	return hostPlace(m, h) + ", route " + name
}

// destinations are the clusters that a route leads to.
func destinations(r *route.Route) (names []string) {
	action := r.GetRoute()
	if name := action.GetCluster(); name != "" {
		names = append(names, name)
	}
	for _, w := range action.GetWeightedClusters().GetClusters() {
		names = append(names, w.GetName())
	}
	return names
}

// usedClusters are the clusters that guarded routes and Check lead to.
func (v *view) usedClusters() (names []string) {
	for _, m := range v.guarded() {
		names = append(names, checkClusters(m)...)
		for _, h := range m.routes.GetVirtualHosts() {
			for _, r := range h.GetRoutes() {
				names = append(names, destinations(r)...)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkClusters are where Check is called.
func checkClusters(m *manager) []string {
	names := []string{m.authz.GetGrpcService().GetEnvoyGrpc().GetClusterName()}
	for _, h := range m.routes.GetVirtualHosts() {
		for _, r := range h.GetRoutes() {
			if s := perRoute(r.GetTypedPerFilterConfig()).GetCheckSettings().GetGrpcService(); s != nil {
				names = append(names, s.GetEnvoyGrpc().GetClusterName())
			}
		}
	}
	return names
}

// marker is the value of Check's metadata that chooses a route: empty where
// it is not asked for, "*" where any will do.
func marker(r *route.Route) string {
	for _, m := range r.GetMatch().GetDynamicMetadata() {
		if m.GetFilter() != contract.FilterName || len(m.GetPath()) != 1 || m.GetPath()[0].GetKey() != contract.RouteKey || m.GetInvert() {
			continue
		}
		if s := m.GetValue().GetStringMatch().GetExact(); s != "" {
			return s
		}
		return "*"
	}
	return ""
}

// toS3 says that a route leads to S3: it is chosen by Check's metadata, leads
// where such a route leads, or where a name says S3.
func (v *view) toS3(r *route.Route) bool {
	for _, name := range destinations(r) {
		if marker(r) != "" || strings.HasPrefix(name, "s3") || v.markedClusters()[name] {
			return true
		}
	}
	host := r.GetRoute().GetHostRewriteLiteral()
	return r.GetRoute() != nil && (strings.HasPrefix(host, "s3.") || strings.Contains(host, ".amazonaws.com"))
}

// markedClusters are those that routes chosen by Check's metadata lead to.
func (v *view) markedClusters() map[string]bool {
	marked := map[string]bool{}
	for _, m := range v.guarded() {
		for _, h := range m.routes.GetVirtualHosts() {
			for _, r := range h.GetRoutes() {
				for _, name := range destinations(r) {
					if marker(r) != "" {
						marked[name] = true
					}
				}
			}
		}
	}
	return marked
}

// perRoute is what a route, or a virtual host, says about ext_authz.
func perRoute(config map[string]*anypb.Any) *extauthz.ExtAuthzPerRoute {
	packed := config[contract.FilterName]
	if wrapped := open[*route.FilterConfig](packed); wrapped != nil {
		packed = wrapped.GetConfig()
	}
	return open[*extauthz.ExtAuthzPerRoute](packed)
}
