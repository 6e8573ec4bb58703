package envoy_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	customresponse "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/custom_response/v3"
	extauthz "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/rolepass/rolepass/envoy"
	"github.com/rolepass/rolepass/envoy/contract"
)

func generated(t *testing.T, s envoy.Settings) *bootstrap.Bootstrap {
	t.Helper()
	b, err := envoy.Bootstrap(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// all finds every message of a type, inside Any too: Range looks into those.
func all[M proto.Message](t *testing.T, root proto.Message) (found []M) {
	t.Helper()
	err := protorange.Range(root.ProtoReflect(), func(values protopath.Values) error {
		m, ok := values.Index(-1).Value.Interface().(protoreflect.Message)
		if !ok {
			return nil
		}
		if typed, ok := m.Interface().(M); ok {
			found = append(found, typed)
		}
		if packed, ok := m.Interface().(*anypb.Any); ok {
			_, err := packed.UnmarshalNew()
			return err // one that Range would not look into
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func one[M proto.Message](t *testing.T, root proto.Message) M {
	t.Helper()
	found := all[M](t, root)
	if len(found) != 1 {
		t.Fatalf("found %d %T, want one", len(found), *new(M))
	}
	return found[0]
}

// shapes are settings that lead to differently built bootstraps.
func shapes() map[string]envoy.Settings {
	out := map[string]envoy.Settings{"ordinary": valid()}
	shape := func(name string, change func(*envoy.Settings)) {
		s := valid()
		change(&s)
		out[name] = s
	}
	shape("plain http", func(s *envoy.Settings) { s.PublicScheme, s.CertFile, s.KeyFile = "http", "", "" })
	shape("behind a proxy", func(s *envoy.Settings) { s.TrustedHops = 1 })
	shape("kept credentials", func(s *envoy.Settings) { s.KeepCredentials = true })
	shape("remote Check", func(s *envoy.Settings) {
		s.CheckAddress = "rolepass:9001"
		s.CheckTLS = &envoy.MutualTLS{CertFile: "/tls/c", KeyFile: "/tls/k", CAFile: "/tls/ca", ServerName: "rolepass"}
	})
	shape("many endpoints", func(s *envoy.Settings) {
		s.S3 = append(s.S3, envoy.S3Endpoint{Host: "imaging.s3.us-east-1.amazonaws.com", Scheme: "https"}, envoy.S3Endpoint{Host: "127.0.0.1:9000", Scheme: "http"})
	})
	shape("many endpoints by a dynamic forward proxy", func(s *envoy.Settings) {
		s.DynamicForwardProxy = true
		s.S3 = append(s.S3, envoy.S3Endpoint{Host: "imaging.s3.us-east-1.amazonaws.com", Scheme: "https"}, envoy.S3Endpoint{Host: "127.0.0.1:9000", Scheme: "http"})
	})
	return out
}

func TestNothingSwitchesExtAuthzOff(t *testing.T) {
	for name, s := range shapes() {
		b := generated(t, s)
		filter := one[*extauthz.ExtAuthz](t, b)
		if filter.FailureModeAllow || filter.FailureModeAllowHeaderAdd || filter.ShadowMode || filter.FilterEnabled != nil || filter.FilterEnabledMetadata != nil || filter.DenyAtDisable != nil {
			t.Errorf("%s: the filter lets requests by", name)
		}
		for _, per := range all[*extauthz.ExtAuthzPerRoute](t, b) {
			if per.GetDisabled() {
				t.Errorf("%s: a route disables ext_authz", name)
			}
		}
		for _, f := range all[*hcm.HttpFilter](t, b) {
			if f.Disabled || f.IsOptional {
				t.Errorf("%s: filter %s is disabled or optional", name, f.Name)
			}
		}
		for _, f := range all[*route.FilterConfig](t, b) {
			if f.Disabled || f.IsOptional {
				t.Errorf("%s: a route disables a filter", name)
			}
		}
	}
}

// Envoy skips ext_authz for a request that no route matches at first.
func TestEveryRequestHasARoute(t *testing.T) {
	for name, s := range shapes() {
		var anyHost bool
		for _, host := range one[*route.RouteConfiguration](t, generated(t, s)).VirtualHosts {
			anyHost = anyHost || slices.Contains(host.Domains, "*")
			last := host.Routes[len(host.Routes)-1].Match
			if !proto.Equal(last, &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/"}}) {
				t.Errorf("%s: virtual host %s ends in %v", name, host.Name, last)
			}
			if host.RequireTls != route.VirtualHost_NONE || host.Matcher != nil {
				t.Errorf("%s: virtual host %s answers before its routes", name, host.Name)
			}
		}
		if !anyHost {
			t.Errorf("%s: no virtual host for other hosts", name)
		}
	}
}

func TestFiltersInOrder(t *testing.T) {
	var names []string
	for _, f := range one[*hcm.HttpConnectionManager](t, generated(t, valid())).HttpFilters {
		names = append(names, f.Name)
	}
	want := []string{"envoy.filters.http.set_filter_state", contract.FilterName, "envoy.filters.http.header_mutation",
		"envoy.filters.http.custom_response", "envoy.filters.http.header_to_metadata", "envoy.filters.http.router"}
	if !slices.Equal(names, want) {
		t.Errorf("filters %v, want %v: none that decides may stand before ext_authz", names, want)
	}
}

// Every S3 route replaces what S3 says instead of an object, and only those do.
func TestOnlyS3IsNotTakenAtItsWord(t *testing.T) {
	for name, s := range shapes() {
		for _, r := range all[*route.Route](t, generated(t, s)) {
			set := r.TypedPerFilterConfig["envoy.filters.http.custom_response"]
			if toS3 := strings.HasPrefix(r.Name, "s3-"); toS3 != (set != nil) {
				t.Errorf("%s: route %s: replacing is %v", name, r.Name, set != nil)
			}
			if set == nil {
				continue
			}
			if n := len(all[*customresponse.CustomResponse](t, set)[0].GetCustomResponseMatcher().GetMatcherList().GetMatchers()); n != 3 {
				t.Errorf("%s: route %s has %d replacements", name, r.Name, n)
			}
		}
		if chain := one[*hcm.HttpConnectionManager](t, generated(t, s)).HttpFilters; len(all[*customresponse.CustomResponse](t, chain[3])) != 1 || all[*customresponse.CustomResponse](t, chain[3])[0].CustomResponseMatcher != nil {
			t.Errorf("%s: the filter replaces for every route", name)
		}
	}
}

// S3 is reached by one way only: metadata that Check wrote.
func TestOnlyMetadataLeadsToS3(t *testing.T) {
	for name, s := range shapes() {
		hosts := map[string]string{}
		for _, r := range all[*route.Route](t, generated(t, s)) {
			action := r.GetRoute()
			if action == nil || action.GetCluster() == "app" {
				continue
			}
			m := r.Match.DynamicMetadata
			if len(m) != 1 || m[0].Filter != contract.FilterName || len(m[0].Path) != 1 || m[0].Path[0].GetKey() != contract.RouteKey || m[0].Invert {
				t.Fatalf("%s: route %s matches on %v", name, r.Name, m)
			}
			hosts[m[0].Value.GetStringMatch().GetExact()] = action.GetHostRewriteLiteral()
			for _, must := range []string{"authorization", "cookie", "referer", "origin", "x-forwarded-proto"} {
				if !slices.Contains(r.RequestHeadersToRemove, must) {
					t.Errorf("%s: route %s lets %s through to S3", name, r.Name, must)
				}
			}
			if !slices.Contains(r.ResponseHeadersToRemove, "set-cookie") {
				t.Errorf("%s: route %s lets S3 set cookies", name, r.Name)
			}
		}
		for _, e := range s.S3 {
			if hosts[contract.S3Route(e.Host)] != e.Host {
				t.Errorf("%s: %s leads to %q", name, contract.S3Route(e.Host), hosts[contract.S3Route(e.Host)])
			}
		}
	}
}

// Nothing may carry a request on to anywhere else.
func TestNoSideDoors(t *testing.T) {
	for name, s := range shapes() {
		b := generated(t, s)
		for _, a := range all[*route.RouteAction](t, b) {
			//lint:ignore SA1019 what is deprecated must not be used either
			if a.InternalRedirectPolicy != nil || len(a.RequestMirrorPolicies) != 0 || len(a.UpgradeConfigs) != 0 || a.GetClusterHeader() != "" || a.GetHostRewriteHeader() != "" || a.Cors != nil || a.HedgePolicy != nil {
				t.Errorf("%s: a route redirects, mirrors, upgrades or lets a header choose: %v", name, a)
			}
			if a.Timeout.AsDuration() != 0 || a.IdleTimeout.AsDuration() == 0 {
				t.Errorf("%s: a route ends long downloads, or none that stand still", name)
			}
		}
		for _, m := range all[*route.RouteMatch](t, b) {
			if m.GetSafeRegex() != nil || m.GetConnectMatcher() != nil || m.RuntimeFraction != nil || m.CaseSensitive != nil {
				t.Errorf("%s: a match by pattern, by chance or without case: %v", name, m)
			}
		}
		manager := one[*hcm.HttpConnectionManager](t, b)
		if len(manager.UpgradeConfigs) != 0 || manager.CodecType == hcm.HttpConnectionManager_HTTP3 || manager.Tracing != nil || manager.PreserveExternalRequestId {
			t.Errorf("%s: the connection manager upgrades, speaks HTTP/3 or keeps a client's request id", name)
		}
		for _, l := range b.StaticResources.Listeners {
			if l.UdpListenerConfig != nil || len(l.FilterChains) != 1 || l.DefaultFilterChain != nil || len(l.ListenerFilters) != 0 {
				t.Errorf("%s: the listener has another way in", name)
			}
		}
	}
}

func TestExtAuthzSpeaksTheContract(t *testing.T) {
	for keep, want := range map[bool][]string{false: contract.ForwardedHeaders(), true: append(contract.ForwardedHeaders(), contract.CredentialHeaders()...)} {
		settings := valid()
		settings.KeepCredentials = keep
		var forwarded []string
		for _, p := range one[*extauthz.ExtAuthz](t, generated(t, settings)).AllowedHeaders.Patterns {
			forwarded = append(forwarded, p.GetExact())
		}
		if !slices.Equal(forwarded, want) {
			t.Errorf("Envoy forwards %v, Rolepass reads %v", forwarded, want)
		}
	}
	filter := one[*extauthz.ExtAuthz](t, generated(t, valid()))
	if filter.StatusOnError.GetCode() != 503 || !filter.ClearRouteCache || len(filter.ClearRouteCacheHeaders) != 0 || !filter.ValidateMutations || !filter.EncodeRawHeaders || !filter.EnableDynamicMetadataIngestion.GetValue() {
		t.Errorf("the filter is %v", filter)
	}
	if !filter.WithRequestBody.PackAsBytes || filter.WithRequestBody.AllowPartialMessage || filter.WithRequestBody.MaxRequestBytes != contract.MaxACSBody {
		t.Errorf("the body for Check is %v", filter.WithRequestBody)
	}
	rules := filter.DecoderHeaderMutationRules
	if !rules.DisallowAll.GetValue() || !rules.DisallowIsError.GetValue() || rules.AllowAllRouting.GetValue() || rules.AllowEnvoy.GetValue() {
		t.Errorf("Check may change %v", rules)
	}
	if got := filter.GetGrpcService().Timeout.AsDuration(); got <= 12*time.Second {
		t.Errorf("Envoy waits %s, less than a login may take", got)
	}
	if back := filter.GetGrpcService().RetryPolicy.RetryBackOff; back.BaseInterval.AsDuration() > 50*time.Millisecond {
		t.Errorf("a retry waits %s", back.BaseInterval.AsDuration())
	} else if back.MaxInterval.AsDuration() < filter.GetGrpcService().Timeout.AsDuration() {
		t.Errorf("Envoy ends one try of Check after %s, its max_interval", back.MaxInterval.AsDuration())
	}
}

// Check sees the bodies of the ACS and of the logout service, once, and no
// other body.
func TestOnlyTheACSHasABodyForCheck(t *testing.T) {
	for _, host := range one[*route.RouteConfiguration](t, generated(t, valid())).VirtualHosts {
		if !checkSettings(t, host.TypedPerFilterConfig).GetDisableRequestBodyBuffering() {
			t.Errorf("virtual host %s buffers every upload", host.Name)
		}
		for _, r := range host.Routes {
			settings := checkSettings(t, r.TypedPerFilterConfig)
			if r.Match.GetPath() != "/rolepass/saml/acs" && r.Match.GetPath() != contract.SLOPath {
				if settings != nil {
					t.Errorf("route %s has settings of its own: %v", r.Name, settings)
				}
				continue
			}
			if settings.GetWithRequestBody() == nil || settings.GetWithRequestBody().AllowPartialMessage {
				t.Errorf("the ACS sends the body %v", settings.GetWithRequestBody())
			}
			if service := settings.GetGrpcService(); service == nil || service.RetryPolicy != nil || service.GetEnvoyGrpc().RetryPolicy != nil {
				t.Errorf("the ACS may be asked about twice: %v", service)
			}
			if r.GetDirectResponse() == nil {
				t.Error("the ACS leads to an upstream")
			}
		}
	}
}

func checkSettings(t *testing.T, config map[string]*anypb.Any) *extauthz.CheckSettings {
	t.Helper()
	packed, ok := config[contract.FilterName]
	if !ok {
		return nil
	}
	var per extauthz.ExtAuthzPerRoute
	if err := packed.UnmarshalTo(&per); err != nil {
		t.Fatal(err)
	}
	return per.GetCheckSettings()
}

func TestPublicHostWithAndWithoutItsPort(t *testing.T) {
	for _, c := range []struct {
		scheme, host string
		want         []string
	}{
		{"https", "label.example.com", []string{"label.example.com", "label.example.com:443"}},
		{"https", "label.example.com:443", []string{"label.example.com", "label.example.com:443"}},
		{"https", "label.example.com:8443", []string{"label.example.com:8443"}},
		{"https", "label.example.com:80", []string{"label.example.com:80"}},
		{"http", "localhost", []string{"localhost", "localhost:80"}},
		{"http", "localhost:8080", []string{"localhost:8080"}},
		{"https", "[::1]", []string{"[::1]", "[::1]:443"}},
		{"https", "[::1]:9443", []string{"[::1]:9443"}},
	} {
		s := valid()
		s.PublicScheme, s.PublicHost = c.scheme, c.host
		if got := one[*route.RouteConfiguration](t, generated(t, s)).VirtualHosts[0].Domains; !slices.Equal(got, c.want) {
			t.Errorf("%s://%s: %v, want %v", c.scheme, c.host, got, c.want)
		}
	}
}

// Every TLS connection that Envoy opens verifies a name, not only an issuer.
func TestUpstreamNamesAreVerified(t *testing.T) {
	s := valid()
	s.AppURL, s.AppCAFile = &url.URL{Scheme: "https", Host: "app.example.com:8443"}, "/private.pem"
	s.S3 = append(s.S3, envoy.S3Endpoint{Host: "192.0.2.7:9000", Scheme: "https"})
	s.CheckAddress = "rolepass:9001"
	s.CheckTLS = &envoy.MutualTLS{CertFile: "/c", KeyFile: "/k", CAFile: "/ca", ServerName: "rolepass.internal"}
	want := map[string]string{"app": "app.example.com", "s3-s3.eu-west-1.amazonaws.com": "s3.eu-west-1.amazonaws.com", "s3-192.0.2.7-9000": "192.0.2.7", "rolepass_check": "rolepass.internal"}
	for _, c := range all[*cluster.Cluster](t, generated(t, s)) {
		context := one[*tls.UpstreamTlsContext](t, c)
		validation := context.CommonTlsContext.GetValidationContext()
		names := validation.GetMatchTypedSubjectAltNames()
		if validation.GetTrustedCa().GetFilename() == "" || validation.GetTrustChainVerification() != tls.CertificateValidationContext_VERIFY_TRUST_CHAIN || len(names) != 1 || names[0].Matcher.GetExact() != want[c.Name] {
			t.Errorf("%s verifies %v, want %s", c.Name, validation, want[c.Name])
		}
		if private := validation.GetTrustedCa().GetFilename() == "/private.pem"; private != (c.Name == "app") {
			t.Errorf("%s is verified against %s", c.Name, validation.GetTrustedCa().GetFilename())
		}
		if c.Name != "s3-192.0.2.7-9000" && context.Sni != want[c.Name] {
			t.Errorf("%s asks for %q", c.Name, context.Sni)
		}
		delete(want, c.Name)
	}
	if len(want) != 0 {
		t.Errorf("no cluster for %v", want)
	}
}

func TestClientCredentialsAreRemovedUnlessKept(t *testing.T) {
	for keep, want := range map[bool]bool{false: true, true: false} {
		s := valid()
		s.KeepCredentials = keep
		early := one[*hcm.HttpConnectionManager](t, generated(t, s)).EarlyHeaderMutationExtensions
		text := early[0].TypedConfig.String()
		if got := strings.Contains(text, `"authorization"`) && strings.Contains(text, `"x-api-key"`); got != want {
			t.Errorf("KeepCredentials %v: removed %v", keep, got)
		}
	}
}

func TestOneClusterPerEndpoint(t *testing.T) {
	s := valid()
	s.S3 = append(s.S3, s.S3[0], s.S3[0])
	if n := len(generated(t, s).StaticResources.Clusters); n != 3 {
		t.Errorf("%d clusters, want Check, application and one S3", n)
	}
}
