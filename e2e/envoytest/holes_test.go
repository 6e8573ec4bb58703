package envoytest_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/rolepass/rolepass/envoy/contract"
)

const inFilter = "\n              " // the indent of a field of ext_authz

// holesOfCheck are in how Check is asked and obeyed.
func holesOfCheck(evilS3) []hole {
	return []hole{
		{"RP110", "the application, while Rolepass is down", `status_on_error:`, "failure_mode_allow: true" + inFilter + "status_on_error:", func(r *rig) bool {
			r.check.stop()
			return r.send("GET /projects").StatusCode == 200
		}},
		{"RP112", "the application, refused or not", `status_on_error:`, "filter_enabled: {default_value: {numerator: 0}}" + inFilter + "status_on_error:", func(r *rig) bool {
			r.check.answers(refuse(typev3.StatusCode_Forbidden, "no"))
			return r.send("GET /projects").StatusCode == 200
		}},
		{"RP203", "the application by a route that Check never sees", `(- name: app\n\s+match:\n\s+prefix: /\n)`, "${1}                typed_per_filter_config: {envoy.filters.http.ext_authz: {'@type': type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute, disabled: true}}\n", func(r *rig) bool {
			r.check.answers(refuse(typev3.StatusCode_Forbidden, "no"))
			return r.send("GET /projects").StatusCode == 200
		}},
		{"RP201", "an answer that nobody judged", `- "\*"`, "- nobody.test", func(r *rig) bool {
			r.raw("GET / HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n")
			return r.check.count() == 0
		}},
		{"RP115", "a signed location in the application's log", `clear_route_cache: true`, "clear_route_cache: false", func(r *rig) bool {
			r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
			r.send("GET /tasks/7/resolve/?fileuri=x")
			return signedAt(r.app)
		}},
		{"RP117", "another user at the application, by a bug of Check's", `disallow_all: true`, "disallow_all: false", func(r *rig) bool {
			ok := &auth.OkHttpResponse{}
			ok.Headers = append(ok.Headers, set("x-user", "admin"))
			r.check.answers(passing(ok))
			r.send("GET /projects")
			return len(r.app.requests()) > 0
		}},
		{"RP121", "two Cookie lines that Check reads as one cookie", `encode_raw_headers: true`, "encode_raw_headers: false", func(r *rig) bool {
			r.send("GET /projects", "Cookie: a=1", "Cookie: b=2")
			return r.check.last().GetAttributes().GetRequest().GetHttp().GetHeaders()["cookie"] == "a=1,b=2"
		}},
		{"RP130", "an assertion that is no longer what was posted", `(max_request_bytes: \d+)\n\s+pack_as_bytes: true(\n\s+#[^\n]*\n\s+clear_route_cache)`, "$1$2", func(r *rig) bool {
			r.post(acsPath, "SAMLResponse=\xff")
			return len(r.check.last().GetAttributes().GetRequest().GetHttp().GetRawBody()) == 0
		}},
		{"RP131", "half an assertion, judged", `(\n +)pack_as_bytes: true`, "${1}pack_as_bytes: true${1}allow_partial_message: true", func(r *rig) bool {
			return r.post(acsPath, strings.Repeat("A", contract.MaxACSBody+1)).StatusCode != 413
		}},
		{"RP133", "413 for an upload beyond the limit of the ACS", `disable_request_body_buffering: true`, "context_extensions: {}", func(r *rig) bool {
			return r.post("/api/import", strings.Repeat("A", contract.MaxACSBody+1)).StatusCode == 413
		}},
		{"RP135", "one assertion posted thrice", `(name: acs(?s:.*?))\n\s+grpc_service:(?s:.*?)timeout: 15s`, "$1", func(r *rig) bool {
			r.check.does(func(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error) {
				return nil, grpcstatus.Error(codes.Unavailable, "restarting")
			})
			r.post(acsPath, "SAMLResponse=x")
			return r.check.count() > 1
		}},
		{"RP602", "debug logs that print cookies", `allow_paths:\n(\s+- prefix: .*\n?)+`, "\n", func(r *rig) bool {
			return r.adminPost("/logging?level=debug") == 200
		}},
	}
}

// holesOfRequests are in how a client's words are read.
func holesOfRequests() []hole {
	kept := func(name string) func(*rig) bool {
		return func(r *rig) bool {
			r.send("GET /projects", name+": spoofed")
			return r.app.only(r.t).Header.Get(name) == "spoofed"
		}
	}
	return []hole{
		{"RP104", "the S3 route with a path of one's own, and no decision", `(- name: envoy.filters.http.ext_authz\n)`, `- name: early
            typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config, request_rules: [{header: x-chosen, on_header_present: {metadata_namespace: envoy.filters.http.ext_authz, key: rolepass_route}}]}
          ${1}`, func(r *rig) bool {
			ok := &auth.OkHttpResponse{}
			ok.Headers = append(ok.Headers, set("authorization", "Bearer ours"))
			r.check.answers(passing(ok))
			r.send("GET /imaging/x", "X-Chosen: "+contract.S3Route(r.s3.host()))
			return len(r.s3.requests()) > 0
		}},
		{"RP204", "the application under a name of the attacker's", `- label.test:80\n`, "- label.test:80\n              - '*.evil.test'\n", func(r *rig) bool {
			return r.raw("GET /projects HTTP/1.1\r\nHost: label.evil.test\r\nConnection: close\r\n\r\n").StatusCode == 200
		}},
		{"RP211", "bytes that flow unjudged behind an upgrade", `(\n +)drain_timeout:`, "${1}upgrade_configs: [{upgrade_type: websocket}]${1}drain_timeout:", func(r *rig) bool {
			r.send("GET /projects", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
			return len(r.app.requests()) > 0
		}},
		{"RP401", "a judgement of another path than was asked for", `normalize_path: false`, "normalize_path: true", func(r *rig) bool {
			r.send("GET /a/../tasks/7/resolve/")
			return r.check.last().GetAttributes().GetRequest().GetHttp().GetPath() != "/a/../tasks/7/resolve/"
		}},
		{"RP402", "a path that parsers read in two ways", `path_with_escaped_slashes_action: REJECT_REQUEST`, "path_with_escaped_slashes_action: KEEP_UNCHANGED", func(r *rig) bool {
			r.send("GET /tasks%2F7/resolve/?fileuri=x")
			return len(r.app.requests()) > 0
		}},
		{"RP403", "another X-Api-Key, as WSGI reads it", `headers_with_underscores_action: DROP_HEADER`, "headers_with_underscores_action: ALLOW", func(r *rig) bool {
			r.send("GET /projects", "X_Api_Key: stolen")
			return len(r.app.only(r.t).Header["X_api_key"]) > 0
		}},
		{"RP405", "the browser's own token at the application", `- remove: authorization`, "- remove: x-nothing", kept("Authorization")},
		{"RP406", "a host of the attacker's in the application's links", `prefix: x-forwarded-`, "prefix: x-nothing-", kept("X-Forwarded-Host")},
		{"RP407", "another path, for a framework that obeys it", `- remove: x-rewrite-url`, "- remove: x-nothing", kept("X-Rewrite-Url")},
		{"RP408", "the application under another port", `(\n +)drain_timeout:`, "${1}strip_any_host_port: true${1}drain_timeout:", func(r *rig) bool {
			return r.raw("GET /projects HTTP/1.1\r\nHost: label.test:6443\r\nConnection: close\r\n\r\n").StatusCode == 200
		}},
		{"RP416", "a judgement of a path that nobody serves", `\n\s+- name: odd-path(?s:.*?)(\n\s+#[^\n]*\n\s+- name: odd-method)`, "$1", func(r *rig) bool {
			r.http2(":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "/data/\xff")
			return len(r.app.requests()) > 0 && r.check.last().GetAttributes().GetRequest().GetHttp().GetPath() == "/data/!"
		}},
		{"RP412", "a second request hidden behind the first", `(\n +)drain_timeout:`, "${1}http_protocol_options: {allow_chunked_length: true}${1}drain_timeout:", func(r *rig) bool {
			r.raw("POST /projects HTTP/1.1\r\nHost: label.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n")
			return len(r.app.requests()) > 0
		}},
	}
}

// holesOfS3 are on the way to S3 and back.
func holesOfS3(evil evilS3) []hole {
	fetch := func(r *rig, headers ...string) *reply {
		r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
		return r.send("GET /tasks/7/resolve/?fileuri=x", headers...)
	}
	return []hole{
		{"RP301", "S3 with a location from elsewhere, and no decision", `(?s)(name: s3-[^\n]*\n\s+match:\n\s+prefix: /)\n\s+dynamic_metadata:.*?exact: s3:[^\n]*`, "$1", func(r *rig) bool {
			r.send("GET /imaging/stolen" + signature)
			return len(r.s3.requests()) > 0
		}},
		{"RP302", "a signed location in the application's log, for a bucket named static", `(- name: s3-[^\n]*\n\s+match:)`, "- name: static\n                match: {prefix: /static/}\n                route: {cluster: app, timeout: 0s}\n              ${1}", func(r *rig) bool {
			r.check.answers(stream(r.s3.host(), "/static/x"+signature))
			r.send("GET /tasks/7/resolve/?fileuri=x")
			return signedAt(r.app)
		}},
		{"RP304", "a signed location in the application's log, where metadata is lost", `name: X-Amz-Signature`, "name: X-Nothing", func(r *rig) bool {
			r.check.answers(passing(&auth.OkHttpResponse{Headers: stream("", "/imaging/x"+signature).GetOkResponse().Headers}))
			r.send("GET /tasks/7/resolve/?fileuri=x")
			return signedAt(r.app)
		}},
		{"RP306", "a signed write", `exact: HEAD\n(\s+)invert_match: true`, "exact: PUT\n${1}invert_match: true", func(r *rig) bool {
			r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
			r.send("PUT /tasks/7/resolve/?fileuri=x")
			return len(r.s3.requests()) > 0
		}},
		{"RP308", "the application's session cookie, in S3's log", `- cookie\n`, "- x-nothing\n", func(r *rig) bool {
			fetch(r, "Cookie: sessionid=secret")
			return r.s3.only(r.t).Header.Get("Cookie") != ""
		}},
		{"RP310", "a cookie for the application, set by an object", `- set-cookie\n`, "- x-nothing\n", func(r *rig) bool {
			r.s3.responds(setCookie)
			return fetch(r).Header.Get("Set-Cookie") != ""
		}},
		{"RP311", "another origin's script that reads objects", `prefix: access-control-`, "prefix: access-control-max-", func(r *rig) bool {
			r.s3.responds(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Access-Control-Allow-Origin", "*") })
			return fetch(r).Header.Get("Access-Control-Allow-Origin") != ""
		}},
		{"RP312", "a session token, in an error document", `(\n +)envoy.filters.http.custom_response:`, "${1}other:", func(r *rig) bool {
			r.s3.responds(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				io.WriteString(w, "<Error><X-Amz-Security-Token>secret</X-Amz-Security-Token></Error>")
			})
			return strings.Contains(fetch(r).body, "secret")
		}},
		{"RP313", "signed locations, at a host of the attacker's", `(?s)host_rewrite_literal: [^\n]*(\n.*?)host_rewrite_literal: [^\n]*`, "append_x_forwarded_host: false${1}host_rewrite_header: s3-host", func(r *rig) bool {
			elsewhere := newRecorder(r.t, "elsewhere")
			fetch(r, "S3-Host: "+elsewhere.host())
			return signedAt(elsewhere)
		}},
		{"RP502", "signed locations, for any server with a certificate", `match_typed_subject_alt_names:\n\s+- san_type: DNS\n\s+matcher:\n\s+exact: localhost\n`, "\n", func(r *rig) bool {
			r.check.answers(stream(evil.host, "/imaging/x"+signature))
			return r.send("GET /tasks/7/resolve/?fileuri=x").StatusCode == 200
		}},
		{"RP603", "signed locations in Envoy's own log", `%RESPONSE_CODE_DETAILS%`, "%REQ(:PATH)%", func(r *rig) bool {
			fetch(r)
			return strings.Contains(r.logged(1), "X-Amz-Signature")
		}},
	}
}

// signedAt says that an upstream got a signed location.
func signedAt(u *recorder) bool {
	return slices.ContainsFunc(uris(u.requests()), func(s string) bool { return strings.Contains(s, "X-Amz-Signature") })
}
