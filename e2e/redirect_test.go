package e2e_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/e2e/stack"
)

var redirecting = beside((*stack.Stack).Redirecting)

// follows asks the store as a browser does that was sent there: without the
// application's cookies.
func follows(t *testing.T, location string, headers ...string) answer {
	t.Helper()
	return visits(t).asks("GET", location, nil, headers...)
}

// A picture comes from the store itself, for as long as its location is good,
// and as what its name says; whatever of that is changed on the way is no longer
// signed.
func TestARedirectLeadsToTheObject(t *testing.T) {
	v, _ := visitsBeside(t, redirecting)
	v.signsIn("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[0]
	sent := v.mustBe(v.fetches(task.ID, task.URI), http.StatusSeeOther)
	if len(sent.body) != 0 || sent.Header.Get("Cache-Control") != "no-store" || sent.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the redirect is %v with %d bytes", sent.Header, len(sent.body))
	}
	location := v.next(sent)
	got := v.mustBe(follows(t, location, "Origin: "+v.demo.Public), http.StatusOK)
	if !bytes.Equal(got.body, running(t).Object(task.URI)) {
		t.Errorf("%d bytes arrived", len(got.body))
	}
	for name, want := range map[string]string{"Cache-Control": "private, no-store, max-age=0", "Content-Type": "image/png", "Access-Control-Allow-Origin": v.demo.Public} {
		if got.Header.Get(name) != want {
			t.Errorf("the store says %s %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if foreign := follows(t, location, "Origin: "+running(t).Demo.Public); foreign.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the store lets pages of another origin read")
	}
	for old, changed := range map[string]string{"image%2Fpng": "text%2Fhtml", "max-age%3D0": "max-age%3D9", "/imaging/radiology/": "/imaging/intake/"} {
		if !strings.Contains(location, old) {
			t.Fatalf("the location has no %s", old)
		}
		v.mustBe(follows(t, strings.Replace(location, old, changed, 1)), http.StatusForbidden)
	}
	if refused := v.fetches(task.ID, v.demo.Outside[0]); refused.StatusCode != http.StatusForbidden || refused.Header.Get("Location") != "" {
		t.Errorf("what is not theirs: %s", refused.Status)
	}
}

// Parts of objects, and what a browser could run, come by route all the same:
// there Envoy's request is signed by headers.
func TestWhatIsNotRedirected(t *testing.T) {
	v, _ := visitsBeside(t, redirecting)
	v.signsIn("both")
	before := len(s3Saw(t))
	film := v.project("Ultrasound").Tasks[0]
	part := v.mustBe(v.fetches(film.ID, film.URI, "Range: bytes=0-9"), http.StatusPartialContent)
	last := v.mustBe(v.fetches(film.ID, film.URI, "Range: bytes=-5"), http.StatusPartialContent)
	if whole := running(t).Object(film.URI); !bytes.Equal(part.body, whole[:10]) || !bytes.Equal(last.body, whole[len(whole)-5:]) {
		t.Errorf("the parts are %q and %q", part.body, last.body)
	}
	note := v.project("Notes").Tasks[0]
	text := v.mustBe(v.fetches(note.ID, note.URI), http.StatusOK)
	if !bytes.Equal(text.body, running(t).Object(note.URI)) || text.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the note is %d bytes, %v", len(text.body), text.Header)
	}
	for _, task := range v.project("Attachments").Tasks {
		if got := v.fetches(task.ID, task.URI); got.StatusCode != http.StatusOK && !strings.HasSuffix(task.URI, ".svg") {
			t.Errorf("%s: %s", task.URI, got.Status)
		}
	}
	streamed := s3Saw(t)[before:]
	if len(streamed) < 3 {
		t.Fatalf("S3 saw %d requests", len(streamed))
	}
	for _, request := range streamed {
		if request.Auth != "header" || request.Status >= 400 {
			t.Errorf("S3 was asked with a signature by %s: %d", request.Auth, request.Status)
		}
	}
}
