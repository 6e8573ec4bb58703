package e2e_test

import (
	"net/http"
	"strings"
	"testing"
)

// How much Label Studio is asked: whether the task is theirs and names the
// object, whether it is theirs, or nothing. Whatever is asked, role and prefix
// decide; and under each setting one request is tried that the next stricter one
// refuses, so that they differ in what they say they do.
func TestHowMuchLabelStudioIsAsked(t *testing.T) {
	const unnamed = "s3://imaging/radiology/in-no-task.png"
	s := running(t)
	before := visits(t)
	task, studied := readable(before.project("Radiology"), "radiologist")[0], readable(before.project("Research"), "researcher")[0]
	const nowhere = 99999 // looked for among those of the project that they work in, and then by itself
	type tried struct {
		name, target string
		status       int
		code         string // of a refusal
		questions    int
	}
	project := func(uri string) string {
		return strings.Replace(fetchPath(before.project("Radiology").ID, uri), "/tasks/", "/projects/", 1)
	}
	anywhere := []any{map[string]any{"role": before.account("radiologist").Roles[0], "read": []string{"s3://imaging/radiology/"}, "anywhere": true}}
	studio := func(confirm string) map[string]any {
		return s.LabelStudio(map[string]any{"confirm": confirm, "administrators": nil})
	}
	for confirm, all := range map[string][]tried{
		"uri": {
			{"its own object", fetchPath(task.ID, task.URI), 200, "", 1},
			{"another object", fetchPath(task.ID, unnamed), 403, "not_in_task", 0},
			{"for a project", project(task.URI), 403, "project_fetch", 0},
			{"in a task that is none", fetchPath(nowhere, task.URI), 403, "app_not_theirs", 2},
		},
		"permission": {
			{"its own object", fetchPath(task.ID, task.URI), 200, "", 1},
			{"another object", fetchPath(task.ID, unnamed), 200, "", 0},
			{"for a project", project(task.URI), 200, "", 1},
			{"in a task that is none", fetchPath(nowhere, task.URI), 403, "app_not_theirs", 2},
			{"another role's", fetchPath(task.ID, studied.URI), 403, "no_grant", 0},
		},
		"none": {
			{"its own object", fetchPath(task.ID, task.URI), 200, "", 0},
			{"another object", fetchPath(task.ID, unnamed), 200, "", 0},
			{"in a task that is none", fetchPath(nowhere, task.URI), 200, "", 0},
			{"another role's", fetchPath(task.ID, studied.URI), 403, "no_grant", 0},
		},
	} {
		t.Run(confirm, func(t *testing.T) {
			err := s.WithConfig(t.Context(), map[string]any{"grants": anywhere, "label_studio": studio(confirm)}, func() {
				v := visits(t)
				v.signsIn("radiologist")
				for _, one := range all {
					asked, read := questions(t), len(s3Saw(t))
					got := v.asks("GET", v.demo.Public+one.target, nil, asPicture...)
					if one.code != "" {
						v.refusedAs(got, one.code)
					} else {
						v.mustBe(got, one.status)
					}
					if more := questions(t) - asked; more != one.questions {
						t.Errorf("%s: Label Studio was asked %d questions, not %d", one.name, more, one.questions)
					}
					if more := len(s3Saw(t)) - read; (more == 1) != (one.status == http.StatusOK) {
						t.Errorf("%s: S3 was asked %d times", one.name, more)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
