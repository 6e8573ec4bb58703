package lint

import (
	"fmt"
	"slices"
	"strings"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// wantedRules compare with what would be generated from rolepass.yaml.
var wantedRules = []Rule{
	{"RP701", "another public host than public_url", "People cannot sign in, or sign in under an address that the identity provider does not know.", "Generate again, or correct public_url.", differ("the public host", publicHosts)},
	{"RP702", "another ACS than acs_path", "Nobody can sign in: the assertion is posted where its body is not read.", "Generate again, or correct acs_path.", differ("the ACS", func(v *view) (paths []string) {
		for _, m := range v.guarded() {
			for _, r := range acsRoutes(m) {
				paths = append(paths, r.GetMatch().GetPath())
			}
		}
		return paths
	})},
	{"RP703", "other S3 endpoints than those of the buckets", "Objects of the missing ones get 500; those that are too many are a way out that nothing needs.", "Generate again.", differ("S3", func(v *view) (values []string) {
		for _, m := range v.guarded() {
			for _, h := range m.routes.GetVirtualHosts() {
				for _, r := range h.GetRoutes() {
					if r.GetRoute() != nil && marker(r) != "" {
						values = append(values, marker(r))
					}
				}
			}
		}
		return values
	})},
	{"RP704", "Check asked elsewhere than where Rolepass listens", "Every request gets 503; or somebody else decides.", "Generate again, or correct listen.", differ("Check", func(v *view) []string {
		return v.endpoints(func(name string) bool { return v.isCheck(v.clusters[name]) })
	})},
	{"RP705", "another application than label_studio.url", "Rolepass asks one Label Studio and people get another.", "Generate again, or correct label_studio.url.", differ("the application", func(v *view) []string {
		return v.endpoints(func(name string) bool { return !v.isCheck(v.clusters[name]) && !v.markedClusters()[name] })
	})},
	{"RP706", "another setting of ext_authz than generated", "What it does was not proved.", "Generate again.", differingFields(func(m *manager) proto.Message { return m.authz })},
	{"RP707", "another setting of the connection manager than generated", "What it does was not proved.", "Generate again.", differingFields(func(m *manager) proto.Message { return m.hcm })},
}

// differ compares what is with what is wanted, as sets.
func differ(about string, of func(*view) []string) func(*view) []problem {
	return func(v *view) []problem {
		if v.wanted == nil || len(v.guarded()) == 0 {
			return nil
		}
		is, wanted := compacted(of(v)), compacted(of(v.wanted))
		if slices.Equal(is, wanted) {
			return nil
		}
		return []problem{{"configuration", fmt.Sprintf("%s is %s, wanted is %s", about, listed(is), listed(wanted))}}
	}
}

func listed(all []string) string {
	if len(all) == 0 {
		return "missing"
	}
	return strings.Join(all, ", ")
}

// publicHosts are the domains whose routes lead to the application.
func publicHosts(v *view) (domains []string) {
	for _, m := range v.guarded() {
		for _, h := range m.routes.GetVirtualHosts() {
			if slices.ContainsFunc(h.GetRoutes(), func(r *route.Route) bool { return r.GetRoute() != nil && marker(r) == "" }) {
				domains = append(domains, h.GetDomains()...)
			}
		}
	}
	return domains
}

// endpoints are the addresses of the used clusters that are of a kind.
func (v *view) endpoints(kind func(name string) bool) (out []string) {
	for _, name := range v.usedClusters() {
		if v.clusters[name] == nil || !kind(name) {
			continue
		}
		for _, a := range addresses(v.clusters[name]) {
			if a.GetPipe() != nil {
				out = append(out, a.GetPipe().GetPath())
				continue
			}
			out = append(out, fmt.Sprintf("%s:%d", a.GetSocketAddress().GetAddress(), a.GetSocketAddress().GetPortValue()))
		}
	}
	return out
}

// apart are fields that other rules compare, or that are names.
var apart = []protoreflect.Name{"route_config", "rds", "http_filters", "stat_prefix", "access_log", "typed_config"}

// differingFields compares the settings of a message, one by one.
func differingFields(of func(*manager) proto.Message) func(*view) []problem {
	return func(v *view) []problem {
		if v.wanted == nil || len(v.wanted.guarded()) == 0 {
			return nil
		}
		wanted := of(v.wanted.guarded()[0]).ProtoReflect()
		return onManager(func(m *manager) string {
			is := of(m).ProtoReflect()
			var names []string
			fields := is.Descriptor().Fields()
			for i := range fields.Len() {
				f := fields.Get(i)
				if !slices.Contains(apart, f.Name()) && !sameField(is, wanted, f) {
					names = append(names, string(f.Name()))
				}
			}
			return lacks("these differ:", names)
		})(v)
	}
}

// sameField compares one field as text of its JSON kind would, so that the
// order of a map inside an Any does not matter.
func sameField(a, b protoreflect.Message, f protoreflect.FieldDescriptor) bool {
	one, other := a.New(), b.New()
	if a.Has(f) {
		one.Set(f, a.Get(f))
	}
	if b.Has(f) {
		other.Set(f, b.Get(f))
	}
	return proto.Equal(one.Interface(), other.Interface())
}
