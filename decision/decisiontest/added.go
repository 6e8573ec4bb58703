package decisiontest

import (
	"context"
	"fmt"
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/proto"

	"github.com/rolepass/rolepass/extauthz"
)

// header is one header line.
type header struct{ name, value string }

// anybodys are headers that a client can add to what a browser sends: other
// hosts, paths and methods, other people's names, a second value of what was
// said already, cookies that are nobody's session.
var anybodys = []header{
	{"authorization", "Bearer ours"}, {"authorization", "Token 0123456789abcdef0123456789abcdef01234567"}, {"authorization", "Basic YTpi"}, {"x-api-key", "key"},
	{"cookie", "__Host-rolepass=forged"}, {"cookie", "__Host-rolepass="}, {"cookie", "sessionid=another"}, {"cookie", "\xff"},
	{"sec-fetch-site", "same-origin"}, {"sec-fetch-site", "none"}, {"sec-fetch-site", "cross-site"}, {"Sec-Fetch-Site", "same-origin"},
	{"sec-fetch-mode", "navigate"}, {"sec-fetch-mode", "cors"}, {"sec-fetch-dest", "image"}, {"sec-fetch-dest", "document"}, {"sec-fetch-dest", "script"}, {"Sec-Fetch-Dest", "empty"},
	{"origin", Public}, {"origin", "https://evil.test"}, {"origin", "null"}, {"referer", Public + "/"}, {"accept", "text/html"}, {"accept", "image/*"},
	{"range", "bytes=0-"}, {"range", "bytes=0-1,3-4"}, {"content-type", "application/json"}, {"x-request-id", "another"},
	{"x-forwarded-host", "evil.test"}, {"x-forwarded-proto", "http"}, {"x-forwarded-for", "127.0.0.1"}, {"forwarded", "host=evil.test"}, {"x-forwarded-user", "1"},
	{"x-forwarded-uri", "/health"}, {"x-original-url", "/health"}, {"x-rewrite-url", "/health"}, {"x-envoy-original-path", "/health"}, {"x-http-method-override", "HEAD"},
	{"x-envoy-auth-partial-body", "false"}, {"x-envoy-auth-partial-body", "true"}, {"user-agent", "kube-probe/1.30"}, {"x-rolepass-route", "s3:s3.eu-west-1.amazonaws.com"},
	{"x-amz-security-token", "token"}, {"host", "evil.test"}, {"connection", "cookie"}, {"te", "trailers"}, {"x_api_key", "key"},
}

// more adds headers to a question: that never opens what was closed, and what
// was open stays the same or is closed. It is asked at the door, as Envoy asks.
func (h *History) more(ctx context.Context, q Question) error {
	before, err := h.world.atTheDoor(ctx, q.headers(), q)
	if err != nil {
		return err
	}
	var added []header
	for range 1 + h.rand.IntN(4) {
		added = append(added, pick(h.rand, anybodys))
	}
	all := append(q.headers(), added...)
	if h.rand.IntN(2) == 0 {
		all = append(slices.Clone(added), q.headers()...)
	}
	after, err := h.world.atTheDoor(ctx, all, q)
	if err != nil {
		return err
	}
	if after.GetOkResponse() != nil && !proto.Equal(before, after) {
		return fmt.Errorf("with the headers %q the answer is another:\n%v\n%v", added, before, after)
	}
	return nil
}

// headers are those of a browser that asks.
func (q Question) headers() (all []header) {
	r := q.Request()
	for _, line := range r.CookieLines {
		all = append(all, header{"cookie", line})
	}
	for _, h := range []header{{"sec-fetch-site", r.FetchSite}, {"sec-fetch-mode", r.FetchMode}, {"sec-fetch-dest", r.FetchDest}, {"x-request-id", r.ID}} {
		if h.value != "" {
			all = append(all, h)
		}
	}
	return all
}

// atTheDoor asks as Envoy does.
func (w *World) atTheDoor(ctx context.Context, headers []header, q Question) (*authv3.CheckResponse, error) {
	r := q.Request()
	lines := &corev3.HeaderMap{}
	for _, h := range headers {
		lines.Headers = append(lines.Headers, &corev3.HeaderValue{Key: h.name, RawValue: []byte(h.value)})
	}
	server := &extauthz.Server{Decide: w.Decide}
	return server.Check(ctx, &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{
		Http: &authv3.AttributeContext_HttpRequest{Method: r.Method, Path: r.Target, Host: r.Host, HeaderMap: lines},
	}}})
}
