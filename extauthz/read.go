package extauthz

import (
	"context"
	"strings"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	grpcmeta "google.golang.org/grpc/metadata"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/envoy/contract"
	"github.com/rolepass/rolepass/presign"
)

// partialBody is what Envoy itself sets when it hands over a body that it cut
// at max_request_bytes ("true") or not ("false").
const partialBody = "x-envoy-auth-partial-body"

// read turns Envoy's words into a Request. The problem is empty when that
// could be done without a guess.
func read(in *authv3.CheckRequest) (r decision.Request, problem string) {
	http := in.GetAttributes().GetRequest().GetHttp()
	if http == nil {
		return r, "no_http_request"
	}
	r = decision.Request{Method: http.GetMethod(), Target: http.GetPath(), Host: http.GetHost()}
	if r.Method == "" || r.Target == "" || r.Host == "" {
		return r, "no_request_line"
	}
	if http.GetFragment() != "" || http.GetQuery() != "" {
		return r, "split_target"
	}
	if problem = readHeaders(http, &headers{Request: &r}); problem != "" {
		return r, problem
	}
	r.Body = body(http)
	r.Source = in.GetAttributes().GetSource().GetAddress().GetSocketAddress().GetAddress()
	return r, ""
}

// knowsClient takes the client's address where Envoy names it beside the
// CheckRequest, whose source is then a proxy.
func knowsClient(ctx context.Context, r *decision.Request) {
	if named := grpcmeta.ValueFromIncomingContext(ctx, contract.ClientAddress); len(named) == 1 && named[0] != "" {
		r.Source = named[0]
	}
}

// readHeaders takes all headers, however Envoy wrote them.
func readHeaders(http *authv3.AttributeContext_HttpRequest, h *headers) (problem string) {
	for _, header := range http.GetHeaderMap().GetHeaders() {
		if problem := h.set(header.GetKey(), header.GetValue(), header.GetRawValue()); problem != "" {
			return problem
		}
	}
	for name, value := range http.GetHeaders() {
		if problem := h.set(name, value, nil); problem != "" {
			return problem
		}
	}
	return ""
}

// headers are those that the contract names, each once but Cookie, of which
// HTTP/2 sends several (RFC 9113 §8.2.3).
type headers struct {
	*decision.Request
	seen int
}

// set takes one header. Its value is raw, if that is not empty; it is copied only
// where somebody reads it, which of most of a browser's headers nobody does.
func (h *headers) set(name, value string, raw []byte) (problem string) {
	name = strings.ToLower(name)
	switch name {
	case contract.Cookie:
		h.CookieLines = append(h.CookieLines, either(value, raw))
		return ""
	case contract.Authorization, contract.APIKey:
		return h.token(name, either(value, raw))
	case partialBody:
		if either(value, raw) != "false" {
			return "body_cut"
		}
		return ""
	}
	field, bit := field(h.Request, name)
	if field == nil {
		return ""
	}
	if h.seen&bit != 0 {
		return "header_twice"
	}
	h.seen |= bit
	*field = either(value, raw)
	return ""
}

// token takes a header that may carry a token of the application's own.
func (h *headers) token(name, value string) (problem string) {
	if !appToken(name, value) {
		return ""
	}
	h.AppToken = true
	if name == contract.Authorization {
		if h.Token != "" {
			return "header_twice"
		}
		h.Token = presign.Secret(value)
	}
	return ""
}

func either(value string, raw []byte) string {
	if len(raw) > 0 {
		return string(raw)
	}
	return value
}

// appToken says that a header carries a token as the application's API takes
// one.
func appToken(name, value string) bool {
	if name == contract.APIKey {
		return value != ""
	}
	scheme, token, _ := strings.Cut(value, " ")
	return token != "" && (strings.EqualFold(scheme, "token") || strings.EqualFold(scheme, "bearer"))
}

// field is where a header goes, and its place among those that were seen.
func field(r *decision.Request, name string) (*string, int) {
	switch name {
	case contract.RequestID:
		return &r.ID, 1
	case contract.Accept:
		return &r.Accept, 2
	case contract.Origin:
		return &r.Origin, 4
	case contract.ContentType:
		return &r.ContentType, 8
	case contract.SecFetchSite:
		return &r.FetchSite, 16
	case contract.SecFetchMode:
		return &r.FetchMode, 32
	case contract.SecFetchDest:
		return &r.FetchDest, 64
	case contract.Range:
		return &r.Range, 128
	}
	return nil, 0
}

// body is what Envoy handed over; only the ACS's route does.
func body(http *authv3.AttributeContext_HttpRequest) []byte {
	if raw := http.GetRawBody(); len(raw) > 0 {
		return raw
	}
	return []byte(http.GetBody())
}

// cookieLines are all Cookie headers of a request, in whatever shape it is.
func cookieLines(in *authv3.CheckRequest) (lines []string) {
	http := in.GetAttributes().GetRequest().GetHttp()
	for _, header := range http.GetHeaderMap().GetHeaders() {
		if strings.EqualFold(header.GetKey(), contract.Cookie) {
			lines = append(lines, header.GetValue()+string(header.GetRawValue()))
		}
	}
	for name, value := range http.GetHeaders() {
		if strings.EqualFold(name, contract.Cookie) {
			lines = append(lines, value)
		}
	}
	return lines
}
