package envoy

import (
	"net/netip"

	"github.com/goccy/go-yaml"
)

// jsonPatch is one operation of RFC 6902, on a resource of Envoy's or on its
// bootstrap.
type jsonPatch struct {
	kind, name string // of the resource; empty: the bootstrap
	op, path   string
	value      any
	from       string // where value stands in our bootstrap; empty: nowhere
}

const (
	listenerKind = "type.googleapis.com/envoy.config.listener.v3.Listener"
	clusterKind  = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
)

func (p jsonPatch) operation() yaml.MapSlice {
	return yaml.MapSlice{{Key: "op", Value: p.op}, {Key: "path", Value: p.path}, {Key: "value", Value: p.value}}
}

func operations(patches []jsonPatch) []any {
	out := make([]any, len(patches))
	for n, p := range patches {
		out[n] = p.operation()
	}
	return out
}

func resources(patches []jsonPatch) []any {
	out := make([]any, len(patches))
	for n, p := range patches {
		out[n] = yaml.MapSlice{{Key: "type", Value: p.kind}, {Key: "name", Value: p.name}, {Key: "operation", Value: p.operation()}}
	}
	return out
}

func sources(patches []jsonPatch) []string {
	out := make([]string, len(patches))
	for n, p := range patches {
		out[n] = p.from
	}
	return out
}

// proxyPatches bring what our bootstrap says of Envoy as a program.
func (g GatewayEdge) proxyPatches(tree any) []jsonPatch {
	return []jsonPatch{
		{op: "add", path: "/admin/allow_paths", value: node(tree, "$.'admin'.'allow_paths'")},
		{op: "add", path: "/overload_manager", value: node(tree, "$.'overload_manager'")},
	}
}

// edgePatches add the clusters and replace the connection manager. The clusters
// come first: Envoy takes no listener whose routes lead to a missing one.
func (g GatewayEdge) edgePatches(at netip.AddrPort, tree any) []jsonPatch {
	var patches []jsonPatch
	clusters, _ := node(tree, clustersAt).([]any)
	for n := range clusters {
		name, _ := node(tree, clusterAt(n)+".'name'").(string)
		patches = append(patches, jsonPatch{kind: clusterKind, name: name, op: "add", value: clusters[n], from: clusterAt(n)})
	}
	onListener := func(op, path string, value any, from string) {
		patches = append(patches, jsonPatch{kind: listenerKind, name: g.Namespace + "/" + resourceName + "/" + edgeListener, op: op, path: path, value: value, from: from})
	}
	chain := "/default_filter_chain"
	if g.Credential != "" {
		chain = "/filter_chains/0"
		onListener("add", chain+"/transport_socket_connect_timeout", "10s", "")
	}
	if !at.Addr().IsUnspecified() {
		onListener("replace", "/address/socket_address/address", at.Addr().String(), "")
	}
	onListener("add", "/per_connection_buffer_limit_bytes", connectionBuffer, "")
	onListener("replace", chain+"/filters/0", node(tree, managerAt), managerAt)
	return patches
}
