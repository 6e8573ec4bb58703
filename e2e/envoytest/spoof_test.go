package envoytest_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/grpc/metadata"

	"github.com/rolepass/rolepass/envoy/contract"
)

// T-HDR-03, T-HDR-08: what the application and Check learn about a request's
// way comes from Envoy, whatever the client writes.
func TestSpoofedHeadersAreGone(t *testing.T) {
	r := newRig(t)
	r.send("GET /projects",
		"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.test", "X-Forwarded-Port: 1", "X-Forwarded-User: admin", "X-Forwarded-Client-Cert: x",
		"X-Envoy-External-Address: 6.6.6.6", "X-Envoy-Original-Path: /admin", "X-Envoy-Internal: true", "X-Envoy-Retry-On: 5xx", "X-Envoy-Upstream-Rq-Timeout-Ms: 1",
		"X-Envoy-Auth-Partial-Body: true", "X-Envoy-Original-Url: /x", "X-Request-Id: 00000000-0000-4000-8000-000000000000", "X-Rolepass-User: admin",
		"X-Amz-Security-Token: t", "X-Minio-Extract: true", "Forwarded: for=6.6.6.6", "X-Real-Ip: 6.6.6.6", "X-Original-Url: /admin", "X-Rewrite-Url: /admin", "X-Http-Method-Override: DELETE",
		"True-Client-Ip: 6.6.6.6", "Proxy: http://evil.test", "Proxy-Authorization: Basic x", "Traceparent: 00-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-bbbbbbbbbbbbbbbb-01", "Tracestate: a=b", "Authorization: Token t", "X-Api-Key: k",
		"X_Forwarded_For: 6.6.6.6", "X_Api_Key: k", "X-Rolepass_User: admin", "Authorization_: Token t",
		"X-CSRFToken: mine", "Accept: text/html", "Cookie: csrftoken=c")
	seen := r.app.only(t)
	var names []string
	for name := range seen.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{"Accept", "Cookie", "X-Csrftoken", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id"}; !slices.Equal(names, want) {
		t.Errorf("the application saw %v, want %v", names, want)
	}
	for name, want := range map[string]string{"X-Forwarded-Proto": "http", "X-Csrftoken": "mine", "Cookie": "csrftoken=c"} {
		if got := strings.Join(seen.Header.Values(name), " and "); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := seen.Header.Values("X-Forwarded-For"); len(got) != 1 || strings.Contains(got[0], "6.6.6.6") || strings.Contains(got[0], ",") {
		t.Errorf("X-Forwarded-For is %q, want Envoy's own word alone", got)
	}
	if strings.HasPrefix(seen.Header.Get("X-Request-Id"), "00000000") {
		t.Error("the client chose the request id")
	}
	for _, h := range r.check.last().GetAttributes().GetRequest().GetHttp().GetHeaderMap().GetHeaders() {
		if h.Key == "x-request-id" && string(h.RawValue) != seen.Header.Get("X-Request-Id") {
			t.Errorf("Check saw the request id %s, the application %s", h.RawValue, seen.Header.Get("X-Request-Id"))
		}
		if strings.HasPrefix(h.Key, "x-envoy") {
			t.Errorf("Check saw %s", h.Key)
		}
	}
}

// Behind a proxy that ends TLS, that proxy's word on the client is taken and
// its scheme is the public one.
func TestBehindATrustedProxy(t *testing.T) {
	r := newRig(t, func(r *rig) { r.settings.TrustedHops, r.settings.PublicScheme = 1, "https" })
	r.send("GET /projects", "X-Forwarded-For: 6.6.6.6, 203.0.113.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: evil.test")
	seen := r.app.only(t)
	if got := seen.Header.Get("X-Forwarded-Proto"); got != "https" {
		t.Errorf("the application saw the scheme %q", got)
	}
	if got := seen.Header.Get("X-Forwarded-Host"); got != "" {
		t.Errorf("the application saw the host %q", got)
	}
	if got := seen.Header.Get("X-Forwarded-For"); !strings.HasPrefix(strings.ReplaceAll(got, " ", ""), "6.6.6.6,203.0.113.7,") {
		t.Errorf("the application saw the way %q", got)
	}
	if got := r.logged(1); !strings.Contains(got, `"client":"203.0.113.7"`) {
		t.Errorf("the access log has another client than the proxy names: %s", got)
	}
	if got := r.check.last().GetAttributes().GetRequest().GetHttp().GetScheme(); got != "https" {
		t.Errorf("Check saw the scheme %s", got)
	}
}

// Check learns the client's address, too: the source of its CheckRequest is the
// proxy. No header of the client gets there, on the ACS as elsewhere.
func TestCheckLearnsTheAddressBehindAProxy(t *testing.T) {
	for name, c := range map[string]struct {
		hops uint32
		want []string
	}{"behind a proxy": {1, []string{"203.0.113.7"}}, "at the edge": {0, nil}} {
		r := newRig(t, func(r *rig) { r.settings.TrustedHops = c.hops })
		seen := make(chan []string, 1)
		r.check.does(func(ctx context.Context, _ *auth.CheckRequest) (*auth.CheckResponse, error) {
			seen <- metadata.ValueFromIncomingContext(ctx, contract.ClientAddress)
			return refuse(typev3.StatusCode_Forbidden, "no"), nil
		})
		claims := []string{"X-Forwarded-For: 6.6.6.6, 203.0.113.7", "X-Rolepass-Client: 6.6.6.6", "Grpc-Metadata-X-Rolepass-Client: 6.6.6.6"}
		r.send("GET /projects", claims...)
		page := <-seen
		r.post(acsPath, "SAMLResponse=x", claims...)
		if acs := <-seen; !slices.Equal(page, c.want) || !slices.Equal(acs, c.want) {
			t.Errorf("%s: Check was told the addresses %v, and on the ACS %v; want %v", name, page, acs, c.want)
		}
	}
}

// In observer mode the application judges its own credentials.
func TestKeptCredentialsReachTheApplication(t *testing.T) {
	r := newRig(t, func(r *rig) { r.settings.KeepCredentials = true })
	r.send("GET /api/projects", "Authorization: Token t", "X-Api-Key: k")
	if seen := r.app.only(t); seen.Header.Get("Authorization") != "Token t" || seen.Header.Get("X-Api-Key") != "k" {
		t.Errorf("the application saw %v", seen.Header)
	}
}

// Envoy neither names itself nor explains its troubles.
func TestEnvoyKeepsItsTroublesToItself(t *testing.T) {
	r := newRig(t)
	r.app.responds(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Server", "WSGIServer/0.2 CPython/3.13") })
	if got := r.send("GET /projects"); got.Header.Get("Server") != "" || got.Header.Get("X-Envoy-Upstream-Service-Time") != "" {
		t.Errorf("the browser got %v", got.Header)
	}
	r.app.Close()
	r.s3.Close()
	for name, f := range map[string]func() *reply{
		"application down": func() *reply { return r.send("GET /projects") },
		"S3 down": func() *reply {
			r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
			return r.send("GET /tasks/7/resolve/?fileuri=x")
		},
	} {
		got := f()
		if got.StatusCode != 503 || strings.Contains(got.body, "127.0.0.1") || strings.Contains(got.body, "upstream") || got.Header.Get("Server") != "" {
			t.Errorf("%s: %d %q %v", name, got.StatusCode, got.body, got.Header)
		}
	}
}
