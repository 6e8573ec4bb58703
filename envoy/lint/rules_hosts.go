package lint

import (
	"slices"
	"strings"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/rolepass/rolepass/envoy/contract"
)

// hostRules are about there being a route for every request: Envoy skips
// ext_authz where there is none.
var hostRules = []Rule{
	{"RP201", "no virtual host for all other hosts", "Requests with a host that nobody expected are not judged, and not recorded by Rolepass.", "Add a virtual host for * that answers 421.", onManager(func(m *manager) string {
		any := slices.ContainsFunc(m.routes.GetVirtualHosts(), func(h *route.VirtualHost) bool { return slices.Contains(h.GetDomains(), "*") })
		return when(m.routes != nil && !any, "no virtual host has the domain *")
	})},
	{"RP202", "a virtual host whose last route does not match everything", "Requests that no route matches skip ext_authz.", "End it in a route with the prefix / and no other condition.", onHost(func(_ *view, _ *manager, h *route.VirtualHost) string {
		routes := h.GetRoutes()
		return when(len(routes) == 0 || !catchAll(routes[len(routes)-1]), "its last route does not match everything")
	})},
	{"RP203", "ext_authz disabled for a route", "Whoever gets to that route is judged by nobody; and which route it is, the client's words decide.", "Remove disabled: no route needs it.", disabled},
	{"RP204", "other hosts lead to an upstream", "A page of another site's name works like ours: cookies and rules that depend on the host no longer hold.", "Let virtual hosts with * answer 421.", onHost(func(_ *view, _ *manager, h *route.VirtualHost) string {
		star := slices.ContainsFunc(h.GetDomains(), func(d string) bool { return strings.HasPrefix(d, "*") || strings.HasSuffix(d, "*") })
		leads := slices.ContainsFunc(h.GetRoutes(), func(r *route.Route) bool { return r.GetRoute() != nil && marker(r) == "" })
		return when(star && leads, "its domains are %s, and it leads to an upstream", strings.Join(h.GetDomains(), ", "))
	})},
	{"RP205", "routes chosen by a tree of matchers or a plugin", "This program cannot say what they match; a request without a route skips ext_authz.", "List the routes.", onHost(func(_ *view, _ *manager, h *route.VirtualHost) string {
		return when(h.GetMatcher() != nil || len(h.GetRouteSpecifiers()) > 0, "it has a matcher instead of routes")
	})},
}

// catchAll says that a route matches every path on no other condition.
func catchAll(r *route.Route) bool {
	return proto.Equal(r.GetMatch(), &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/"}})
}

func disabled(v *view) (out []problem) {
	at := func(place string, config map[string]*anypb.Any) {
		wrapped := open[*route.FilterConfig](config[contract.FilterName])
		if perRoute(config).GetDisabled() || wrapped.GetDisabled() || wrapped.GetIsOptional() {
			out = append(out, problem{place, "ext_authz is disabled or optional"})
		}
	}
	for _, m := range v.guarded() {
		at(m.place(), m.routes.GetTypedPerFilterConfig())
		for _, h := range m.routes.GetVirtualHosts() {
			at(hostPlace(m, h), h.GetTypedPerFilterConfig())
			for i, r := range h.GetRoutes() {
				at(routePlace(m, h, r, i), r.GetTypedPerFilterConfig())
				for _, w := range r.GetRoute().GetWeightedClusters().GetClusters() {
					at(routePlace(m, h, r, i), w.GetTypedPerFilterConfig())
				}
			}
		}
	}
	return out
}
