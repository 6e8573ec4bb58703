package e2e_test

import (
	"fmt"
	"maps"
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

// Where a grant holds is what Label Studio says of the task's project, asked as
// the person: its number, and its organization's. Community has no workspaces, so
// there a grant for one never holds.
func TestWhereAGrantHolds(t *testing.T) {
	s := running(t)
	before := visits(t)
	task := readable(before.project("Radiology"), "radiologist")[0]
	here, elsewhere := before.project("Radiology").ID, before.project("Research").ID
	for name, c := range map[string]struct {
		scope map[string]any
		holds bool
	}{
		"the project":                {map[string]any{"projects": []int64{here}}, true},
		"another project":            {map[string]any{"projects": []int64{elsewhere}}, false},
		"its title":                  {map[string]any{"project_titles": []string{"Radiology"}}, true},
		"another title":              {map[string]any{"project_titles": []string{"Research"}}, false},
		"the organization":           {map[string]any{"organizations": []int64{1}}, true},
		"another organization":       {map[string]any{"organizations": []int64{2}}, false},
		"a workspace, where is none": {map[string]any{"workspaces": []int64{1}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			grant := map[string]any{"role": before.account("radiologist").Roles[0], "read": []string{"s3://imaging/radiology/"}}
			maps.Copy(grant, c.scope)
			replaced := map[string]any{"grants": []any{grant}, "label_studio": s.LabelStudio(map[string]any{"administrators": nil})}
			err := s.WithConfig(t.Context(), replaced, func() {
				v := visits(t)
				v.signsIn("radiologist")
				if got := v.fetches(task.ID, task.URI); c.holds {
					v.mustBe(got, http.StatusOK)
				} else {
					v.refusedAs(got, "no_grant_here")
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
