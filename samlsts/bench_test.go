package samlsts_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What one anonymous call can cost: an ordinary response that is accepted,
// and the longest ones that are refused before any signature is looked at.
func BenchmarkCall(b *testing.B) {
	for name, encoded := range map[string]string{
		"accepted":        said().issue(b),
		"many elements":   base64.StdEncoding.EncodeToString([]byte("<a>" + strings.Repeat("<b/>", 18_000) + "</a>")),
		"many attributes": base64.StdEncoding.EncodeToString([]byte("<a>" + strings.Repeat("<b"+manyAttributes(64)+"/>", 160) + "</a>")),
		"many prefixes":   base64.StdEncoding.EncodeToString([]byte("<a>" + strings.Repeat(`<b xmlns:c="u:r" xmlns:d="u:s" xmlns:e="u:t">`, 62) + "</a>")),
		"one long text":   base64.StdEncoding.EncodeToString([]byte("<a>" + strings.Repeat("&lt;", 18_000) + "</a>")),
	} {
		b.Run(name, func(b *testing.B) {
			cfg := configure(b)
			cfg.IssuedLog = ""
			r := serve(b, cfg)
			body := form(encoded).Encode()
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.server.ServeHTTP(httptest.NewRecorder(), request)
			}
		})
	}
}
