package lint

import (
	"slices"
	"strings"

	compressor "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/compressor/v3"
	customresponse "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/custom_response/v3"
	forwardproxy "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/dynamic_forward_proxy/v3"
	headermutation "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	headertometadata "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	ratelimit "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/local_ratelimit/v3"
	router "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	setfilterstate "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_filter_state/v3"
	tap "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/tap/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tcpproxy "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rolepass/rolepass/envoy/contract"
)

// filterRules are about where ext_authz stands.
var filterRules = []Rule{
	{"RP101", "a way to the application or to S3 without ext_authz", "Whoever reaches that listener is judged by nobody.", "Add ext_authz to it, or take the routes away.", sideDoors},
	{"RP102", "ext_authz under another name than " + contract.FilterName, "Routes ask for Check's metadata under that name: none is ever chosen, and a signed path goes to the application.", "Name the filter " + contract.FilterName + ".", onManager(func(m *manager) string {
		name := m.hcm.GetHttpFilters()[m.authzAt].GetName()
		return when(name != contract.FilterName, "the filter is named %s", name)
	})},
	{"RP103", "ext_authz disabled or optional", "Envoy runs without it, and nothing is judged.", "Remove disabled and is_optional.", onManager(func(m *manager) string {
		f := m.hcm.GetHttpFilters()[m.authzAt]
		return when(f.GetDisabled() || f.GetIsOptional(), "disabled is %v, is_optional is %v", f.GetDisabled(), f.GetIsOptional())
	})},
	{"RP104", "a filter before ext_authz that may answer, choose or rewrite", "It acts for a request that nobody has judged yet; and what it decided by the first route does not hold for the one that Check chooses.", "Move it behind ext_authz, or to another listener.", onManager(func(m *manager) string {
		return among(m, m.hcm.GetHttpFilters()[:m.authzAt], 0, harmlessBefore)
	})},
	{"RP105", "a filter behind ext_authz that may rewrite, answer or send away", "It sees the signed location, and may change what was judged.", "Remove it from this listener.", onManager(func(m *manager) string {
		return among(m, m.hcm.GetHttpFilters()[m.authzAt+1:], m.authzAt+1, harmlessAfter)
	})},
	{"RP106", "a filter other than ext_authz that writes in its metadata", "The S3 route trusts that metadata: a client that can write it chooses its route.", "Give that filter a namespace of its own.", onManager(func(m *manager) string {
		return when(writesMetadata(m), "a rule has the metadata_namespace %s", contract.FilterName)
	})},
}

// sideDoors are listeners that lead where guarded routes lead.
func sideDoors(v *view) (out []problem) {
	if len(v.guarded()) == 0 {
		return []problem{{"configuration", "no listener has ext_authz"}}
	}
	guarded := v.usedClusters()
	for _, m := range v.managers {
		for _, h := range m.routes.GetVirtualHosts() {
			for i, r := range h.GetRoutes() {
				for _, name := range destinations(r) {
					if m.authz == nil && slices.Contains(guarded, name) {
						out = append(out, problem{routePlace(m, h, r, i), "it leads to " + name + " and its listener has no ext_authz"})
					}
				}
			}
		}
	}
	for _, l := range append(slices.Clone(v.subject.Listeners), v.bootstrap.GetStaticResources().GetListeners()...) {
		proxies, _ := messages[*tcpproxy.TcpProxy](l)
		for _, p := range proxies {
			if slices.Contains(guarded, p.GetCluster()) {
				out = append(out, problem{"listener " + l.GetName(), "it passes bytes on to " + p.GetCluster()})
			}
		}
	}
	return out
}

// harmlessBefore has taps, too, which RP605 names.
func harmlessBefore(m proto.Message) bool {
	switch m.(type) {
	case *setfilterstate.Config, *ratelimit.LocalRateLimit, *tap.Tap:
		return true
	}
	return false
}

func harmlessAfter(m proto.Message) bool {
	switch m.(type) {
	case *headermutation.HeaderMutation, *customresponse.CustomResponse, *headertometadata.Config, *router.Router,
		*forwardproxy.FilterConfig, *compressor.Compressor:
		return true
	}
	return harmlessBefore(m)
}

// among says which filters are not harmless. One that cannot be read is the
// business of RP001.
func among(m *manager, filters []*hcm.HttpFilter, from int, harmless func(proto.Message) bool) string {
	var names []string
	for i, f := range filters {
		if message := m.filters[from+i]; message != nil && !harmless(message) {
			names = append(names, f.GetName())
		}
	}
	return lacks("there is", names)
}

func writesMetadata(m *manager) bool {
	found := false
	all, _ := messages[proto.Message](m.hcm)
	more, _ := messages[proto.Message](m.routes)
	for _, message := range append(all, more...) {
		message.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
			if strings.HasSuffix(string(field.Name()), "metadata_namespace") && field.Kind() == protoreflect.StringKind && !field.IsList() {
				found = found || value.String() == contract.FilterName
			}
			return true
		})
	}
	return found
}
