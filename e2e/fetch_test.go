package e2e_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/e2e/stack"
)

// readable gives the tasks of a project that an account may read.
func readable(p stack.Project, account string) []stack.Task {
	var tasks []stack.Task
	for _, task := range p.Tasks {
		if slices.Contains(task.May, account) {
			tasks = append(tasks, task)
		}
	}
	return tasks
}

func TestSignInAndFetchOnePicture(t *testing.T) {
	v := visits(t)
	v.signsIn("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[0]
	got := v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
	if want := running(t).Object(task.URI); !bytes.Equal(got.body, want) {
		t.Errorf("%d bytes arrived, the object has %d", len(got.body), len(want))
	}
	for name, want := range map[string]string{
		"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'",
		"Cross-Origin-Resource-Policy": "same-origin", "Content-Type": "image/png",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want)
		}
	}
	for name := range got.Header {
		if strings.HasPrefix(name, "X-Amz") || name == "Server" || name == "Location" {
			t.Errorf("%s of S3 reaches the browser", name)
		}
	}
}

// Every object of the demo, whatever its key looks like, arrives byte for byte
// for whom it is meant, and for nobody else.
func TestEveryObjectForEveryAccount(t *testing.T) {
	for _, name := range []string{"radiologist", "researcher", "contractor", "both"} {
		t.Run(name, func(t *testing.T) {
			v := visits(t)
			if name == "contractor" {
				contractorCannotEnter(t, v)
				return
			}
			v.signsIn(name)
			for _, project := range v.demo.Projects {
				for _, task := range project.Tasks {
					got := v.fetches(task.ID, task.URI)
					if !slices.Contains(task.May, name) {
						if got.StatusCode != http.StatusForbidden {
							t.Errorf("%s: %s for %s", task.URI, got.Status, name)
						}
						continue
					}
					if got.StatusCode != http.StatusOK || !bytes.Equal(got.body, running(t).Object(task.URI)) {
						t.Errorf("%s: %s, %d bytes", task.URI, got.Status, len(got.body))
					}
				}
			}
		})
	}
}

// The contractor's only role is one that no grant names.
func contractorCannotEnter(t *testing.T, v *visitor) {
	back := v.sends(v.proves(v.opens(v.demo.Public+"/"), "contractor"), "cross-site")
	if back.StatusCode != http.StatusForbidden || !strings.Contains(string(back.body), "Your roles do not open this") {
		t.Errorf("the contractor gets %s: %.300s", back.Status, back.body)
	}
	task := v.project("Radiology").Tasks[0]
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusUnauthorized)
}

func TestPartsOfAnObjectAndWhatABrowserKeeps(t *testing.T) {
	v := visits(t)
	v.signsIn("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[0]
	whole := v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)

	part := v.mustBe(v.fetches(task.ID, task.URI, "Range: bytes=10-19"), http.StatusPartialContent)
	if !bytes.Equal(part.body, whole.body[10:20]) || !strings.HasPrefix(part.Header.Get("Content-Range"), "bytes 10-19/") {
		t.Errorf("a part is %q of %s", part.body, part.Header.Get("Content-Range"))
	}
	last := v.mustBe(v.fetches(task.ID, task.URI, "Range: bytes=-5"), http.StatusPartialContent)
	if !bytes.Equal(last.body, whole.body[len(whole.body)-5:]) {
		t.Errorf("the last five bytes are %q", last.body)
	}
	kept := v.mustBe(v.fetches(task.ID, task.URI, "If-None-Match: "+whole.Header.Get("ETag")), http.StatusNotModified)
	if len(kept.body) != 0 || kept.Header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("an object that did not change: %v, %d bytes", kept.Header, len(kept.body))
	}
	head := v.mustBe(v.asks("HEAD", v.fetching(task.ID, task.URI), nil, asPicture...), http.StatusOK)
	if len(head.body) != 0 || head.ContentLength != int64(len(whole.body)) {
		t.Errorf("HEAD tells of %d bytes", head.ContentLength)
	}
}

// What the right bucket holds and no task names is refused, and so is a bucket
// that the configuration does not have.
func TestWhatStandsInNoTaskIsRefused(t *testing.T) {
	v := visits(t)
	v.signsIn("both")
	task := v.project("Radiology").Tasks[0]
	if len(v.demo.Outside) < 2 {
		t.Fatalf("the demo names %d objects outside", len(v.demo.Outside))
	}
	for _, uri := range v.demo.Outside {
		if running(t).Object(uri) == nil {
			t.Errorf("%s is not there at all", uri)
		}
		v.mustBe(v.fetches(task.ID, uri), http.StatusForbidden)
	}
}

func TestASessionIsNeeded(t *testing.T) {
	v := visits(t)
	task := v.project("Radiology").Tasks[0]
	address := v.fetching(task.ID, task.URI)
	picture := v.mustBe(v.asks("GET", address, nil, asPicture...), http.StatusUnauthorized)
	if !strings.Contains(string(picture.body), v.demo.Public+"/rolepass/login") {
		t.Errorf("a program is not told where to sign in: %s", picture.body)
	}
	page := v.mustBe(v.asks("GET", address, nil, asPage...), http.StatusSeeOther)
	if to := page.Header.Get("Location"); !strings.HasPrefix(to, v.demo.IdP+"/") {
		t.Errorf("a person is led to %s, not to the IdP", to)
	}
}

// Whatever could be read as a data fetch and is not written as one reaches
// neither S3 nor Label Studio.
func TestOddSpellingsOfAFetchAreRefused(t *testing.T) {
	v := visits(t)
	v.signsIn("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[0]
	good := fetchPath(task.ID, task.URI)
	path, query, _ := strings.Cut(good, "?")
	app, s3 := len(appSaw(t)), len(s3Saw(t))
	for _, target := range []string{
		"/" + good,
		"/static/.." + good,
		"/static/..%2f" + good[1:],
		"/static/%2e%2e" + good,
		strings.Replace(path, "resolve", "%72esolve", 1) + "?" + query,
		strings.Replace(path, "/tasks/", "/tasks%2F", 1) + "?" + query,
		strings.Replace(path, "/tasks/", "/tasks//", 1) + "?" + query,
		strings.Replace(path, "/tasks/", "/tasks/./", 1) + "?" + query,
		strings.Replace(path, "/tasks/", `/tasks\`, 1) + "?" + query,
		strings.Replace(path, "/tasks/", "/tasks/0", 1) + "?" + query,
		path + ";x?" + query,
		path,
		path + "?fileuri=",
		path + "?fileuri=czM6Ly8",
		path + "?fileuri=" + "aHR0cDovLzE2OS4yNTQuMTY5LjI1NC8=",
		good + "&fileuri=czM6Ly9hL2I=",
		good + "%00",
		good + "=",
	} {
		got := v.raw("GET", target, asPicture...)
		if got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", target, got.Status)
		}
	}
	if more := len(appSaw(t)) - app; more != 0 {
		t.Errorf("Label Studio saw %d requests", more)
	}
	if more := len(s3Saw(t)) - s3; more != 0 {
		t.Errorf("S3 saw %d requests", more)
	}
}
