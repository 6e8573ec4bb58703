package extauthz_test

import (
	"context"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/extauthz"
	"github.com/rolepass/rolepass/refusal"
)

// In shadow a request goes on as it came: nothing is added, nothing is taken
// away but our own cookies, and no route is chosen.
func TestAnUntouchedRequest(t *testing.T) {
	for _, c := range []struct {
		name string
		d    decision.Decision
		want string
	}{
		{"as it came", decision.Decision{Kind: decision.Untouched, Code: "no_grant"},
			`{"status": {}, "okResponse": {}, "dynamicMetadata": {"rolepass_code": "no_grant"}}`},
		{"without our cookie", decision.Decision{Kind: decision.Untouched, Code: "pass", Cookie: "a=b", CookieChanged: true},
			`{"status": {}, "okResponse": {"headers": [{"header": {"key": "cookie", "value": "a=b"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}]}, "dynamicMetadata": {"rolepass_code": "pass"}}`},
		{"without any cookie", decision.Decision{Kind: decision.Untouched, Code: "pass", CookieChanged: true},
			`{"status": {}, "okResponse": {"headersToRemove": ["cookie"]}, "dynamicMetadata": {"rolepass_code": "pass"}}`},
		{"without what only we may say", decision.Decision{Kind: decision.Untouched, Code: "pass", LocationHeader: "x-where"},
			`{"status": {}, "okResponse": {"headersToRemove": ["x-where"]}, "dynamicMetadata": {"rolepass_code": "pass"}}`},
	} {
		s := &extauthz.Server{
			Decide: func(context.Context, decision.Request) decision.Decision { return c.d },
			Unread: func(decision.Request, refusal.Code) decision.Decision { return decision.Decision{} },
		}
		out, err := s.Check(t.Context(), recorded(t, "checkrequest-get.json"))
		want := &authv3.CheckResponse{}
		if err := protojson.Unmarshal([]byte(c.want), want); err != nil {
			t.Fatal(err)
		}
		if err != nil || !proto.Equal(out, want) {
			t.Errorf("%s: answered %s, want %s", c.name, protojson.Format(out), c.want)
		}
	}
}

// A server that enforces takes no word for it that a request may go on.
func TestOnlyAServerInShadowLetsARequestGoOn(t *testing.T) {
	out, _ := check(t, recorded(t, "checkrequest-get.json"), decision.Decision{Kind: decision.Untouched, Code: "pass"})
	if out.GetStatus().GetCode() == 0 || out.GetOkResponse() != nil {
		t.Errorf("answered %v", out)
	}
}

// What cannot be read is asked about in shadow, with all its cookies.
func TestInShadowWhatCannotBeReadIsAskedAbout(t *testing.T) {
	in := recorded(t, "checkrequest-get.json")
	also("sec-fetch-site", "none")(in.Attributes.Request.Http)
	headers := in.Attributes.Request.Http.HeaderMap
	headers.Headers = append(headers.Headers, &corev3.HeaderValue{Key: "cookie", RawValue: []byte("__Host-rolepass=last")})
	var known decision.Request
	var why refusal.Code
	answers := decision.Decision{Kind: decision.Untouched, Code: "unreadable_header_twice"}
	s := &extauthz.Server{Unread: func(r decision.Request, code refusal.Code) decision.Decision {
		known, why = r, code
		return answers
	}}
	out, err := s.Check(t.Context(), in)
	if err != nil || out.GetOkResponse() == nil || why != "unreadable_header_twice" {
		t.Errorf("answered %v (%s, %v)", out, why, err)
	}
	if n := len(known.CookieLines); n != 3 || known.CookieLines[n-1] != "__Host-rolepass=last" {
		t.Errorf("it was asked about cookies %q", known.CookieLines)
	}
	answers = decision.Decision{}
	if out, _ := s.Check(t.Context(), in); out.GetOkResponse() != nil || out.GetStatus().GetCode() == 0 {
		t.Errorf("after a no: %v", out)
	}
}
