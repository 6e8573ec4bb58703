package lint

import (
	"net/url"
	"slices"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	dynamiccluster "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/dynamic_forward_proxy/v3"
	dynamicfilter "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/dynamic_forward_proxy/v3"

	"github.com/rolepass/rolepass/envoy/contract"
)

// A dynamic forward proxy connects wherever the host says, and has no list of
// hosts itself: the routes have to be that list.

// dynamic says that a cluster is one.
func dynamic(c *cluster.Cluster) bool {
	return open[*dynamiccluster.ClusterConfig](c.GetClusterType().GetTypedConfig()) != nil
}

// openHost says how a route to a dynamic forward proxy leaves the host open.
func openHost(v *view, r *route.Route) string {
	if !slices.ContainsFunc(destinations(r), func(name string) bool { return dynamic(v.clusters[name]) }) {
		return ""
	}
	host := fixedHost(r)
	switch {
	case host == "":
		return "it leads wherever the request's host does"
	case marker(r) != "" && marker(r) != contract.S3Route(host):
		return "it is chosen by " + marker(r) + " and leads to " + host
	}
	return ""
}

// fixedHost is where a route has the filter connect to, whatever is asked for.
func fixedHost(r *route.Route) string {
	config := r.GetTypedPerFilterConfig()["envoy.filters.http.dynamic_forward_proxy"]
	if wrapped := open[*route.FilterConfig](config); wrapped != nil {
		config = wrapped.GetConfig()
	}
	return open[*dynamicfilter.PerRouteConfig](config).GetHostRewriteLiteral()
}

// fixedOnLoopback says that all routes to a cluster fix a host of this machine.
func (v *view) fixedOnLoopback(c *cluster.Cluster) bool {
	any := false
	for _, m := range v.guarded() {
		for _, h := range m.routes.GetVirtualHosts() {
			for _, r := range h.GetRoutes() {
				if !slices.Contains(destinations(r), c.GetName()) {
					continue
				}
				u, err := url.Parse("//" + fixedHost(r))
				if err != nil || !loopback(u.Hostname()) {
					return false
				}
				any = true
			}
		}
	}
	return any
}
