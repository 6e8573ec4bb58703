package lint_test

import (
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rolepass/rolepass/envoy"
	"github.com/rolepass/rolepass/envoy/lint"
)

// valid are complete settings.
func valid() envoy.Settings {
	return envoy.Settings{
		PublicScheme: "https", PublicHost: "label.example.com",
		Listen: "0.0.0.0:443", CertFile: "/etc/envoy/tls.pem", KeyFile: "/etc/envoy/tls.key",
		Admin:        "127.0.0.1:9901",
		CheckAddress: "unix:///run/rolepass/check.sock",
		AppURL:       &url.URL{Scheme: "http", Host: "label-studio:8080"},
		S3:           []envoy.S3Endpoint{{Host: "s3.eu-west-1.amazonaws.com", Scheme: "https"}},
		ACSPath:      "/rolepass/saml/acs",
	}
}

func remote(s *envoy.Settings) {
	s.CheckAddress = "rolepass:9001"
	s.CheckTLS = &envoy.MutualTLS{CertFile: "/c", KeyFile: "/k", CAFile: "/ca", ServerName: "rolepass"}
}

func byDynamicForwardProxy(s *envoy.Settings) { s.DynamicForwardProxy = true }

// ordinary is generated once for all.
var ordinary = sync.OnceValues(func() (string, error) { return generate(valid()) })

func generate(s envoy.Settings) (string, error) {
	b, err := envoy.Bootstrap(s)
	if err != nil {
		return "", err
	}
	text, err := envoy.YAML(b)
	return string(text), err
}

// text is what would be generated.
func text(t *testing.T, change func(*envoy.Settings)) string {
	t.Helper()
	got, err := ordinary()
	if change != nil {
		s := valid()
		change(&s)
		got, err = generate(s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// findings are what lint says about a text, and nothing else.
func findings(t *testing.T, text string, wanted *envoy.Settings) []lint.Finding {
	t.Helper()
	subject, err := lint.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if wanted == nil {
		return lint.Find(subject, nil)
	}
	b, err := envoy.Bootstrap(*wanted)
	if err != nil {
		t.Fatal(err)
	}
	return lint.Find(subject, b)
}

const (
	authz = "- name: envoy.filters.http.ext_authz"
	s3    = "- name: s3-s3.eu-west-1.amazonaws.com"
	app   = "- name: app"
	acs   = "- name: acs"
)

// inAuthz changes the filter, which is the second of that name's beginning:
// routes have settings for it, too.
func inAuthz(e edit) edit { return in("http_filters:", in(authz, e)) }

// clusterOf changes a cluster.
func clusterOf(name string, e edit) edit { return in("clusters:", in(name, e)) }

// manager adds to the connection manager.
func manager(lines ...string) edit { return before("drain_timeout:", lines...) }

// breaks has, for every rule, one small edit of the generated configuration
// that breaks this rule and no other.
var breaks = []struct {
	code   string
	edit   edit
	change func(*envoy.Settings)
}{
	{code: "RP001", edit: swap("envoy.extensions.filters.http.set_filter_state.v3.Config", "example.Unknown")},
	{code: "RP002", edit: inAuthz(before("stat_prefix:", "setting_of_tomorrow: true"))},
	{code: "RP003", edit: replace("route_config:", "rds: {route_config_name: edge}")},

	{code: "RP101", edit: in("http_filters:", without(authz))},
	{code: "RP102", edit: in("http_filters:", swap(authz, "- name: authz"))},
	{code: "RP103", edit: inAuthz(before("typed_config:", "disabled: true"))},
	{code: "RP104", edit: in("http_filters:", before(authz, "- name: cors", "  typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors}"))},
	{code: "RP105", edit: inAuthz(before("- name:", "- name: lua", "  typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua}"))},
	{code: "RP106", edit: swap("metadata_namespace: rolepass.s3", "metadata_namespace: envoy.filters.http.ext_authz")},

	{code: "RP110", edit: inAuthz(before("stat_prefix:", "failure_mode_allow: true"))},
	{code: "RP111", edit: inAuthz(before("stat_prefix:", "shadow_mode: true"))},
	{code: "RP112", edit: inAuthz(before("stat_prefix:", "filter_enabled: {default_value: {numerator: 50}}"))},
	{code: "RP113", edit: inAuthz(replace("envoy_grpc:", "google_grpc: {target_uri: rolepass, stat_prefix: rolepass}"))},
	{code: "RP114", edit: inAuthz(without("status_on_error:"))},
	{code: "RP115", edit: inAuthz(swap("clear_route_cache: true", "clear_route_cache: false"))},
	{code: "RP116", edit: inAuthz(without("validate_mutations:"))},
	{code: "RP117", edit: inAuthz(swap("disallow_all: true", "disallow_all: false"))},
	{code: "RP118", edit: inAuthz(without("disallow_is_error:"))},
	{code: "RP119", edit: inAuthz(swap("enable_dynamic_metadata_ingestion: true", "enable_dynamic_metadata_ingestion: false"))},
	{code: "RP120", edit: inAuthz(swap("- exact: cookie", "- exact: authorization"))},
	{code: "RP121", edit: inAuthz(without("encode_raw_headers:"))},
	{code: "RP122", edit: inAuthz(without("timeout:"))},
	{code: "RP123", edit: inAuthz(without("retry_back_off:"))},
	{code: "RP124", edit: inAuthz(swap("max_denied_response_body_bytes: 65536", "max_denied_response_body_bytes: 1024"))},

	{code: "RP130", edit: inAuthz(without("pack_as_bytes:"))},
	{code: "RP131", edit: in(acs, before("pack_as_bytes:", "allow_partial_message: true"))},
	{code: "RP132", edit: in(acs, swap("max_request_bytes: 327680", "max_request_bytes: 65536"))},
	{code: "RP133", edit: swap("disable_request_body_buffering: true", "context_extensions: {}")},
	{code: "RP134", edit: in(acs, without("typed_per_filter_config:"))},
	{code: "RP135", edit: in(acs, without("grpc_service:"))},
	{code: "RP136", edit: in(acs, replace("direct_response:", "route: {cluster: app, timeout: 0s}"))},
	{code: "RP137", edit: swap("per_connection_buffer_limit_bytes: 1048576", "per_connection_buffer_limit_bytes: 32768")},

	{code: "RP201", edit: swap(`- "*"`, "- other.example.com")},
	{code: "RP202", edit: in(app, swap("prefix: /", "prefix: /projects"))},
	{code: "RP203", edit: in(app, before("route:", "typed_per_filter_config: {envoy.filters.http.ext_authz: {'@type': type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute, disabled: true}}"))},
	{code: "RP204", edit: before("- label.example.com", `- "*.example.com"`)},
	{code: "RP205", edit: in("- name: elsewhere", before("domains:", "matcher: {}"))},

	{code: "RP210", edit: in(acs, before("path:", "case_sensitive: false"))},
	{code: "RP211", edit: manager("upgrade_configs: [{upgrade_type: websocket}]")},
	{code: "RP212", edit: in(app, before("cluster:", "internal_redirect_policy: {}"))},
	{code: "RP213", edit: in(app, before("cluster:", "request_mirror_policies: [{cluster: app}]"))},
	{code: "RP214", edit: in(app, swap("cluster: app", "cluster_header: x-cluster"))},
	{code: "RP215", edit: in(app, swap("retry_on: connect-failure,refused-stream", "retry_on: connect-failure,5xx"))},
	{code: "RP216", edit: in(s3, without("timeout:"))},
	{code: "RP217", edit: in(app, before("cluster:", "prefix_rewrite: /studio/"))},

	{code: "RP301", edit: in(s3, without("dynamic_metadata:"))},
	{code: "RP302", edit: before(s3, "- name: static", "  match: {prefix: /static/}", "  route: {cluster: app, timeout: 0s}")},
	{code: "RP303", edit: without("- name: lost-fetch")},
	{code: "RP304", edit: without("- name: lost-query")},
	{code: "RP305", edit: without("- name: lost-header")},
	{code: "RP306", edit: without("- name: odd-method")},
	{code: "RP307", edit: in(s3, without("host_rewrite_literal:"))},
	{code: "RP308", edit: in(s3, without("- cookie"))},
	{code: "RP309", edit: in(s3, swap("prefix: sec-", "prefix: sec-ch-"))},
	{code: "RP310", edit: in(s3, without("- set-cookie"))},
	{code: "RP311", edit: in(s3, swap("prefix: access-control-", "prefix: access-control-max-"))},
	{code: "RP312", edit: in(s3, without("envoy.filters.http.custom_response:"))},
	{code: "RP313", edit: in(s3, without("envoy.filters.http.dynamic_forward_proxy:")), change: byDynamicForwardProxy},

	{code: "RP401", edit: swap("normalize_path: false", "normalize_path: true")},
	{code: "RP402", edit: without("path_with_escaped_slashes_action:")},
	{code: "RP403", edit: without("headers_with_underscores_action:")},
	{code: "RP404", edit: without("use_remote_address:")},
	{code: "RP405", edit: without("- remove: authorization")},
	{code: "RP406", edit: swap("prefix: x-envoy-", "prefix: x-envoy-original-")},
	{code: "RP407", edit: without("- remove: x-rewrite-url")},
	{code: "RP408", edit: manager("strip_any_host_port: true")},
	{code: "RP409", edit: without("scheme_header_transformation:")},
	{code: "RP410", edit: swap("max_request_headers_kb: 96", "max_request_headers_kb: 8")},
	{code: "RP411", edit: manager("http_protocol_options: {accept_http_10: true}")},
	{code: "RP412", edit: manager("http_protocol_options: {allow_chunked_length: true}")},
	{code: "RP413", edit: manager("codec_type: HTTP3")},
	{code: "RP414", edit: without("- remove: x-request-id")},
	{code: "RP415", edit: without("request_headers_timeout:")},
	{code: "RP416", edit: without("- name: odd-path")},

	{code: "RP501", edit: clusterOf(s3, without("transport_socket:"))},
	{code: "RP502", edit: clusterOf(s3, without("match_typed_subject_alt_names:"))},
	{code: "RP503", edit: clusterOf("- name: rolepass_check", without("tls_certificates:")), change: remote},
	{code: "RP504", edit: swap("tls_minimum_protocol_version: TLSv1_2", "tls_minimum_protocol_version: TLSv1_0")},
	{code: "RP505", edit: clusterOf("- name: rolepass_check", without("circuit_breakers:"))},
	{code: "RP506", edit: clusterOf("- name: rolepass_check", replace("http2_protocol_options:", "http_protocol_options: {}"))},
	{code: "RP507", edit: clusterOf("- name: rolepass_check", replace("connection_keepalive:", "max_concurrent_streams: 100"))},
	{code: "RP508", edit: without("transport_socket:")},

	{code: "RP601", edit: in("admin:", swap("address: 127.0.0.1", "address: 0.0.0.0"))},
	{code: "RP602", edit: without("allow_paths:")},
	{code: "RP603", edit: swap("%RESPONSE_CODE_DETAILS%", "%REQ(:PATH)%")},
	{code: "RP604", edit: manager("tracing: {}")},
	{code: "RP605", edit: inAuthz(before("- name:", "- name: tap", "  typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.tap.v3.Tap}"))},
	{code: "RP606", edit: without("overload_manager:")},
	{code: "RP607", edit: without("local_reply_config:")},

	{code: "RP701", edit: everywhere("- label.example.com", "- other.example.com")},
	{code: "RP702", edit: in(acs, swap("path: /rolepass/saml/acs", "path: /saml/acs"))},
	{code: "RP703", edit: without(s3)},
	{code: "RP704", edit: swap("path: /run/rolepass/check.sock", "path: /tmp/check.sock")},
	{code: "RP705", edit: swap("address: label-studio", "address: label-studio-old")},
	{code: "RP706", edit: inAuthz(swap("charge_cluster_response_stats: false", "charge_cluster_response_stats: true"))},
	{code: "RP707", edit: swap("drain_timeout: 5s", "drain_timeout: 60s")},
}

func TestEachRuleFindsItsBreakAndNoOtherDoes(t *testing.T) {
	for _, b := range breaks {
		t.Run(b.code, func(t *testing.T) {
			var wanted *envoy.Settings
			if b.code >= "RP7" {
				s := valid()
				wanted = &s
			}
			var codes []string
			for _, f := range findings(t, b.edit.of(t, text(t, b.change)), wanted) {
				codes = append(codes, f.Rule.Code)
				if f.Where == "" || f.What == "" {
					t.Errorf("%s does not say where, or what: %+v", f.Rule.Code, f)
				}
			}
			if codes = slices.Compact(codes); !slices.Equal(codes, []string{b.code}) {
				t.Errorf("found %v", codes)
			}
		})
	}
}

// What the rules say of one server's cluster, they say of all servers'.
func TestADynamicForwardProxyIsNoWayAround(t *testing.T) {
	for _, c := range []struct {
		name, code string
		edit       edit
	}{
		{"a header of the request says the host", "RP313", in(s3, in("envoy.filters.http.dynamic_forward_proxy:", swap("host_rewrite_literal: s3.eu-west-1.amazonaws.com", "host_rewrite_header: s3-host")))},
		{"a route to another host than Check's", "RP313", in(s3, in("envoy.filters.http.dynamic_forward_proxy:", swap("host_rewrite_literal: s3.", "host_rewrite_literal: s4.")))},
		{"a route to it that Check does not choose", "RP313", in(app, swap("cluster: app", "cluster: dynamic-s3-https"))},
		{"names looked up before the decision", "RP104", in("http_filters:", before(authz, "- name: dynamic", "  typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig}"))},
		{"a certificate for another name", "RP502", clusterOf("- name: dynamic-s3-https", swap("auto_san_validation: true", "auto_san_validation: false"))},
		{"plaintext", "RP501", clusterOf("- name: dynamic-s3-https", without("transport_socket:"))},
	} {
		var codes []string
		for _, f := range findings(t, c.edit.of(t, text(t, byDynamicForwardProxy)), nil) {
			codes = append(codes, f.Rule.Code)
		}
		if !slices.Contains(codes, c.code) {
			t.Errorf("%s: found %v, want %s", c.name, codes, c.code)
		}
	}
}

// Istio writes the bootstrap of its pods, and needs what is open there.
func TestInAMeshTheBootstrapIsIstios(t *testing.T) {
	open := func(text string) string { return without("overload_manager:")(without("allow_paths:")(text)) }
	if found := findings(t, open(text(t, nil)), nil); len(found) != 2 {
		t.Errorf("outside a mesh: %v, want RP602 and RP606", found)
	}
	meshed := swap("cluster: rolepass-edge", "cluster: rolepass-edge\n  metadata: {ISTIO_VERSION: 1.31.0}").of(t, open(text(t, nil)))
	if found := findings(t, meshed, nil); len(found) != 0 {
		t.Errorf("in a mesh: %v", found)
	}
}

func TestEveryRuleHasItsBreak(t *testing.T) {
	var rules, broken []string
	for _, r := range lint.Rules() {
		rules = append(rules, r.Code)
	}
	for _, b := range breaks {
		broken = append(broken, b.code)
	}
	if !slices.Equal(rules, broken) {
		t.Errorf("rules %v\nbreaks %v", rules, broken)
	}
	if !slices.IsSorted(rules) || len(slices.Compact(rules)) != len(breaks) {
		t.Error("the codes are not in order, or not distinct")
	}
}

// shapes are settings that lead to differently built configurations.
var shapes = map[string]func(*envoy.Settings){
	"ordinary":       func(*envoy.Settings) {},
	"behind a proxy": func(s *envoy.Settings) { s.TrustedHops, s.Listen, s.CertFile, s.KeyFile = 1, "0.0.0.0:8080", "", "" },
	"on this machine": func(s *envoy.Settings) {
		s.PublicScheme, s.PublicHost, s.Listen, s.CertFile, s.KeyFile = "http", "localhost:8080", "127.0.0.1:8080", "", ""
	},
	"remote Check": remote,
	"many endpoints": func(s *envoy.Settings) {
		s.S3 = append(s.S3, envoy.S3Endpoint{Host: "imaging.s3.us-east-1.amazonaws.com", Scheme: "https"}, envoy.S3Endpoint{Host: "127.0.0.1:9000", Scheme: "http"})
	},
	"a dynamic forward proxy": func(s *envoy.Settings) {
		byDynamicForwardProxy(s)
		s.S3 = append(s.S3, envoy.S3Endpoint{Host: "imaging.s3.us-east-1.amazonaws.com", Scheme: "https"}, envoy.S3Endpoint{Host: "127.0.0.1:9000", Scheme: "http"})
	},
	"an application by https": func(s *envoy.Settings) { s.AppURL = &url.URL{Scheme: "https", Host: "app.example.com"} },
	"signatures in headers":   func(s *envoy.Settings) { s.S3SignedHeaders = true },
	"a told location":         func(s *envoy.Settings) { s.LocationHeader = "x-object-location" },
	"an application's ACS":    func(s *envoy.Settings) { s.ObservedACS = []string{"/saml/consume"} },
	"the browser's own keys":  func(s *envoy.Settings) { s.KeepCredentials = true },
}

func TestWhatIsGeneratedIsClean(t *testing.T) {
	for name, change := range shapes {
		s := valid()
		change(&s)
		for _, f := range findings(t, text(t, change), &s) {
			t.Errorf("%s: %s %s: %s", name, f.Rule.Code, f.Where, f.What)
		}
	}
}

// A finding is of use only with what could happen and what to do.
func TestEveryRuleExplainsItself(t *testing.T) {
	for _, r := range lint.Rules() {
		if r.Finds == "" || len(r.Risk) < 20 || r.Mend == "" {
			t.Errorf("%s: %+v", r.Code, r)
		}
	}
}

// docs/envoy.md has the table of the rules, as they are.
func TestTheRulesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/envoy.md")
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- rules -->\n", "<!-- end of rules -->\n"
	before, rest, _ := strings.Cut(string(page), begin)
	is, after, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("docs/envoy.md has no %q and %q", begin, end)
	}
	if is == lint.Table() {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatal("docs/envoy.md has other rules than the code: run with UPDATE=1, and look at the difference")
	}
	if err := os.WriteFile("../../docs/envoy.md", []byte(before+begin+lint.Table()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
