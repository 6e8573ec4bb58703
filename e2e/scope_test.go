package e2e_test

import (
	"fmt"
	"net/http"
	"testing"
)

// The radiologists' grant holds in two projects, one of them named by its
// title. In Label Studio Community that is no boundary: any member writes tasks
// into any project, and so into these. Role and prefix stay one.
func TestScopeIsNoBoundaryInCommunity(t *testing.T) {
	m := visits(t).asMember("radiologist")
	uri := "s3://imaging/radiology/in-no-task.png"
	writes := func(project string) (task int64) {
		return made(t, m.through("POST", "/api/tasks/", asJSON, spelled(t, map[string]any{"project": m.project(project).ID, "data": map[string]any{"image": uri, "video": uri}})))
	}
	removes := func(task int64) { m.directly("DELETE", fmt.Sprintf("/api/tasks/%d/", task), asJSON, "") }
	ultrasound := readable(m.project("Ultrasound"), "radiologist")[0]
	m.mustBe(m.fetches(ultrasound.ID, ultrasound.URI), http.StatusOK)

	elsewhere := writes("Research")
	defer removes(elsewhere)
	m.refusedAs(m.fetches(elsewhere, uri), "no_grant_here")
	inside := writes("Radiology")
	defer removes(inside)
	m.mustBe(m.fetches(inside, uri), http.StatusOK) // what scope cannot do

	other := visits(t)
	other.signsIn("researcher")
	other.refusedAs(other.fetches(inside, uri), "no_grant")
}
