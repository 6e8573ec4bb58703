package envoytest_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// T-HDR-05, T-EXT-01: every request is judged, whatever its host; only ours has upstreams.
func TestOtherHostsEndInEnvoy(t *testing.T) {
	r := newRig(t)
	for _, host := range []string{
		"evil.test", "label.test.evil.test", "evil-label.test", "label.test.", "label.test:8443", "label.test:080", "127.0.0.1", "localhost",
		"xn--lbel-loa.test", "label.test@evil.test", r.s3.host(), r.app.host(),
	} {
		before := r.check.count()
		got := r.raw("GET /projects HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
		if got.StatusCode != 421 && got.StatusCode != 400 {
			t.Errorf("Host %s: %d, want 421", host, got.StatusCode)
		}
		if got.StatusCode == 421 && r.check.count() == before {
			t.Errorf("Host %s: Check was not asked", host)
		}
	}
	if got := r.raw("GET http://evil.test/projects HTTP/1.1\r\nHost: label.test\r\nConnection: close\r\n\r\n"); got.StatusCode != 421 {
		t.Errorf("absolute form with another host: %d, want 421", got.StatusCode)
	}
	r.untouched()
	for _, host := range []string{"label.test", "label.test:80", "LABEL.Test"} {
		if got := r.raw("GET /projects HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"); got.StatusCode != 200 {
			t.Errorf("Host %s: %d, want 200", host, got.StatusCode)
		}
	}
}

// T-PATH-02: what Check judges is what the application gets, byte for byte. So Check
// must refuse what the application might read in another way.
func TestCheckAndApplicationSeeTheSamePath(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{
		"/", "/a//b", "//a/b", "/a/./b", "/a/../b", "/..", "/../x", "/a/%2e%2e/b", "/a/%2E/b", "/%74asks/7/resolve/", "/a;b=c", "/a%3Bb", "/a%3Fb", "/a%23b",
		"/a%25b", "/a%252Fb", "/a%00b", "/a?", "/a?b=c%2Fd&b=%5C", "/a?x=//y/../z", "/a:b@c", "/a'b(c)*!$,~", "/%C3%A4", "/a|b^c`d", "/a\"b<c>d", "/a{b}", "/a\\b",
	} {
		before := len(r.app.requests())
		got := r.send("GET " + target)
		judged := r.check.last().GetAttributes().GetRequest().GetHttp().GetPath()
		if seen := uris(r.app.requests()[before:]); got.StatusCode != 200 || judged != target || !slices.Equal(seen, []string{"GET " + target}) {
			t.Errorf("%s: %d, Check judged %s, the application got %v", target, got.StatusCode, judged, seen)
		}
	}
	// Go's own server refuses these; Python's do not.
	for _, target := range []string{"/a%", "/a%b", "/a%zz"} {
		r.send("GET " + target)
		if judged := r.check.last().GetAttributes().GetRequest().GetHttp().GetPath(); judged != target {
			t.Errorf("%s: Check judged %s", target, judged)
		}
	}
}

// T-PATH-03.
func TestEscapedSlashesAndFragmentsAreRefused(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{
		"/a%2Fb", "/a%2fb", "/a%5Cb", "/a%5cb", "/tasks%2F7/resolve/?fileuri=x", "/%2e%2e%2f", "/a#b", "/tasks/7/resolve/?fileuri=x#y",
		"/a\x80b", "/a\xffb", "/a\tb", "/a\x7fb", "/?a b",
	} {
		if got := r.send("GET " + target); got.StatusCode != 400 {
			t.Errorf("%q: %d, want 400", target, got.StatusCode)
		}
	}
	if n := r.check.count(); n != 0 {
		t.Errorf("Check was asked %d times about what Envoy refuses", n)
	}
	r.untouched()
}

// T-EXT-01, T-EXT-04: requests without an ordinary path have no route, and without a route Envoy
// asks no Check: they must end in Envoy.
func TestUnroutableRequestsEndInEnvoy(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name, request string
		status        int
	}{
		{"CONNECT", "CONNECT label.test:80 HTTP/1.1\r\nHost: label.test:80\r\n\r\n", 404},
		{"CONNECT to S3", "CONNECT " + r.s3.host() + " HTTP/1.1\r\nHost: " + r.s3.host() + "\r\n\r\n", 404},
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: label.test\r\nConnection: close\r\n\r\n", 404},
		{"GET *", "GET * HTTP/1.1\r\nHost: label.test\r\nConnection: close\r\n\r\n", 400},
		{"no slash", "GET projects HTTP/1.1\r\nHost: label.test\r\nConnection: close\r\n\r\n", 400},
		{"no Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400},
		{"empty Host", "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", 421},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: label.test\r\nHost: evil.test\r\nConnection: close\r\n\r\n", 421},
		{"HTTP/1.0", "GET / HTTP/1.0\r\nHost: label.test\r\n\r\n", 426},
		{"HTTP/0.9", "GET /\r\n\r\n", 426},
		{"websocket", "GET / HTTP/1.1\r\nHost: label.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", 403},
		{"length and chunks", "POST / HTTP/1.1\r\nHost: label.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"two lengths", "POST / HTTP/1.1\r\nHost: label.test\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400},
		{"NUL in a header", "GET / HTTP/1.1\r\nHost: label.test\r\nCookie: a\x00b\r\n\r\n", 400},
		{"101 headers", "GET / HTTP/1.1\r\nHost: label.test\r\n" + strings.Repeat("A: b\r\n", 101) + "\r\n", 431},
		{"100 KiB of headers", "GET / HTTP/1.1\r\nHost: label.test\r\nA: " + strings.Repeat("b", 100<<10) + "\r\n\r\n", 431},
	} {
		if got := r.raw(c.request); got.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, got.StatusCode, c.status)
		}
	}
	r.untouched()
}

// T-EXT-03: header bytes beyond ASCII must not turn into an unjudged request
// (CVE-2023-27488).
func TestBytesBeyondUTF8AreJudged(t *testing.T) {
	r := newRig(t)
	r.check.answers(refuse(403, "no"))
	for b := 0x80; b <= 0xff; b++ {
		if got := r.send("GET /projects", "Cookie: a="+string([]byte{byte(b)})); got.StatusCode != 403 || got.body != "no" {
			t.Errorf("byte %#x in a header: %d, want the refusal", b, got.StatusCode)
		}
		if got := r.status("GET /" + string([]byte{byte(b)}) + " HTTP/1.1\r\nHost: label.test\r\nConnection: close\r\n\r\n"); got != 400 {
			t.Errorf("byte %#x in the path: %d, want 400", b, got)
		}
	}
	r.check.answers(pass())
	var together sync.WaitGroup
	for b := 0x80; b <= 0xff; b++ {
		together.Go(func() {
			if got := r.http2(":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "/"+string([]byte{byte(b)})); got != "400" && got != "reset" {
				t.Errorf("byte %#x in the path of HTTP/2: %s, want 400", b, got)
			}
		})
	}
	together.Wait()
	r.untouched()
	got := r.send("GET /projects", "Cookie: a=\xff\xfe\x80", "Accept: \xc3\x28")
	if got.StatusCode != 200 {
		t.Fatalf("%d", got.StatusCode)
	}
	want := map[string]string{"cookie": "a=\xff\xfe\x80", "accept": "\xc3\x28"}
	for _, h := range r.check.last().GetAttributes().GetRequest().GetHttp().GetHeaderMap().GetHeaders() {
		if value, ok := want[h.Key]; ok && value == string(h.RawValue) {
			delete(want, h.Key)
		}
	}
	if len(want) != 0 {
		t.Errorf("Check did not see %q", want)
	}
}

// Envoy's admin address offers nothing that changes what Envoy does or logs.
func TestAdminIsReadOnly(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/logging?level=debug", "/quitquitquit", "/runtime_modify?a=b", "/cpuprofiler?enable=y", "/tap", "/reset_counters", "/heap_dump"} {
		if got := r.adminPost(path); got != 403 {
			t.Errorf("%s: %d, want 403", path, got)
		}
	}
	if got := r.adminGet("/ready"); !strings.Contains(got, "LIVE") {
		t.Errorf("/ready: %q", got)
	}
}

func uris(requests []*http.Request) (out []string) {
	for _, request := range requests {
		out = append(out, request.Method+" "+request.RequestURI)
	}
	return out
}
