package envoytest_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
)

// An access log is kept for years and read by many: it says that and how, not
// what.
func TestAccessLogHoldsNoLocation(t *testing.T) {
	r := newRig(t)
	r.check.answers(stream(r.s3.host(), "/imaging/radiology/canary-key.png"+signature+"canary-signature"))
	r.send("GET /tasks/7/canary-path/?fileuri=canary-query", "Cookie: a=canary-cookie", "Referer: http://label.test/canary-referer",
		"User-Agent: canary-agent", "Authorization: Token canary-token", "Origin: http://canary-origin.test")
	var id string
	for _, h := range r.check.last().GetAttributes().GetRequest().GetHttp().GetHeaderMap().GetHeaders() {
		if h.Key == "x-request-id" {
			id = string(h.RawValue)
		}
	}
	r.check.answers(pass())
	r.send("GET /data/upload/canary-upload.png?canary-query")
	r.check.answers(refuse(typev3.StatusCode_Forbidden, "canary-body", set("location", "/canary-location")))
	r.send("GET /tasks/8/canary-refused")
	r.raw("GET /canary-elsewhere HTTP/1.1\r\nHost: canary-host.test\r\nConnection: close\r\n\r\n")

	text := r.logged(4)
	if strings.Contains(text, "canary") || strings.Contains(text, "X-Amz") || strings.Contains(text, "imaging") {
		t.Errorf("the access log tells too much:\n%s", text)
	}
	if said, _ := os.ReadFile(r.accessLog); len(said) == 0 || strings.Contains(r.stderr.String(), "canary") {
		t.Errorf("Envoy's own log tells too much:\n%s", r.stderr.String())
	}
	var line map[string]any
	first, _, _ := strings.Cut(text, "\n")
	if err := json.Unmarshal([]byte(first), &line); err != nil {
		t.Fatalf("reading %q: %v", first, err)
	}
	for field, want := range map[string]any{"method": "GET", "status": 200.0, "session": "s-handle", "outcome": "stream", "request": id, "route": "s3-" + strings.ReplaceAll(r.s3.host(), ":", "-")} {
		if line[field] != want {
			t.Errorf("%s is %v, want %v", field, line[field], want)
		}
	}
}
