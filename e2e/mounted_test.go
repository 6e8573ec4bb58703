package e2e_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/e2e/stack"
)

var mounted = beside((*stack.Stack).Mounted)

// Below a path Label Studio is the same, through Envoy, Rolepass and S3; it sees
// its own paths, and nothing of it is anywhere else.
func TestLabelStudioBelowAPathThroughEverything(t *testing.T) {
	v, b := visitsBeside(t, mounted)
	v.demo.Public = b.Public + stack.MountPath
	back := v.signsIn("radiologist")
	if to := v.next(back); !strings.HasPrefix(to, v.demo.Public) {
		t.Errorf("the login leads to %s", to)
	}
	task := readable(v.project("Radiology"), "radiologist")[0]
	got := v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
	if !bytes.Equal(got.body, running(t).Object(task.URI)) {
		t.Errorf("%d bytes arrived", len(got.body))
	}
	v.mustBe(v.fetches(task.ID, v.demo.Outside[0]), http.StatusForbidden)
	before := len(appSaw(t))
	v.mustBe(v.asks("GET", v.demo.Public+"/api/projects/", nil, asScript...), http.StatusOK)
	if seen := appSaw(t)[before:]; len(seen) != 1 || seen[0].Target != "/api/projects/" {
		t.Errorf("Label Studio saw %+v", seen)
	}
	before, s3 := len(appSaw(t)), len(s3Saw(t))
	for _, elsewhere := range []string{"/api/projects/", fetchPath(task.ID, task.URI), "/Label/api/projects/", "/label%2fapi/projects/", "/labels/api/projects/", "//label/api/projects/"} {
		if got := v.raw("GET", elsewhere, asScript...); got.StatusCode < 400 {
			t.Errorf("%s is answered %s", elsewhere, got.Status)
		}
	}
	if app, objects := appSaw(t)[before:], len(s3Saw(t))-s3; len(app)+objects != 0 {
		t.Errorf("%+v reached Label Studio, %d requests S3", app, objects)
	}
}
