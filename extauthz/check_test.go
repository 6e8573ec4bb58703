package extauthz_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/envoy/contract"
	"github.com/rolepass/rolepass/extauthz"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
)

// recorded is a CheckRequest as a real Envoy sent it.
func recorded(t testing.TB, name string) *authv3.CheckRequest {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	in := &authv3.CheckRequest{}
	if err := protojson.Unmarshal(text, in); err != nil {
		t.Fatal(err)
	}
	return in
}

// check asks a server that decides like this, and gives what it was asked.
func check(t *testing.T, in *authv3.CheckRequest, d decision.Decision) (*authv3.CheckResponse, *decision.Request) {
	t.Helper()
	var asked *decision.Request
	s := &extauthz.Server{Decide: func(_ context.Context, r decision.Request) decision.Decision { asked = &r; return d }}
	out, err := s.Check(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	written(t, d, out)
	return out, asked
}

func passing() decision.Decision {
	return decision.Decision{Kind: decision.Pass, Code: "pass", Session: "0123", Authorization: "Bearer x", Cookie: "theme=dark"}
}

func TestReadingWhatEnvoySends(t *testing.T) {
	in := recorded(t, "checkrequest-get.json")
	in.GetAttributes().GetSource().GetAddress().GetSocketAddress().Address = "192.0.2.7"
	_, r := check(t, in, passing())
	if r == nil || r.Method != "GET" || r.Host != "label.test" || r.Source != "192.0.2.7" ||
		r.Target != "/tasks/7/resolve/?fileuri=czM6Ly9pbWFnaW5nL3JhZGlvbG9neS9sdW5nLnBuZw==" ||
		strings.Join(r.CookieLines, "|") != "csrftoken=abc; sessionid=def|__Host-rolepass=ghi" ||
		r.Range != "bytes=0-3" || r.FetchSite != "same-origin" || r.FetchMode != "no-cors" || r.FetchDest != "image" ||
		r.ID != "5f6cfe26-3f5b-4f6e-9d5a-0123456789ab" || r.Origin != "http://label.test" {
		t.Errorf("read %+v", r)
	}
	_, r = check(t, recorded(t, "checkrequest-acs.json"), passing())
	if r == nil || r.Method != "POST" || len(r.Body) == 0 || r.ContentType != "application/x-www-form-urlencoded" {
		t.Errorf("read %+v", r)
	}
}

// What cannot be read is refused before anybody decides.
func TestWhatCannotBeReadIsRefused(t *testing.T) {
	for name, change := range map[string]func(*authv3.AttributeContext_HttpRequest){
		"no method":       func(h *authv3.AttributeContext_HttpRequest) { h.Method = "" },
		"no path":         func(h *authv3.AttributeContext_HttpRequest) { h.Path = "" },
		"no host":         func(h *authv3.AttributeContext_HttpRequest) { h.Host = "" },
		"a query apart":   func(h *authv3.AttributeContext_HttpRequest) { h.Query = "fileuri=x" },
		"a fragment":      func(h *authv3.AttributeContext_HttpRequest) { h.Fragment = "x" },
		"two origins":     also("origin", "http://evil.test"),
		"two sites":       also("Sec-Fetch-Site", "same-origin"),
		"two request ids": also("x-request-id", "mine"),
		"a cut body":      also("x-envoy-auth-partial-body", "true"),
		"an origin in both forms": func(h *authv3.AttributeContext_HttpRequest) {
			h.Headers = map[string]string{"origin": "http://evil.test"}
		},
	} {
		in := recorded(t, "checkrequest-get.json")
		change(in.Attributes.Request.Http)
		out, asked := check(t, in, passing())
		if asked != nil || out.GetDeniedResponse().GetStatus().GetCode() != 400 || out.GetStatus().GetCode() == 0 {
			t.Errorf("%s: asked %v, answered %v", name, asked, out)
		}
	}
	for name, in := range map[string]*authv3.CheckRequest{
		"nothing":       {},
		"no request":    {Attributes: &authv3.AttributeContext{}},
		"a TCP request": {Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{}}},
	} {
		if out, asked := check(t, in, passing()); asked != nil || out.GetDeniedResponse().GetStatus().GetCode() != 400 {
			t.Errorf("%s: answered %v", name, out)
		}
	}
}

func also(name, value string) func(*authv3.AttributeContext_HttpRequest) {
	return func(h *authv3.AttributeContext_HttpRequest) {
		h.HeaderMap.Headers = append(h.HeaderMap.Headers, &corev3.HeaderValue{Key: name, RawValue: []byte(value)})
	}
}

func TestTheAnswers(t *testing.T) {
	signed := presigned(t)
	page := login.Page{Status: 403, Body: []byte("no"), Header: []login.Header{{Name: "set-cookie", Value: "a=1"}, {Name: "set-cookie", Value: "b=2"}, {Name: "cache-control", Value: "no-store"}}}
	for _, c := range []struct {
		name string
		d    decision.Decision
		want string
	}{
		{"pass", passing(), `{"status": {}, "okResponse": {
			"headers": [{"header": {"key": "authorization", "value": "Bearer x"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"},
				{"header": {"key": "cookie", "value": "theme=dark"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}],
			"headersToRemove": ["x-api-key"]},
			"dynamicMetadata": {"rolepass_code": "pass", "rolepass_session": "0123"}}`},
		{"pass without a cookie", decision.Decision{Kind: decision.Pass, Code: "pass", Authorization: "Bearer x"}, `{"status": {}, "okResponse": {
			"headers": [{"header": {"key": "authorization", "value": "Bearer x"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}],
			"headersToRemove": ["x-api-key", "cookie"]},
			"dynamicMetadata": {"rolepass_code": "pass"}}`},
		{"open", decision.Decision{Kind: decision.Open, Code: "open", Authorization: "Bearer x", Cookie: "theme=dark"}, `{"status": {}, "okResponse": {
			"headersToRemove": ["authorization", "x-api-key", "cookie"]},
			"dynamicMetadata": {"rolepass_code": "open"}}`},
		{"pass of an API client", decision.Decision{Kind: decision.PassClient, Code: "client"}, `{"status": {}, "okResponse": {
			"headersToRemove": ["cookie"]},
			"dynamicMetadata": {"rolepass_code": "client"}}`},
		{"pass with the application's own session", decision.Decision{Kind: decision.PassOwn, Code: "pass", Cookie: "sessionid=s"}, `{"status": {}, "okResponse": {
			"headers": [{"header": {"key": "cookie", "value": "sessionid=s"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}],
			"headersToRemove": ["x-api-key", "authorization"]},
			"dynamicMetadata": {"rolepass_code": "pass"}}`},
		{"pass below a path", decision.Decision{Kind: decision.Pass, Code: "pass", Authorization: "Bearer x", Target: "/projects/?a=b"}, `{"status": {}, "okResponse": {
			"headers": [{"header": {"key": "authorization", "value": "Bearer x"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"},
				{"header": {"key": ":path", "value": "/projects/?a=b"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}],
			"headersToRemove": ["x-api-key", "cookie"]},
			"dynamicMetadata": {"rolepass_code": "pass"}}`},
		{"stream", decision.Decision{Kind: decision.Stream, Code: "stream", Session: "0123", Signed: signed, Bucket: presign.Bucket{Host: "s3.test"}, Header: []login.Header{{Name: "vary", Value: "cookie"}}}, `{"status": {}, "okResponse": {
			"headers": [{"header": {"key": ":path", "value": ` + quoted(signed.Target()) + `}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}],
			"headersToRemove": ["authorization", "cookie", "x-api-key", "origin", "referer", "x-csrftoken"],
			"responseHeadersToAdd": [{"header": {"key": "vary", "value": "cookie"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}]},
			"dynamicMetadata": {"rolepass_code": "stream", "rolepass_session": "0123", "rolepass_route": "s3:s3.test"}}`},
		{"stream, signed by headers", decision.Decision{Kind: decision.Stream, Code: "stream", Authorized: authorized(t), Bucket: presign.Bucket{Host: "s3.test"}}, `{"status": {}, "okResponse": {
			"headers": [{"header": {"key": ":path", "value": "/imaging/a.png"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"},
				{"header": {"key": "authorization", "value": ` + quoted(authorized(t).Headers()[0].Value) + `}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"},
				{"header": {"key": "x-amz-content-sha256", "value": "UNSIGNED-PAYLOAD"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"},
				{"header": {"key": "x-amz-date", "value": "20270115T080000Z"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"},
				{"header": {"key": "x-amz-security-token", "value": "t"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}],
			"headersToRemove": ["cookie", "x-api-key", "origin", "referer", "x-csrftoken"]},
			"dynamicMetadata": {"rolepass_code": "stream", "rolepass_route": "s3:s3.test"}}`},
		{"redirect", decision.Decision{Kind: decision.Redirect, Code: "redirect", Session: "0123", Signed: signed, Bucket: presign.Bucket{Host: "s3.test"}, Header: []login.Header{{Name: "cache-control", Value: "no-store"}}}, `{"status": {"code": 7}, "deniedResponse": {"status": {"code": "SeeOther"},
			"headers": [{"header": {"key": "cache-control", "value": "no-store"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"},
				{"header": {"key": "location", "value": ` + quoted(signed.URL()) + `}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}]},
			"dynamicMetadata": {"rolepass_code": "redirect", "rolepass_session": "0123"}}`},
		{"pass with a location", decision.Decision{Kind: decision.PassSigned, Code: "header", Signed: signed, LocationHeader: "x-where", Cookie: "theme=dark"}, `{"status": {}, "okResponse": {
			"headers": [{"header": {"key": "x-where", "value": ` + quoted(signed.URL()) + `}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"},
				{"header": {"key": "cookie", "value": "theme=dark"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}],
			"headersToRemove": ["x-api-key", "authorization"]},
			"dynamicMetadata": {"rolepass_code": "header"}}`},
		{"pass to an application that could be told a location", decision.Decision{Kind: decision.PassOwn, Code: "pass", LocationHeader: "x-where"}, `{"status": {}, "okResponse": {
			"headersToRemove": ["x-api-key", "authorization", "x-where", "cookie"]},
			"dynamicMetadata": {"rolepass_code": "pass"}}`},
		{"refuse", decision.Decision{Kind: decision.Refuse, Code: "no_grant", Answer: page}, `{"status": {"code": 7}, "deniedResponse": {"status": {"code": "Forbidden"}, "body": "no",
			"headers": [{"header": {"key": "set-cookie", "value": "a=1"}}, {"header": {"key": "set-cookie", "value": "b=2"}},
				{"header": {"key": "cache-control", "value": "no-store"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}]},
			"dynamicMetadata": {"rolepass_code": "no_grant"}}`},
	} {
		out, _ := check(t, recorded(t, "checkrequest-get.json"), c.d)
		want := &authv3.CheckResponse{}
		if err := protojson.Unmarshal([]byte(c.want), want); err != nil {
			t.Fatal(c.name, err)
		}
		if !proto.Equal(out, want) {
			t.Errorf("%s: answered\n%s\nwant\n%s", c.name, protojson.Format(out), protojson.Format(want))
		}
	}
}

func quoted(s string) string { return `"` + s + `"` }

func presigned(t *testing.T) presign.Presigned {
	t.Helper()
	b, l, c := toSign(t)
	signed, err := new(presign.Signer).Presign("GET", b, l, c)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func authorized(t *testing.T) presign.Authorized {
	t.Helper()
	b, l, c := toSign(t)
	signer := &presign.Signer{Now: func() time.Time { return time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC) }}
	signed, err := signer.Authorize("GET", b, l, c)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func toSign(t *testing.T) (presign.Bucket, presign.Location, *presign.Credentials) {
	t.Helper()
	b, err := presign.NewBucket("imaging", "eu-west-1", "aws", "")
	if err != nil {
		t.Fatal(err)
	}
	l, err := presign.ParseLocation("s3://imaging/a.png")
	if err != nil {
		t.Fatal(err)
	}
	return b, l, &presign.Credentials{AccessKeyID: "ASIA", SecretAccessKey: "s", SessionToken: "t", Expires: farAway(), STS: "aws"}
}

// Whatever is not wholly a yes is a no.
func TestHalfADecisionRefuses(t *testing.T) {
	signed := presigned(t)
	for name, d := range map[string]decision.Decision{
		"nothing decided":                 {},
		"a pass without a credential":     {Kind: decision.Pass},
		"an open door without a code":     {Kind: decision.Open},
		"an own pass without a code":      {Kind: decision.PassOwn},
		"an own pass with a credential":   {Kind: decision.PassOwn, Code: "pass", Authorization: "Bearer x"},
		"a client without a code":         {Kind: decision.PassClient},
		"a client with a credential":      {Kind: decision.PassClient, Code: "client", Authorization: "Bearer x"},
		"a client with a cookie":          {Kind: decision.PassClient, Code: "client", Cookie: "sessionid=s"},
		"a stream to nowhere":             {Kind: decision.Stream, Signed: signed},
		"a stream of nothing":             {Kind: decision.Stream, Bucket: presign.Bucket{Host: "s3.test"}},
		"a stream signed in two ways":     {Kind: decision.Stream, Signed: signed, Authorized: authorized(t), Bucket: presign.Bucket{Host: "s3.test"}},
		"a redirect to nowhere":           {Kind: decision.Redirect, Bucket: presign.Bucket{Host: "s3.test"}},
		"a location in no header":         {Kind: decision.PassSigned, Signed: signed},
		"a header without a location":     {Kind: decision.PassSigned, LocationHeader: "x-where"},
		"a location and a credential":     {Kind: decision.PassSigned, Authorization: "Bearer x", Signed: signed, LocationHeader: "x-where"},
		"a page without a status":         {Kind: decision.Page},
		"a refusal with an absurd status": {Kind: decision.Refuse, Answer: login.Page{Status: 1000}},
		"a kind that does not exist":      {Kind: 99, Authorization: "Bearer x", Signed: signed},
	} {
		out, _ := check(t, recorded(t, "checkrequest-get.json"), d)
		if out.GetStatus().GetCode() == 0 || out.GetOkResponse() != nil || out.GetDeniedResponse().GetStatus().GetCode() != 400 {
			t.Errorf("%s: answered %v", name, out)
		}
	}
}

// Envoy takes an empty answer for a yes; none leaves.
func TestTheLastResort(t *testing.T) {
	good, _ := check(t, recorded(t, "checkrequest-get.json"), passing())
	for name, next := range map[string]grpc.UnaryHandler{
		"an empty response": func(context.Context, any) (any, error) { return &authv3.CheckResponse{}, nil },
		"nil":               func(context.Context, any) (any, error) { return nil, nil },
		"a nil response":    func(context.Context, any) (any, error) { return (*authv3.CheckResponse)(nil), nil },
		"a yes without what it is for": func(context.Context, any) (any, error) {
			out := proto.Clone(good).(*authv3.CheckResponse)
			out.DynamicMetadata = nil
			return out, nil
		},
		"a yes without a status": func(context.Context, any) (any, error) {
			out := proto.Clone(good).(*authv3.CheckResponse)
			out.Status = nil
			return out, nil
		},
		"an error": func(context.Context, any) (any, error) { return good, errors.New("deadline") },
		"a panic":  func(context.Context, any) (any, error) { panic("secret") },
		"a no with code 0": func(context.Context, any) (any, error) {
			out := proto.Clone(good).(*authv3.CheckResponse)
			out.HttpResponse = &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{}}
			return out, nil
		},
	} {
		out, err := extauthz.Guard(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: authv3.Authorization_Check_FullMethodName}, next)
		response, ok := out.(*authv3.CheckResponse)
		if err != nil || !ok || response.GetStatus().GetCode() != int32(codes.PermissionDenied) || response.GetDeniedResponse().GetStatus().GetCode() != 400 {
			t.Errorf("%s: answered %v, %v", name, out, err)
		}
	}
	if out, err := extauthz.Guard(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/grpc.health.v1.Health/Check"}, func(context.Context, any) (any, error) { return "healthy", nil }); err != nil || out != "healthy" {
		t.Errorf("another service's answer became %v, %v", out, err)
	}
	out, err := extauthz.Guard(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: authv3.Authorization_Check_FullMethodName}, func(context.Context, any) (any, error) { return good, nil })
	if err != nil || out != any(good) {
		t.Errorf("a good answer became %v, %v", out, err)
	}
}

// A CheckResponse changes only headers that the contract lets it change:
// Envoy answers 500 to any other.
func TestAnswersStayWithinTheContract(t *testing.T) {
	mutable := map[string]bool{}
	for _, name := range contract.MutableHeaders() {
		mutable[name] = true
	}
	for _, name := range append(contract.SignedHeaders(), contract.LocationHeader) {
		mutable[name] = true // where the settings say so
	}
	s3 := presign.Bucket{Host: "s3.test"}
	for _, d := range []decision.Decision{
		passing(),
		{Kind: decision.Stream, Signed: presigned(t), Bucket: s3},
		{Kind: decision.Stream, Authorized: authorized(t), Bucket: s3},
		{Kind: decision.PassSigned, Signed: presigned(t), LocationHeader: contract.LocationHeader},
	} {
		out, _ := check(t, recorded(t, "checkrequest-get.json"), d)
		for _, header := range out.GetOkResponse().GetHeaders() {
			if !mutable[header.GetHeader().GetKey()] {
				t.Errorf("sets %s", header.GetHeader().GetKey())
			}
		}
		for _, name := range out.GetOkResponse().GetHeadersToRemove() {
			if !mutable[name] {
				t.Errorf("removes %s", name)
			}
		}
	}
}

func farAway() time.Time { return time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC) }
