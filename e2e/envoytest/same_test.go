package envoytest_test

import (
	"bytes"
	"strings"
	"testing"
)

// T-HDR-06, T-HDR-07: nothing that a client adds changes what Check is asked:
// not a forwarded header, not a name with an underscore, not a Connection
// header that lists what Check reads.
func TestNothingThatAClientAddsReachesCheck(t *testing.T) {
	r := newRig(t)
	ask := func(more ...string) []byte {
		r.send("GET /tasks/7/resolve/?fileuri=x", append([]string{"Cookie: __Host-rolepass=abc", "Accept: */*", "Sec-Fetch-Site: same-origin"}, more...)...)
		return steady(t, r.check.last())
	}
	want := ask()
	for _, line := range []string{
		"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil.test", "X-Forwarded-Proto: ftp", "X-Forwarded-Uri: /public", "X-Forwarded-Method: HEAD", "X-Forwarded-User: admin", "Forwarded: host=evil.test",
		"X-Real-IP: 6.6.6.6", "X-Original-URL: /static/x", "X-Rewrite-URL: /static/x", "X-HTTP-Method-Override: PUT", "X-Envoy-Original-Path: /static/x", "X-Envoy-External-Address: 6.6.6.6",
		"X-Envoy-Auth-Partial-Body: true", "X-Envoy-Internal: true", "X-Amz-Security-Token: t", "X-Rolepass-Session: s", "User-Agent: kube-probe/1.30", "User-Agent: GoogleHC/1.0",
		"Authorization: Bearer t", "Proxy-Authorization: Basic x", "X-Api-Key: k", "X_Api_Key: k", "Sec_Fetch_Site: none", "X-Request-Id: 00000000-0000-4000-8000-000000000000", "_cookie: a=b", "Cookie_: a=b",
		"Host_: evil.test", "Content-Length: 0", "TE: trailers", "Trailer: cookie", "Keep-Alive: timeout=5", "Via: 1.1 evil", "If-None-Match: x", "Referer: http://evil.test/", "Priority: u=0",
		"Connection: x-forwarded-proto", "Connection: x-request-id", "Connection: keep-alive, x-rolepass-session",
	} {
		if got := ask(line); !bytes.Equal(got, want) {
			t.Errorf("%s changes what Check is asked:\n%s", line, got)
		}
	}
	// What Check reads may be taken away, but Check and the application then
	// see the same.
	for _, name := range []string{"cookie", "accept", "sec-fetch-site"} {
		got := ask("Connection: " + name)
		requests := r.app.requests()
		if judged, seen := bytes.Contains(got, []byte(`"`+name+`"`)), requests[len(requests)-1].Header.Get(name) != ""; judged != seen {
			t.Errorf("Connection: %s: Check sees it is %v, the application %v", name, judged, seen)
		}
	}
	if !strings.Contains(string(want), "fileuri=x") {
		t.Errorf("Check was asked %s", want)
	}
}

// T-CFG-03, T-CFG-04: of the Envoy that runs, not of a file, lint finds
// nothing.
func TestTheRunningEnvoyKeepsTheContract(t *testing.T) {
	ours := newAuthority(t)
	cert, key := ours.issue(t, t.TempDir(), "edge", publicHost)
	for name, change := range map[string]func(*rig){
		"plain":              func(*rig) {},
		"over TLS":           func(r *rig) { r.settings.CertFile, r.settings.KeyFile, r.settings.PublicScheme = cert, key, "https" },
		"behind a proxy":     func(r *rig) { r.settings.TrustedHops = 1 },
		"browser's own keys": func(r *rig) { r.settings.KeepCredentials = true },
	} {
		if codes := newRig(t, change).lint(); len(codes) != 0 {
			t.Errorf("%s: lint finds %v", name, codes)
		}
	}
}
