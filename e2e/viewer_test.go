package e2e_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/rolepass/rolepass/e2e/demo/viewer"
	"github.com/rolepass/rolepass/e2e/stack"
)

var view = beside((*stack.Stack).View)

// beside starts an application beside Label Studio's once, for whichever test is
// first.
func beside(starts func(*stack.Stack, context.Context) (*stack.Beside, error)) func() (*stack.Beside, error) {
	return sync.OnceValues(func() (*stack.Beside, error) {
		s, err := start()
		if err != nil {
			return nil, err
		}
		ctx, cancel := startContext()
		defer cancel()
		return starts(s, ctx)
	})
}

// visitsBeside gives a new visitor of an application beside Label Studio's.
func visitsBeside(t *testing.T, started func() (*stack.Beside, error)) (*visitor, *stack.Beside) {
	t.Helper()
	v := visits(t)
	b, err := started()
	if err != nil {
		t.Fatal(err)
	}
	v.demo.Public, v.demo.Logs = b.Public, map[string]string{"audit": b.Audit}
	return v, b
}

const chestPicture = "radiology/red lung+1.png"

// An application that knows nothing of people and has no key shows each person
// what their role allows: told where an object is, or with Envoy streaming it in
// its place.
func TestAnotherApplicationShowsWhatARoleAllows(t *testing.T) {
	v, b := visitsBeside(t, view)
	v.mustBe(v.asks("GET", b.Public+viewer.Address(chestPicture), nil, asPicture...), http.StatusUnauthorized)
	v.signsIn("radiologist")

	told := v.mustBe(v.asks("GET", b.Public+viewer.Address(chestPicture), nil, with(asPicture, "X-Rolepass-Location: http://127.0.0.1:1/mine", "X_Rolepass_Location: http://127.0.0.1:1/mine")...), http.StatusOK)
	if !bytes.Equal(told.body, running(t).Object("s3://imaging/"+chestPicture)) {
		t.Errorf("%d bytes arrived by way of the application", len(told.body))
	}
	seen := b.Viewer.Seen()
	last := seen[len(seen)-1]
	if locations := last.Header.Values(viewer.Header); len(locations) != 1 || !strings.HasPrefix(locations[0], v.demo.S3+"/imaging/radiology/red%20lung%2B1.png?X-Amz-") {
		t.Errorf("the application was told %d places", len(locations))
	}
	for _, name := range []string{"Authorization", "X-Api-Key"} {
		if last.Header.Get(name) != "" {
			t.Errorf("the application saw %s", name)
		}
	}
	if cookies := last.Header.Get("Cookie"); strings.Contains(cookies, "rolepass") {
		t.Error("the application saw Rolepass's cookie")
	}
	v.mustBe(v.asks("GET", b.Public+viewer.Address("anonymised/study-7/case-00.png"), nil, asPicture...), http.StatusForbidden)

	before := len(b.Viewer.Seen())
	w, _ := visitsBeside(t, view)
	w.signsIn("researcher")
	for path, uri := range map[string]string{
		viewer.Address("anonymised/study-7/case-00.png"): "s3://imaging/anonymised/study-7/case-00.png",
		"/studies/study-7/notes/note-1":                  "s3://notes/study-7/note-1.txt",
	} {
		streamed := w.mustBe(w.asks("GET", b.Public+path, nil, asPicture...), http.StatusOK)
		if !bytes.Equal(streamed.body, running(t).Object(uri)) || streamed.Header.Get("Content-Security-Policy") != "sandbox; default-src 'none'" {
			t.Errorf("%s: %d bytes, %v", path, len(streamed.body), streamed.Header)
		}
	}
	w.mustBe(w.asks("GET", b.Public+viewer.Address(chestPicture), nil, asPicture...), http.StatusForbidden)
	for _, request := range b.Viewer.Seen()[before:] {
		if strings.HasPrefix(request.URL.Path, "/files/") || strings.HasPrefix(request.URL.Path, "/studies/") {
			t.Errorf("the application was asked for %s", request.URL.Path)
		}
	}
}

// Whatever some server could read as one of the application's objects, and is
// not written as one, reaches neither the application nor the store; and what
// is none of them passes without a location, whatever a client sends along.
func TestOddSpellingsOfAnotherApplicationsObjects(t *testing.T) {
	v, b := visitsBeside(t, view)
	v.signsIn("radiologist")
	app, s3 := len(b.Viewer.Seen()), len(s3Saw(t))
	for _, target := range []string{
		"//files/radiology/2026/chest-000.png", "/files//radiology/2026/chest-000.png", "/./files/radiology/2026/chest-000.png", "/x/../files/radiology/2026/chest-000.png",
		"/%66iles/radiology/2026/chest-000.png", "/FILES/radiology/2026/chest-000.png", "/files/radiology/2026/../2026/chest-000.png", "/files/radiology%2F2026/chest-000.png",
		"/files/radiology/2026/chest%2D000.png", "/files/radiology/2026/chest-000.png?", "/files/radiology/2026/chest-000.png?v=1", "/files/radiology/2026/chest-000.png;v=1",
		`/files\radiology/2026/chest-000.png`, "/files/radiology/2026/%2e%2e/2026/chest-000.png", "/files;x/radiology/2026/chest-000.png",
	} {
		if got := v.raw("GET", target, asPicture...); got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", target, got.Status)
		}
	}
	if more := len(b.Viewer.Seen()) - app; more != 0 {
		t.Errorf("the application saw %d requests", more)
	}
	if more := len(s3Saw(t)) - s3; more != 0 {
		t.Errorf("S3 saw %d requests", more)
	}
	v.mustBe(v.asks("GET", b.Public+"/", nil, with(asPage, "X-Rolepass-Location: http://127.0.0.1:1/mine")...), http.StatusOK)
	seen := b.Viewer.Seen()
	if told := seen[len(seen)-1].Header.Values(viewer.Header); len(told) != 0 {
		t.Errorf("the application was told %q", told)
	}
}

// The viewer in a browser: its page shows what the person may see, and the rest
// stays empty. What it was told stands in nobody's log.
func TestAnotherApplicationInABrowser(t *testing.T) {
	_, b := visitsBeside(t, view)
	c := opensChromium(t)
	c.demo.Public = b.Public
	c.entersAs("radiologist")
	c.until(`document.title === "Viewer" && document.images.length > 4 && [...document.images].every(i => i.complete)`)
	c.picture("shows")
	if !c.asks(`[...document.images].every(i => (i.naturalWidth > 0) === decodeURIComponent(i.src).includes("/files/radiology/"))`) {
		t.Error("not exactly the radiologists' pictures show")
	}
	c.runs(chromedp.Navigate(b.Public + "/rolepass/logout"))
	c.until(`document.body.innerText.includes("You are signed out")`)
	for _, log := range []string{b.Access, b.Audit, b.Said} {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("X-Amz-")) || bytes.Contains(text, []byte("chest-")) {
			t.Errorf("%s has a signed location or a key", log)
		}
	}
}
