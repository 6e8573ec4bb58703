package main

import (
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
)

func asking(cookie string) *authv3.CheckRequest {
	return &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
		Method: "GET", Path: "/tasks/1/resolve/?fileuri=x", Host: "label.test", Headers: map[string]string{"cookie": cookie},
	}}}}
}

// Who has a session's cookie is allowed, by name; nobody else is.
func TestWhoIsAllowed(t *testing.T) {
	p, err := newPolicy(t.Context(), []string{"__Host-rolepass=one", "__Host-rolepass=two"})
	if err != nil {
		t.Fatal(err)
	}
	for cookie, want := range map[string]string{
		"__Host-rolepass=one": "person-0", "csrftoken=c; __Host-rolepass=two; theme=dark": "person-1",
		"": "", "__Host-rolepass=three": "", "other=one": "", "__Host-rolepass=": "",
	} {
		out, err := p.Check(t.Context(), asking(cookie))
		if err != nil {
			t.Errorf("%q: %v", cookie, err)
			continue
		}
		got := ""
		for _, h := range out.GetOkResponse().GetHeaders() {
			got = h.GetHeader().GetValue()
		}
		if got != want || (out.GetDeniedResponse() != nil) != (want == "") {
			t.Errorf("%q is for %q, want %q: %v", cookie, got, want, out)
		}
	}
}
