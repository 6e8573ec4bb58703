package extauthz_test

import (
	"context"
	"strings"
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/proto"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/envoy/contract"
	"github.com/rolepass/rolepass/extauthz"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/session"
)

// FuzzCheck (T-EXT-04, CVE-2026-73547) sends whatever Envoy could send, and what it could not. A server
// that lets by whoever has the one right cookie lets nobody else by, and every
// answer is one that Envoy understands, with nothing in a header that ends it.
func FuzzCheck(f *testing.F) {
	for _, name := range []string{"checkrequest-get.json", "checkrequest-acs.json"} {
		raw, err := proto.Marshal(recorded(f, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, "ghi")
	}
	f.Add([]byte{}, "")
	for _, http := range []*authv3.AttributeContext_HttpRequest{
		nil, {}, {Method: "GET"}, {Path: "/", Host: "label.test"}, {Method: "CONNECT", Host: "label.test:443"}, {Method: "OPTIONS", Path: "*", Host: "label.test"},
		{Method: "GET", Path: "x", Host: "label.test"}, {Method: "GET", Path: "//evil/x", Host: "label.test"}, {Method: "GET", Path: "/" + strings.Repeat("a", 1<<16), Host: strings.Repeat("h", 1<<12)},
		{Method: "\x00", Path: "\x00", Host: "\x00", Size: -1, Headers: map[string]string{"": "", "cookie": "__Host-rolepass=ghi"}},
	} {
		raw, err := proto.Marshal(&authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: http}}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, "ghi")
	}
	f.Fuzz(func(t *testing.T, raw []byte, secret string) {
		in := &authv3.CheckRequest{}
		if proto.Unmarshal(raw, in) != nil {
			return
		}
		known := false
		s := &extauthz.Server{Decide: func(_ context.Context, r decision.Request) decision.Decision {
			if r.Method == "" || r.Host == "" || r.Target == "" {
				t.Errorf("read as %+v", r)
			}
			value, one := session.Cookie(r.CookieLines, session.CookieName)
			if known = one && value == "ghi"; known {
				return passing()
			}
			return decision.Decision{Kind: decision.Refuse, Code: "no_session", Answer: login.Page{Status: 401}}
		}}
		out, err := s.Check(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		allowed := out.GetStatus().GetCode() == 0 || out.GetOkResponse() != nil
		if allowed != known || out.GetDynamicMetadata().GetFields()[contract.CodeKey] == nil {
			t.Fatalf("known: %t; answered %v", known, out)
		}
		if !allowed && out.GetDeniedResponse().GetStatus().GetCode() < 400 {
			t.Fatalf("answered %v", out)
		}
		for _, header := range append(out.GetOkResponse().GetHeaders(), out.GetDeniedResponse().GetHeaders()...) {
			if strings.ContainsFunc(header.GetHeader().GetValue(), func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("a header of %q", header)
			}
		}
	})
}
