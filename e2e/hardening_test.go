package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// owner is user 1 of Label Studio, who has set everything up.
const owner = 1

// newProject makes a project with a storage under Label Studio's own key, as
// its owner and past Rolepass.
func newProject(t *testing.T, bucket string, more map[string]any) (project, storage int64) {
	t.Helper()
	project = made(t, past(t, owner, "POST", "/api/projects/", asJSON, spelled(t, map[string]any{"title": "Hardened", "label_config": `<View><Text name="text" value="$text"/></View>`})))
	with := running(t).Storage(project, bucket)
	for name, value := range more {
		with[name] = value
	}
	return project, made(t, past(t, owner, "POST", "/api/storages/s3/", asJSON, spelled(t, with)))
}

// The policy that docs/hardening.md prints is all that Label Studio's key has,
// and it is enough to add storages and to synchronise them.
func TestLabelStudiosOwnKeyListsAndReadsTasks(t *testing.T) {
	for name, c := range map[string]struct {
		bucket string
		with   map[string]any
		tasks  int
		says   string
	}{
		"objects as tasks": {"imaging", map[string]any{"prefix": "anonymised/study-7", "regex_filter": `.*\.png`}, 12, "s3://imaging/anonymised/study-7/case-00.png"},
		"tasks as JSON":    {"notes", map[string]any{"prefix": "tasks", "use_blob_urls": false}, 1, "s3://notes/study-7/note-0.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			project, storage := newProject(t, c.bucket, c.with)
			synced := past(t, owner, "POST", fmt.Sprintf("/api/storages/s3/%d/sync", storage), asJSON, "{}")
			if synced.StatusCode != http.StatusOK || !strings.Contains(string(synced.body), `"status":"completed"`) {
				t.Fatalf("synchronising: %s %.500s", synced.Status, synced.body)
			}
			var there struct {
				Total int
				Tasks []struct{ Data json.RawMessage }
			}
			listed := past(t, owner, "GET", fmt.Sprintf("/api/tasks/?project=%d&resolve_uri=false", project), asJSON, "")
			if err := json.Unmarshal(listed.body, &there); err != nil || there.Total != c.tasks || !strings.Contains(string(listed.body), c.says) {
				t.Errorf("%d tasks (%v): %.300s", there.Total, err, listed.body)
			}
		})
	}
}

// Label Studio's own way to an object ends at S3, in both of its modes; under
// the person's role the same object arrives.
func TestLabelStudiosOwnKeyReadsNoObject(t *testing.T) {
	v := visits(t)
	v.signsIn("researcher")
	for name, c := range map[string]struct {
		presign bool
		want    int // of Label Studio
	}{
		"it presigns": {true, http.StatusSeeOther},
		"it proxies":  {false, http.StatusFailedDependency},
	} {
		t.Run(name, func(t *testing.T) {
			v.t = t
			uri := "s3://notes/study-7/note-1.txt"
			project, _ := newProject(t, "notes", map[string]any{"presign": c.presign})
			task := made(t, past(t, owner, "POST", "/api/tasks/", asJSON, spelled(t, map[string]any{"project": project, "data": map[string]any{"text": uri}})))
			own := v.mustBe(past(t, owner, "GET", fetchPath(task, uri), "", ""), c.want)
			if c.presign {
				v.mustBe(visits(t).asks("GET", v.next(own), nil), http.StatusForbidden)
			}
			if strings.Contains(string(own.body), string(running(t).Object(uri))) {
				t.Error("Label Studio served the object")
			}
			v.mustBe(v.fetches(task, uri), http.StatusOK)
		})
	}
}
