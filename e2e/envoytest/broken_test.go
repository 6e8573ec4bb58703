package envoytest_test

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/rolepass/rolepass/envoy"
	"github.com/rolepass/rolepass/envoy/contract"
)

// Each row breaks one choice of the bootstrap and shows the hole that opens.
// With the bootstrap as generated the same attempt fails.
func TestEachChoiceClosesAHole(t *testing.T) {
	evil := newEvilS3(t)
	for _, c := range []struct {
		name     string
		old, new string // old is a regular expression
		opens    func(*rig) bool
		change   func(*rig)
	}{
		{"failure_mode_allow: the application without Check", `status_on_error:`, "failure_mode_allow: true\n              status_on_error:", func(r *rig) bool {
			r.check.stop()
			return r.send("GET /projects").StatusCode == 200
		}, nil},
		{"clear_route_cache: a signed location in the application's log", `clear_route_cache: true`, "clear_route_cache: false", func(r *rig) bool {
			r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
			r.send("GET /tasks/7/resolve/?fileuri=x")
			return slices.ContainsFunc(uris(r.app.requests()), func(s string) bool { return strings.Contains(s, "X-Amz-Signature") })
		}, nil},
		{"lost-query: the same, without metadata", `name: X-Amz-Signature`, "name: X-Nothing", func(r *rig) bool {
			r.check.answers(passing(&auth.OkHttpResponse{Headers: stream("", "/imaging/x"+signature).GetOkResponse().Headers}))
			r.send("GET /tasks/7/resolve/?fileuri=x")
			return len(r.app.requests()) > 0
		}, nil},
		{"odd-method: a signed write", `exact: HEAD\n(\s+)invert_match: true`, "exact: PUT\n${1}invert_match: true", func(r *rig) bool {
			r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
			r.send("PUT /tasks/7/resolve/?fileuri=x")
			return len(r.s3.requests()) > 0
		}, nil},
		{"underscores: another X-Api-Key for WSGI", `headers_with_underscores_action: DROP_HEADER`, "headers_with_underscores_action: ALLOW", func(r *rig) bool {
			r.send("GET /projects", "X_Api_Key: stolen")
			return len(r.app.only(r.t).Header["X_api_key"]) > 0
		}, nil},
		{"escaped slashes: a path that parsers read in two ways", `path_with_escaped_slashes_action: REJECT_REQUEST`, "path_with_escaped_slashes_action: KEEP_UNCHANGED", func(r *rig) bool {
			r.send("GET /tasks%2F7/resolve/?fileuri=x")
			return len(r.app.requests()) > 0
		}, nil},
		{"normalize_path: Check judges another path than the client wrote", `normalize_path: false`, "normalize_path: true", func(r *rig) bool {
			r.send("GET /a/../tasks/7/resolve/")
			return r.check.last().GetAttributes().GetRequest().GetHttp().GetPath() != "/a/../tasks/7/resolve/"
		}, nil},
		{"other hosts: requests that Check never sees", `- "\*"`, "- nobody.test", func(r *rig) bool {
			r.raw("GET / HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n")
			return r.check.count() == 0
		}, nil},
		{"mutation rules: Check's bug becomes the application's user", `disallow_all: true`, "disallow_all: false", func(r *rig) bool {
			ok := &auth.OkHttpResponse{}
			ok.Headers = append(ok.Headers, set("x-user", "admin"))
			r.check.answers(passing(ok))
			r.send("GET /projects")
			return len(r.app.requests()) > 0
		}, nil},
		{"ACS: one assertion posted thrice", `(name: acs(?s:.*?))\n\s+grpc_service:(?s:.*?)timeout: 15s`, "$1", func(r *rig) bool {
			r.check.does(func(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error) {
				return nil, grpcstatus.Error(codes.Unavailable, "restarting")
			})
			r.post(acsPath, "SAMLResponse=x")
			return r.check.count() > 1
		}, nil},
		{"uploads: refused beyond the limit of the ACS", `disable_request_body_buffering: true`, "context_extensions: {}", func(r *rig) bool {
			return r.post("/api/import", strings.Repeat("A", contract.MaxACSBody+1)).StatusCode == 413
		}, nil},
		{"pack_as_bytes: an assertion that is no longer what was posted", `(max_request_bytes: \d+)\n\s+pack_as_bytes: true(\n\s+#[^\n]*\n\s+clear_route_cache)`, "$1$2", func(r *rig) bool {
			r.post(acsPath, "SAMLResponse=\xff")
			return len(r.check.last().GetAttributes().GetRequest().GetHttp().GetRawBody()) == 0
		}, nil},
		{"early removal: the browser's token at the application", `- remove: authorization`, "- remove: x-nothing", func(r *rig) bool {
			r.send("GET /projects", "Authorization: Token own")
			return r.app.only(r.t).Header.Get("Authorization") != ""
		}, nil},
		{"early removal: Envoy obeys the client", `prefix: x-forwarded-`, "prefix: x-nothing-", func(r *rig) bool {
			r.send("GET /projects", "X-Forwarded-Host: evil.test")
			return r.app.only(r.t).Header.Get("X-Forwarded-Host") != ""
		}, nil},
		{"S3 route: the session cookie at S3", `- cookie\n`, "- x-nothing\n", func(r *rig) bool {
			r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
			r.send("GET /tasks/7/resolve/?fileuri=x", "Cookie: sessionid=secret")
			return r.s3.only(r.t).Header.Get("Cookie") != ""
		}, nil},
		{"S3 route: a cookie from an object", `- set-cookie\n`, "- x-nothing\n", func(r *rig) bool {
			r.s3.responds(setCookie)
			r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
			return r.send("GET /tasks/7/resolve/?fileuri=x").Header.Get("Set-Cookie") != ""
		}, nil},
		{"S3's name: any server with a certificate", `match_typed_subject_alt_names:\n\s+- san_type: DNS\n\s+matcher:\n\s+exact: localhost\n`, "\n", func(r *rig) bool {
			r.check.answers(stream(evil.host, "/imaging/x"+signature))
			return r.send("GET /tasks/7/resolve/?fileuri=x").StatusCode == 200
		}, func(r *rig) {
			r.settings.S3, r.settings.CAFile = []envoy.S3Endpoint{{Host: evil.host, Scheme: "https"}}, evil.ca
		}},
		{"admin: debug logs that print cookies", `allow_paths:\n(\s+- prefix: .*\n?)+`, "\n", func(r *rig) bool {
			return r.adminPost("/logging?level=debug") == 200
		}, nil},
	} {
		if c.change == nil {
			c.change = func(*rig) {}
		}
		t.Run(c.name, func(t *testing.T) {
			if c.opens(newRig(t, c.change)) {
				t.Error("the hole is open as generated")
			}
			broken := newRig(t, c.change, func(r *rig) {
				r.edit = func(yaml string) string { return regexp.MustCompile(c.old).ReplaceAllString(yaml, c.new) }
			})
			if !c.opens(broken) {
				t.Error("breaking the choice opens nothing: this test proves nothing")
			}
		})
	}
}

// evilS3 has a certificate of the trusted authority, for another name.
type evilS3 struct{ host, ca string }

func newEvilS3(t *testing.T) evilS3 {
	t.Helper()
	authority := newAuthority(t)
	_, port, _ := net.SplitHostPort(startTLS(t, authority, "evil.test").host())
	return evilS3{host: "localhost:" + port, ca: authority.file}
}

// adminPost is the status of a POST to Envoy's admin address.
func (r *rig) adminPost(path string) int {
	r.t.Helper()
	answer, err := http.Post("http://"+r.admin+path, "", nil)
	if err != nil {
		r.t.Fatalf("asking Envoy's admin address: %v", err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func setCookie(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Set-Cookie", "sessionid=stolen")
}
