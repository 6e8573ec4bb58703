package envoy

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
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
`

// istioName is the name of both resources.
const istioName = "rolepass"

// namePattern is a DNS label of Kubernetes (RFC 1123 §2.1).
var namePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// secretPattern is a DNS subdomain, as names of Secrets are.
var secretPattern = regexp.MustCompile(`^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$`)

func (i Ingress) check(s Settings) error {
	var problems []error
	if !namePattern.MatchString(i.Namespace) {
		problems = append(problems, fmt.Errorf("the gateway's namespace is %q: give the namespace that its pods run in, such as istio-ingress", i.Namespace))
	}
	if len(i.Labels) == 0 {
		problems = append(problems, errors.New("no label chooses the gateway's pods, so every proxy of the namespace would be changed: give one, such as istio=ingressgateway"))
	}
	if i.Port == 0 || i.Port > 65535 {
		problems = append(problems, fmt.Errorf("the gateway's port is %d: give the port of its Service", i.Port))
	}
	if i.Credential != "" && !secretPattern.MatchString(i.Credential) {
		problems = append(problems, fmt.Errorf("the credential is %q: give the name of a Secret in the gateway's namespace", i.Credential))
	}
	if (s.PublicScheme == "https") != (i.Credential != "") {
		problems = append(problems, errors.New("an https public address needs the credential of its certificate, and a plain one must have none"))
	}
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
	documents := [][2]any{
		{i.gateway(s, at), yaml.CommentMap{}},
		{i.filter(patches), moved(commentMap(tree), patches)},
	}
	out := []byte(istioPreamble)
	for _, d := range documents {
		text, err := yaml.MarshalWithOptions(d[0], yaml.IndentSequence(false), yaml.UseLiteralStyleIfMultiline(true), yaml.WithComment(d[1].(yaml.CommentMap)))
		if err != nil {
			return nil, fmt.Errorf("writing Istio's resources as YAML: %w", err)
		}
		out = append(append(out, "---\n"...), text...)
	}
	return out, nil
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
	return i.resource("networking.istio.io/v1", "Gateway", yaml.MapSlice{
		{Key: "selector", Value: i.labels()},
		{Key: "servers", Value: []any{server}},
	})
}

// served is the host that the Gateway names. Istio takes no short name there, nor
// an address; our own routes refuse every other host in any case.
func served(s Settings) string {
	host := hostOf(s.PublicHost)
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		return "*"
	}
	return host
}

// filter is applied after the others of its kind, so that no other connection
// manager takes its place. What others put among the HTTP filters comes later
// still, and lint finds it.
func (i Ingress) filter(patches []patch) yaml.MapSlice {
	list := make([]any, len(patches))
	for n, p := range patches {
		list[n] = p.yaml()
	}
	return i.resource("networking.istio.io/v1alpha3", "EnvoyFilter", yaml.MapSlice{
		{Key: "workloadSelector", Value: yaml.MapSlice{{Key: "labels", Value: i.labels()}}},
		{Key: "priority", Value: 1000},
		{Key: "configPatches", Value: list},
	})
}

func (i Ingress) resource(version, kind string, spec yaml.MapSlice) yaml.MapSlice {
	return yaml.MapSlice{
		{Key: "apiVersion", Value: version}, {Key: "kind", Value: kind},
		{Key: "metadata", Value: yaml.MapSlice{{Key: "name", Value: istioName}, {Key: "namespace", Value: i.Namespace}}},
		{Key: "spec", Value: spec},
	}
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
	const edge = "$.'static_resources'.'listeners'[0]"
	const manager = edge + ".'filter_chains'[0].'filters'[0]"
	listener := yaml.MapSlice{{Key: "portNumber", Value: uint32(at.Port())}}
	chain := yaml.MapSlice{}
	if i.Credential != "" {
		chain = append(chain, yaml.MapItem{Key: "sni", Value: hostOf(s.PublicHost)})
	}
	chain = append(chain, yaml.MapItem{Key: "filter", Value: yaml.MapSlice{{Key: "name", Value: "envoy.filters.network.http_connection_manager"}}})
	patches := []patch{
		{applyTo: "LISTENER", operation: "MERGE", match: yaml.MapSlice{{Key: "listener", Value: listener}},
			value: yaml.MapSlice{{Key: "per_connection_buffer_limit_bytes", Value: connectionBuffer}}},
		{applyTo: "NETWORK_FILTER", operation: "REPLACE", from: manager, value: node(tree, manager),
			match: yaml.MapSlice{{Key: "listener", Value: append(slices.Clone(listener), yaml.MapItem{Key: "filterChain", Value: chain})}}},
	}
	clusters, _ := node(tree, "$.'static_resources'.'clusters'").([]any)
	for n := range clusters {
		patches = append(patches, patch{applyTo: "CLUSTER", operation: "ADD", value: clusters[n], from: "$.'static_resources'.'clusters'[" + strconv.Itoa(n) + "]"})
	}
	return patches
}

// moved gives the comments of the bootstrap their places in the patches.
func moved(comments yaml.CommentMap, patches []patch) yaml.CommentMap {
	out := yaml.CommentMap{}
	for at, comment := range comments {
		for n, p := range patches {
			if rest, ok := strings.CutPrefix(at, p.from); ok && p.from != "" && strings.HasPrefix(rest, ".") {
				out[fmt.Sprintf("$.spec.configPatches[%d].patch.value%s", n, rest)] = comment
			}
		}
	}
	return out
}

// node is what stands at a position that find could have given.
func node(tree any, at string) any {
	for _, step := range strings.Split(strings.TrimPrefix(at, "$."), ".") {
		key, index, listed := strings.Cut(strings.ReplaceAll(step, "'", ""), "[")
		object, _ := tree.(yaml.MapSlice)
		tree = nil
		for _, field := range object {
			if field.Key == key {
				tree = field.Value
			}
		}
		if listed {
			list, _ := tree.([]any)
			n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			if err != nil || n >= len(list) {
				return nil
			}
			tree = list[n]
		}
	}
	return tree
}

// DefaultPort is the port of a public host.
func DefaultPort(scheme, host string) uint32 {
	if _, port, err := net.SplitHostPort(host); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			return uint32(n)
		}
	}
	return map[string]uint32{"http": 80, "https": 443}[scheme]
}
