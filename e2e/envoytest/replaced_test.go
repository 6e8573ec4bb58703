package envoytest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// leaking is an error document of S3 as S3 writes it, with everything that one
// was ever seen to repeat.
const leaking = "<Error><Code>InvalidToken</Code><AWSAccessKeyId>LEAK</AWSAccessKeyId><Token-0>LEAK</Token-0><StringToSign>LEAK</StringToSign></Error>"

// Whatever S3 says instead of giving the object stays with Envoy: the browser
// learns the status and nothing that S3 repeats.
func TestS3ErrorsAreReplaced(t *testing.T) {
	r := newRig(t)
	r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
	for status, want := range map[int]int{
		400: 400, 401: 401, 403: 403, 404: 404, 405: 405, 412: 412, 416: 416, 429: 429, 451: 451, 499: 499,
		500: 502, 501: 502, 502: 502, 503: 503, 504: 504, 507: 502, 599: 502,
		201: 502, 202: 502, 203: 502, 204: 502, 207: 502, 226: 502,
		300: 502, 301: 502, 302: 502, 303: 502, 305: 502, 307: 502, 308: 502, 399: 502,
	} {
		r.s3.responds(func(w http.ResponseWriter, _ *http.Request) {
			for _, name := range []string{"Location", "X-Amz-Request-Id", "X-Amz-Bucket-Region", "Set-Cookie", "Access-Control-Allow-Origin", "Www-Authenticate", "Etag", "Last-Modified",
				"X-Amz-Meta-Key", "Link", "Retry-After", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Location", "Refresh", "Anything-Else"} {
				w.Header().Set(name, "LEAK")
			}
			w.Header().Set("Content-Type", "application/xml; LEAK")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, leaking) // 204 has no body
		})
		for _, method := range []string{"GET", "HEAD"} {
			got := r.send(method + " /tasks/7/resolve/?fileuri=abc")
			if got.StatusCode != want {
				t.Errorf("%s, S3 says %d: %d, want %d", method, status, got.StatusCode, want)
			}
			if body := got.body; method == "GET" && body != "The object store did not give this object.\n" || method == "HEAD" && body != "" {
				t.Errorf("%s, S3 says %d: %q", method, status, body)
			}
			for name, values := range got.Header {
				if strings.Contains(strings.Join(values, " "), "LEAK") {
					t.Errorf("%s, S3 says %d: %s reaches the browser", method, status, name)
				}
			}
			if got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("X-Content-Type-Options") != "nosniff" || got.Header.Get("Content-Type") != "text/plain" {
				t.Errorf("%s, S3 says %d: %v", method, status, got.Header)
			}
		}
	}
	if len(r.app.requests()) != 0 {
		t.Error("the application saw a data fetch")
	}
}

// A player that asks beyond the end learns where the end is (RFC 9110
// §15.5.17), and an answer without that stays one.
func TestARangeBeyondTheEndTellsTheLength(t *testing.T) {
	r := newRig(t)
	r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
	for _, length := range []string{"bytes */1048576", ""} {
		r.s3.responds(func(w http.ResponseWriter, _ *http.Request) {
			if length != "" {
				w.Header().Set("Content-Range", length)
			}
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			_, _ = io.WriteString(w, leaking)
		})
		got := r.send("GET /tasks/7/resolve/?fileuri=abc", "Range: bytes=9999999-")
		if got.StatusCode != 416 || got.Header.Get("Content-Range") != length || strings.Contains(got.body, "LEAK") {
			t.Errorf("S3 says %q: %d, %q, %q", length, got.StatusCode, got.Header.Get("Content-Range"), got.body)
		}
	}
}

// The application's own errors are its own: only what S3 says is replaced.
func TestTheApplicationsErrorsStay(t *testing.T) {
	r := newRig(t)
	for _, status := range []int{201, 204, 302, 400, 404, 416, 500, 503} {
		r.app.responds(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/projects/")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "from the application")
		})
		got := r.send("GET /api/projects/")
		if got.StatusCode != status || got.Header.Get("Location") != "/projects/" || status != 204 && got.body != "from the application" {
			t.Errorf("the application says %d: %d %q %v", status, got.StatusCode, got.body, got.Header)
		}
	}
}

// The log still says what S3 answered.
func TestTheLogKeepsS3sStatus(t *testing.T) {
	r := newRig(t)
	r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
	r.s3.responds(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTemporaryRedirect) })
	r.send("GET /tasks/7/resolve/?fileuri=abc")
	if line := r.logged(1); !strings.Contains(line, `"s3_status":"307"`) || !strings.Contains(line, `"status":502`) {
		t.Errorf("the log says %s", line)
	}
}
