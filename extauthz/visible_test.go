package extauthz_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/extauthz"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
)

// guarded is what leaves the server that decides like this.
func guarded(t *testing.T, d decision.Decision) *authv3.CheckResponse {
	t.Helper()
	s := &extauthz.Server{Decide: func(context.Context, decision.Request) decision.Decision { return d }}
	out, err := extauthz.Guard(t.Context(), recorded(t, "checkrequest-get.json"), &grpc.UnaryServerInfo{FullMethod: authv3.Authorization_Check_FullMethodName},
		func(ctx context.Context, in any) (any, error) { return s.Check(ctx, in.(*authv3.CheckRequest)) })
	if err != nil {
		t.Fatal(err)
	}
	return out.(*authv3.CheckResponse)
}

// T-HDR-04: whatever was decided, a header with any other byte than visible
// ASCII and blanks does not leave: the answer is then a no.
func TestEveryHeaderIsVisible(t *testing.T) {
	signed := presigned(t)
	for b := range 256 {
		value := "a" + string([]byte{byte(b)}) + "b"
		header := []login.Header{{Name: "x-test", Value: value}}
		visible := b >= ' ' && b <= '~'
		for name, d := range map[string]decision.Decision{
			"a credential":           {Kind: decision.Pass, Code: "pass", Authorization: presign.Secret("Bearer " + value)},
			"a header of an object":  {Kind: decision.Stream, Code: "stream", Signed: signed, Bucket: presign.Bucket{Host: "s3.test"}, Header: header},
			"a header of a page":     {Kind: decision.Page, Code: "page", Answer: login.Page{Status: 200, Header: header}},
			"a name of a header":     {Kind: decision.Page, Code: "page", Answer: login.Page{Status: 200, Header: []login.Header{{Name: value, Value: "x"}}}},
			"a header of a redirect": {Kind: decision.Redirect, Code: "redirect", Signed: signed, Bucket: presign.Bucket{Host: "s3.test"}, Header: header},
		} {
			out := guarded(t, d)
			refused := out.GetDeniedResponse().GetStatus().GetCode() == 400 && out.GetStatus().GetCode() != 0
			if refused == visible {
				t.Errorf("byte %#x in %s: refused is %v", b, name, refused)
			}
			for _, h := range slices.Concat(out.GetOkResponse().GetHeaders(), out.GetOkResponse().GetResponseHeadersToAdd(), out.GetDeniedResponse().GetHeaders()) {
				if strings.ContainsFunc(h.GetHeader().GetKey()+h.GetHeader().GetValue(), func(r rune) bool { return r < ' ' || r > '~' }) {
					t.Errorf("byte %#x in %s: sends %q", b, name, h)
				}
			}
		}
	}
}

// A cookie of a neighbouring site in other bytes is left out; nobody is shut
// out for it.
func TestCookiesInOtherBytesAreLeftOut(t *testing.T) {
	for line, want := range map[string]string{
		"theme=dark": "theme=dark", "a=1; name=M\u00fcller; b=2": "a=1; b=2", "x=\xff; b=2": "b=2", "x=\xff": "", "a=1; \u00a0sessionid=x; \u2003sessionid=x": "a=1", "\x0bsessionid=x": "", "b=2; sessionid=x\u00a0": "b=2", "a=1\r\nhost: evil": "",
	} {
		d := passing()
		d.Cookie = line
		out := guarded(t, d).GetOkResponse()
		got := ""
		if i := slices.IndexFunc(out.GetHeaders(), func(o *corev3.HeaderValueOption) bool { return o.GetHeader().GetKey() == "cookie" }); i >= 0 {
			got = out.GetHeaders()[i].GetHeader().GetValue()
		}
		if out == nil || got != want || (want == "") != slices.Contains(out.GetHeadersToRemove(), "cookie") {
			t.Errorf("%q: sends %q, want %q", line, got, want)
		}
	}
}
