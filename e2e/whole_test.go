package e2e_test

import (
	"net/http"
	"strings"
	"testing"
)

// This file is the last of the package, so that its test looks back on all
// others.

// Nothing that any of these stories did made Label Studio serve an object.
func TestLabelStudioSawNoDataFetch(t *testing.T) {
	v := visits(t)
	v.signsIn("both")
	task := readable(v.project("Radiology"), "both")[0]
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
	v.mustBe(v.asks("GET", v.demo.Public+"/projects/", nil, asPage...), http.StatusOK)
	fromBrowsers := 0
	for _, request := range appSaw(t) {
		if !request.FromEnvoy || request.UserAgent == corpusAgent || request.UserAgent == shadowAgent { // the corpus has its own judge
			continue
		}
		fromBrowsers++
		if strings.Contains(request.Target, "resolve/") || strings.Contains(request.Target, "presign") || strings.Contains(request.Target, "fileuri") {
			t.Errorf("Label Studio saw %s %s", request.Method, strings.SplitN(request.Target, "?", 2)[0])
		}
	}
	if fromBrowsers == 0 {
		t.Error("no request of a browser is in the record: it proves nothing")
	}
}
