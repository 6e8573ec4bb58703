package envoy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"github.com/goccy/go-yaml"
)

// Ingress is the Istio ingress gateway that the application is behind.
type Ingress struct {
	// Namespace is where the gateway's pods run.
	Namespace string
	// Labels choose the gateway's pods.
	Labels map[string]string
	// Port is the port of the gateway's Service that browsers come to. The pods
	// listen on the port of Settings.Listen, its targetPort.
	Port uint32
	// Credential is the Secret of the certificate, in Namespace; empty: plain
	// HTTP, for a load balancer that ends TLS.
	Credential string
}

const istioPreamble = `# An Istio ingress gateway in front of an application that Rolepass guards.
# Written by "rolepass generate istio". Change rolepass.yaml and generate again
# rather than editing: a request that this file lets by is not judged at all.
#
# There is no VirtualService, and there must be none that leads to the
# application. The Gateway alone answers 404; the EnvoyFilter puts the connection
# manager of "rolepass generate envoy" in its place. If that is missing, or matches
# nothing, nothing is open. A single field that istiod does not know is dropped
# without a word: run "rolepass lint" against the gateway.
---
`

func (i Ingress) check(s Settings) error {
	var problems []error
	if !namePattern.MatchString(i.Namespace) {
		problems = append(problems, fmt.Errorf("the gateway's namespace is %q: give the namespace that its pods run in, such as istio-ingress", i.Namespace))
	}
	if len(i.Labels) == 0 {
		problems = append(problems, errors.New("no label chooses the gateway's pods, so every proxy of the namespace would be changed: give one, such as istio=ingressgateway"))
	}
	problems = append(problems, checkPort(s, i.Port, i.Credential)...)
	if s.PublicScheme == "https" && served(s) == "*" {
		problems = append(problems, fmt.Errorf("the public host %q has no domain: a gateway finds the certificate by a name with one", s.PublicHost))
	}
	return errors.Join(problems...)
}

// Istio renders a Gateway and the EnvoyFilter that makes it the edge of b,
// which Bootstrap made of s.
func Istio(s Settings, b *bootstrap.Bootstrap, i Ingress) ([]byte, error) {
	if err := i.check(s); err != nil {
		return nil, err
	}
	at, err := netip.ParseAddrPort(s.Listen)
	if err != nil {
		return nil, fmt.Errorf("reading where Envoy listens: %w", err)
	}
	tree, err := treeOf(b)
	if err != nil {
		return nil, err
	}
	patches := i.patches(s, at, tree)
	from := make([]string, len(patches))
	for n, p := range patches {
		from[n] = p.from
	}
	return manifest(istioPreamble,
		document{i.gateway(s, at), nil},
		document{i.filter(patches), moved(commentMap(tree), from, "$.spec.configPatches[%d].patch.value")})
}

// gateway opens the port for the public host alone.
func (i Ingress) gateway(s Settings, at netip.AddrPort) yaml.MapSlice {
	server := yaml.MapSlice{{Key: "port", Value: yaml.MapSlice{{Key: "number", Value: i.Port}, {Key: "name", Value: s.PublicScheme}, {Key: "protocol", Value: strings.ToUpper(s.PublicScheme)}}}}
	if !at.Addr().IsUnspecified() {
		server = append(server, yaml.MapItem{Key: "bind", Value: at.Addr().String()})
	}
	server = append(server, yaml.MapItem{Key: "hosts", Value: []string{served(s)}})
	if i.Credential != "" {
		server = append(server, yaml.MapItem{Key: "tls", Value: yaml.MapSlice{
			{Key: "mode", Value: "SIMPLE"}, {Key: "credentialName", Value: i.Credential}, {Key: "minProtocolVersion", Value: "TLSV1_2"}}})
	}
	return resource("networking.istio.io/v1", "Gateway", i.Namespace, yaml.MapSlice{
		{Key: "selector", Value: i.labels()},
		{Key: "servers", Value: []any{server}},
	})
}

// filter is applied after the others of its kind, so that no other connection
// manager takes its place. What others put among the HTTP filters comes later
// still, and lint finds it.
func (i Ingress) filter(patches []patch) yaml.MapSlice {
	list := make([]any, len(patches))
	for n, p := range patches {
		list[n] = p.yaml()
	}
	return resource("networking.istio.io/v1alpha3", "EnvoyFilter", i.Namespace, yaml.MapSlice{
		{Key: "workloadSelector", Value: yaml.MapSlice{{Key: "labels", Value: i.labels()}}},
		{Key: "priority", Value: 1000},
		{Key: "configPatches", Value: list},
	})
}

func (i Ingress) labels() yaml.MapSlice {
	out := yaml.MapSlice{}
	for name, value := range i.Labels {
		out = append(out, yaml.MapItem{Key: name, Value: value})
	}
	slices.SortFunc(out, func(a, b yaml.MapItem) int { return strings.Compare(a.Key.(string), b.Key.(string)) })
	return out
}

// patch is one change of what istiod renders.
type patch struct {
	applyTo, operation string
	match              yaml.MapSlice
	value              any
	from               string // where value stands in the bootstrap; empty: nowhere
}

func (p patch) yaml() yaml.MapSlice {
	return yaml.MapSlice{
		{Key: "applyTo", Value: p.applyTo},
		{Key: "match", Value: append(yaml.MapSlice{{Key: "context", Value: "GATEWAY"}}, p.match...)},
		{Key: "patch", Value: yaml.MapSlice{{Key: "operation", Value: p.operation}, {Key: "value", Value: p.value}}},
	}
}

// patches replace the gateway's connection manager by ours, and add the clusters
// that it routes to.
func (i Ingress) patches(s Settings, at netip.AddrPort, tree any) []patch {
	listener := yaml.MapSlice{{Key: "portNumber", Value: uint32(at.Port())}}
	chain := yaml.MapSlice{}
	if i.Credential != "" {
		chain = append(chain, yaml.MapItem{Key: "sni", Value: hostOf(s.PublicHost)})
	}
	chain = append(chain, yaml.MapItem{Key: "filter", Value: yaml.MapSlice{{Key: "name", Value: "envoy.filters.network.http_connection_manager"}}})
	patches := []patch{
		{applyTo: "LISTENER", operation: "MERGE", match: yaml.MapSlice{{Key: "listener", Value: listener}},
			value: yaml.MapSlice{{Key: "per_connection_buffer_limit_bytes", Value: connectionBuffer}}},
		{applyTo: "NETWORK_FILTER", operation: "REPLACE", from: managerAt, value: node(tree, managerAt),
			match: yaml.MapSlice{{Key: "listener", Value: append(slices.Clone(listener), yaml.MapItem{Key: "filterChain", Value: chain})}}},
	}
	clusters, _ := node(tree, clustersAt).([]any)
	for n := range clusters {
		patches = append(patches, patch{applyTo: "CLUSTER", operation: "ADD", value: clusters[n], from: clusterAt(n)})
	}
	return patches
}
