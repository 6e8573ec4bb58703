package extauthz_test

import (
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/decision/decisiontest"
	"github.com/rolepass/rolepass/extauthz"
)

// django reads a Cookie header as Django does: bytes are characters (WSGI), and
// what Python calls white space is around no name (parse_cookie of
// django/http/cookie.py).
func django(line string) map[string]string {
	const white = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0"
	strip := func(s string) string {
		for s != "" && strings.IndexByte(white, s[0]) >= 0 {
			s = s[1:]
		}
		for s != "" && strings.IndexByte(white, s[len(s)-1]) >= 0 {
			s = s[:len(s)-1]
		}
		return s
	}
	read := map[string]string{}
	for chunk := range strings.SplitSeq(line, ";") {
		name, value, ok := strings.Cut(chunk, "=")
		if !ok {
			name, value = "", chunk
		}
		read[strip(name)] = strip(value)
	}
	return read
}

// However a Cookie header is written: where we say who asks, the application reads
// no session of its own in what we leave of it, nor our cookie.
func TestDjangoReadsNoSessionInWhatIsLeft(t *testing.T) {
	w, err := decisiontest.NewWorld(time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	ada, err := w.SignIn(t.Context(), 7, nil, "arn:aws:iam::111122223333:role/radiology")
	if err != nil {
		t.Fatal(err)
	}
	server := &extauthz.Server{Decide: w.Decide}
	part := rapid.SampledFrom([]string{"sessionid=", "sessionid =", "sessionid", "=", ";", "; ", " ", "\t", ",", `"`, "\\", "\v", "\x1c", "\u00a0", "\xa0", "\x85", "\u2003", "a", "SessionID=", "__Host-rolepass=", "csrftoken=c", "__Host-rolepass"})
	left := 0
	rapid.Check(t, func(t *rapid.T) {
		headers := &corev3.HeaderMap{Headers: []*corev3.HeaderValue{{Key: "cookie", RawValue: []byte(ada.Cookie + "; theme=dark")}}}
		for range rapid.IntRange(1, 2).Draw(t, "lines") {
			line := strings.Join(rapid.SliceOfN(part, 1, 8).Draw(t, "line"), "")
			headers.Headers = append(headers.Headers, &corev3.HeaderValue{Key: "cookie", RawValue: []byte(line)})
		}
		out, err := server.Check(t.Context(), &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{
			Http: &authv3.AttributeContext_HttpRequest{Method: "GET", Path: "/projects/12/data", Host: "label.test", HeaderMap: headers},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		if out.GetOkResponse() == nil {
			return // two of our cookies
		}
		for _, h := range out.GetOkResponse().GetHeaders() {
			if h.GetHeader().GetKey() != "cookie" {
				continue
			}
			left++
			for name := range django(h.GetHeader().GetValue()) {
				if strings.EqualFold(name, "sessionid") || strings.HasPrefix(name, "__Host-rolepass") {
					t.Fatalf("of %q is left %q, in which Django reads %s", headers.GetHeaders(), h.GetHeader().GetValue(), name)
				}
			}
		}
	})
	if left < 30 {
		t.Errorf("%d had a cookie left", left)
	}
}
