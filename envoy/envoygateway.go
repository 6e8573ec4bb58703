package envoy

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strings"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"github.com/goccy/go-yaml"
)

// GatewayEdge is the Gateway of Envoy Gateway that the application is behind.
type GatewayEdge struct {
	// Namespace is where the resources are.
	Namespace string
	// Class is the GatewayClass of Envoy Gateway.
	Class string
	// Port is the port that browsers come to.
	Port uint32
	// Credential is the Secret of the certificate, in Namespace; empty: plain
	// HTTP, for a load balancer that ends TLS.
	Credential string
	// CheckSecret is the Secret of the gateway's end of mutual TLS for Check, in
	// the namespace of its pods. It is mounted where Settings.CheckTLS says.
	CheckSecret string
}

// gatewayPreamble stands in the first document: one of comments alone is refused
// by Envoy Gateway's standalone mode.
const gatewayPreamble = `# A Gateway of Envoy Gateway in front of an application that Rolepass guards.
# Written by "rolepass generate envoy-gateway". Change rolepass.yaml and generate
# again rather than editing: a request that this file lets by is not judged at all.
#
# There is no HTTPRoute, and the Gateway takes none. Alone it answers 404; the
# EnvoyPatchPolicy puts the connection manager of "rolepass generate envoy" in its
# place. If policies are off (extensionApis.enableEnvoyPatchPolicy), or this one is
# refused, nothing is open: its status says why, and so does "rolepass lint".
`

// edgeListener is the name of the Gateway's one listener.
const edgeListener = "edge"

func (g GatewayEdge) check(s Settings) error {
	var problems []error
	if !namePattern.MatchString(g.Namespace) {
		problems = append(problems, fmt.Errorf("the namespace is %q: give the one that the Gateway is to be in, such as envoy-gateway-system", g.Namespace))
	}
	if !secretPattern.MatchString(g.Class) {
		problems = append(problems, fmt.Errorf("the GatewayClass is %q: give the name of Envoy Gateway's, such as eg", g.Class))
	}
	problems = append(problems, checkPort(s, g.Port, g.Credential)...)
	return errors.Join(append(problems, g.checkMount(s)...)...)
}

// checkMount wants what one Secret can give: three files of one directory.
func (g GatewayEdge) checkMount(s Settings) []error {
	t := s.CheckTLS
	if t == nil {
		return nil
	}
	var problems []error
	if !secretPattern.MatchString(g.CheckSecret) {
		problems = append(problems, fmt.Errorf("the Secret for Check is %q: give the name of the one with %s, %s and %s for the gateway's pods", g.CheckSecret, path.Base(t.CertFile), path.Base(t.KeyFile), path.Base(t.CAFile)))
	}
	dir := path.Dir(t.CertFile)
	for _, file := range []string{t.CertFile, t.KeyFile, t.CAFile} {
		if path.Dir(file) != dir || dir == "/" || !path.IsAbs(file) {
			problems = append(problems, fmt.Errorf("%s is not beside %s in a directory of their own: one Secret is mounted there", file, t.CertFile))
		}
	}
	return problems
}

// EnvoyGateway renders an EnvoyProxy, a Gateway, and the EnvoyPatchPolicy that
// makes it the edge of b, which Bootstrap made of s.
func EnvoyGateway(s Settings, b *bootstrap.Bootstrap, g GatewayEdge) ([]byte, error) {
	if err := g.check(s); err != nil {
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
	proxy := g.proxyPatches(tree)
	edge := g.edgePatches(at, tree)
	comments := moved(commentMap(tree), sources(edge), "$.spec.jsonPatches[%d].operation.value")
	return manifest(gatewayPreamble,
		document{g.proxy(s, proxy), proxyComments},
		document{g.gateway(s), gatewayComments},
		document{g.policy(edge), comments})
}

var proxyComments = yaml.CommentMap{
	"$.spec.telemetry": []*yaml.Comment{yaml.HeadComment(wrapped("Envoy Gateway's own log has paths and queries, which hold keys of objects. The edge has a log of its own.")...)},
	"$.spec.bootstrap": []*yaml.Comment{yaml.HeadComment(wrapped("An administration address without /logging (debug logs print cookies), /quitquitquit and /runtime_modify; and load that is shed before memory runs out.")...)},
	"$.spec.provider":  []*yaml.Comment{yaml.HeadComment(wrapped("The gateway's end of mutual TLS for Check. The Secret is in the namespace of the pods.")...)},
}

var gatewayComments = yaml.CommentMap{
	"$.spec.listeners[0].allowedRoutes": []*yaml.Comment{yaml.HeadComment(wrapped("No namespace has a label and has it not: no route of anybody attaches here.")...)},
}

// proxy is how Envoy Gateway runs Envoy: its pods, and their bootstrap.
func (g GatewayEdge) proxy(s Settings, patches []jsonPatch) yaml.MapSlice {
	spec := yaml.MapSlice{
		{Key: "telemetry", Value: yaml.MapSlice{{Key: "accessLog", Value: yaml.MapSlice{{Key: "disable", Value: true}}}}},
		{Key: "bootstrap", Value: yaml.MapSlice{{Key: "type", Value: "JSONPatch"}, {Key: "jsonPatches", Value: operations(patches)}}},
	}
	if s.CheckTLS != nil {
		const volume = "rolepass-check"
		spec = append(spec, yaml.MapItem{Key: "provider", Value: yaml.MapSlice{
			{Key: "type", Value: "Kubernetes"},
			{Key: "kubernetes", Value: yaml.MapSlice{{Key: "envoyDeployment", Value: yaml.MapSlice{
				{Key: "pod", Value: yaml.MapSlice{{Key: "volumes", Value: []any{yaml.MapSlice{
					{Key: "name", Value: volume}, {Key: "secret", Value: yaml.MapSlice{{Key: "secretName", Value: g.CheckSecret}}}}}}}},
				{Key: "container", Value: yaml.MapSlice{{Key: "volumeMounts", Value: []any{yaml.MapSlice{
					{Key: "name", Value: volume}, {Key: "mountPath", Value: path.Dir(s.CheckTLS.CertFile)}, {Key: "readOnly", Value: true}}}}}},
			}}}},
		}})
	}
	return resource("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy", g.Namespace, spec)
}

// gateway opens the port, for no route at all.
func (g GatewayEdge) gateway(s Settings) yaml.MapSlice {
	listener := yaml.MapSlice{
		{Key: "name", Value: edgeListener}, {Key: "port", Value: g.Port}, {Key: "protocol", Value: strings.ToUpper(s.PublicScheme)},
	}
	if host := served(s); host != "*" {
		listener = append(listener, yaml.MapItem{Key: "hostname", Value: host})
	}
	if g.Credential != "" {
		listener = append(listener, yaml.MapItem{Key: "tls", Value: yaml.MapSlice{
			{Key: "mode", Value: "Terminate"}, {Key: "certificateRefs", Value: []any{yaml.MapSlice{{Key: "kind", Value: "Secret"}, {Key: "name", Value: g.Credential}}}}}})
	}
	listener = append(listener, yaml.MapItem{Key: "allowedRoutes", Value: yaml.MapSlice{{Key: "namespaces", Value: nowhere()}}})
	return resource("gateway.networking.k8s.io/v1", "Gateway", g.Namespace, yaml.MapSlice{
		{Key: "gatewayClassName", Value: g.Class},
		{Key: "infrastructure", Value: yaml.MapSlice{{Key: "parametersRef", Value: yaml.MapSlice{
			{Key: "group", Value: "gateway.envoyproxy.io"}, {Key: "kind", Value: "EnvoyProxy"}, {Key: "name", Value: resourceName}}}}},
		{Key: "listeners", Value: []any{listener}},
	})
}

// nowhere chooses no namespace: a Gateway cannot say so in one word, and a label
// that all have in a cluster may be missing outside of one.
func nowhere() yaml.MapSlice {
	const label = "kubernetes.io/metadata.name"
	return yaml.MapSlice{
		{Key: "from", Value: "Selector"},
		{Key: "selector", Value: yaml.MapSlice{{Key: "matchExpressions", Value: []any{
			yaml.MapSlice{{Key: "key", Value: label}, {Key: "operator", Value: "Exists"}},
			yaml.MapSlice{{Key: "key", Value: label}, {Key: "operator", Value: "DoesNotExist"}},
		}}}},
	}
}

// policy is applied after others of the same Gateway, so that no other
// connection manager takes its place.
func (g GatewayEdge) policy(patches []jsonPatch) yaml.MapSlice {
	return resource("gateway.envoyproxy.io/v1alpha1", "EnvoyPatchPolicy", g.Namespace, yaml.MapSlice{
		{Key: "type", Value: "JSONPatch"},
		{Key: "targetRef", Value: yaml.MapSlice{
			{Key: "group", Value: "gateway.networking.k8s.io"}, {Key: "kind", Value: "Gateway"}, {Key: "name", Value: resourceName}}},
		{Key: "priority", Value: 1000},
		{Key: "jsonPatches", Value: resources(patches)},
	})
}
