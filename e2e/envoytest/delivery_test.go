package envoytest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
)

// signedByHeaders streams with a signature that stands in headers.
func signedByHeaders(host, path string) *auth.CheckResponse {
	out := stream(host, path)
	ok := out.GetOkResponse()
	ok.Headers = append(ok.Headers, set("authorization", "AWS4-HMAC-SHA256 Credential=x"), set("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
		set("x-amz-date", "20270115T080000Z"), set("x-amz-security-token", "t"))
	ok.HeadersToRemove = slices.DeleteFunc(ok.HeadersToRemove, func(name string) bool { return name == "authorization" })
	return out
}

var asClient = []string{
	"User-Agent: Mozilla/5.0", "Range: bytes=0-", "Authorization: AWS4-HMAC-SHA256 mine", "X-Amz-Date: 1", "X-Amz-Security-Token: mine", "X-Amz-Acl: public-read",
	"X-Amz: 1", "X-Am: 1", "X-A: 1", "X-Amy: 1", "X-: 1", "X-Anything: 1", "X-Forwarded-For: 1.1.1.1", "X-Api-Key: k", "Sec-Fetch-Dest: image", "Cookie: sessionid=secret", "Origin: http://label.test",
}

// A signature in headers reaches S3 as Check wrote it, and of a client's own
// headers nothing that could be a part of one.
func TestASignatureInHeaders(t *testing.T) {
	r := newRig(t, func(r *rig) { r.settings.S3SignedHeaders = true })
	r.check.answers(signedByHeaders(r.s3.host(), "/imaging/a%20b"))
	if got := r.send("GET /tasks/7/resolve/?fileuri=abc", asClient...); got.StatusCode != http.StatusOK {
		t.Fatalf("the answer is %s", got.Status)
	}
	seen := r.s3.only(t)
	var names []string
	for name, values := range seen.Header {
		names = append(names, name)
		if len(values) != 1 || strings.Contains(values[0], "mine") {
			t.Errorf("S3 saw %s: %q", name, values)
		}
	}
	slices.Sort(names)
	if want := []string{"Authorization", "Range", "User-Agent", "X-Amz-Content-Sha256", "X-Amz-Date", "X-Amz-Security-Token"}; !slices.Equal(names, want) {
		t.Errorf("S3 saw %v, want %v", names, want)
	}
	if seen.RequestURI != "/imaging/a%20b" || len(r.app.requests()) != 0 {
		t.Errorf("S3 was asked for %s, the application %d times", seen.RequestURI, len(r.app.requests()))
	}
	if log := r.logged(1); strings.Contains(log, "AWS4-HMAC") || strings.Contains(log, "imaging") {
		t.Errorf("the access log has %s", log)
	}
	// The same, where the route to S3 is lost: never the application.
	r.check.answers(signedByHeaders("elsewhere.test", "/imaging/a"))
	if got := r.send("GET /tasks/7/resolve/?fileuri=abc"); got.StatusCode != http.StatusInternalServerError || len(r.app.requests()) != 0 {
		t.Errorf("without a route: %s", got.Status)
	}
}

// An Envoy that was set up for signatures by query takes none by headers.
func TestASignatureInHeadersNeedsItsSetting(t *testing.T) {
	r := newRig(t)
	r.check.answers(signedByHeaders(r.s3.host(), "/imaging/a"))
	if got := r.send("GET /tasks/7/resolve/?fileuri=abc"); got.StatusCode < 500 {
		t.Errorf("the answer is %s", got.Status)
	}
	r.untouched()
}

// The header for locations is Check's alone: a client's never arrives, in no
// spelling, whether Check sets one or not.
func TestTheHeaderForLocationsCannotBeForged(t *testing.T) {
	for _, name := range []string{"x-rolepass-location", "x-where"} {
		r := newRig(t, func(r *rig) { r.settings.LocationHeader = name })
		forged := []string{name + ": https://evil.test/", strings.ToUpper(name) + ": https://evil.test/", strings.ReplaceAll(name, "-", "_") + ": https://evil.test/"}
		r.send("GET /files/a", forged...)
		if got := r.app.only(t).Header.Values(name); len(got) != 0 {
			t.Errorf("the application was told %q", got)
		}
		told := pass()
		told.GetOkResponse().Headers = append(told.GetOkResponse().Headers, set(name, "https://s3.test/imaging/a?X-Amz-Signature=00"))
		r.check.answers(told)
		r.send("GET /files/a", forged...)
		last := r.app.requests()[1]
		if got := last.Header.Values(name); len(got) != 1 || got[0] != "https://s3.test/imaging/a?X-Amz-Signature=00" || last.RequestURI != "/files/a" {
			t.Errorf("%s: the application was told %q", last.RequestURI, got)
		}
		for header, values := range last.Header {
			if strings.Contains(strings.Join(values, ""), "evil") {
				t.Errorf("the application saw %s: %q", header, values)
			}
		}
		if log := r.logged(2); strings.Contains(log, "Signature") {
			t.Errorf("the access log has %s", log)
		}
	}
}
