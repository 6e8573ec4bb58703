package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/rolepass/rolepass/e2e/s3guard"
)

// readsLikeABackend is what an ML backend does with a task: Label Studio's own
// SDK fetches the object that the task names.
const readsLikeABackend = `
import sys
from label_studio_sdk._extensions.label_studio_tools.core.utils.io import get_local_path
public, token, task, uri, cache = sys.argv[1:]
path = get_local_path(uri, hostname=public, access_token=token, task_id=int(task), cache_dir=cache)
sys.stdout.buffer.write(open(path, "rb").read())
`

// A program with the token of a Label Studio user reads objects under its own
// role where a workload is configured for that user, through the real SDK; the
// same token without a workload reads nothing.
func TestAWorkloadReadsUnderItsOwnRole(t *testing.T) {
	s := running(t)
	v := visits(t)
	m := v.asMember("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[1]
	want := v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK).body
	hidden := readable(v.project("Research"), "researcher")[0]
	var pat struct{ Token string }
	if err := json.Unmarshal(v.mustBe(m.through("POST", "/api/token/", asJSON, "{}"), http.StatusCreated).body, &pat); err != nil {
		t.Fatal(err)
	}
	defer m.directly("POST", "/api/token/blacklist/", asJSON, spelled(t, map[string]any{"refresh": pat.Token}))
	var access struct{ Access string }
	if err := json.Unmarshal(m.directly("POST", "/api/token/refresh/", asJSON, spelled(t, map[string]any{"refresh": pat.Token})).body, &access); err != nil || access.Access == "" {
		t.Fatal("Label Studio gives no access token")
	}
	program := visits(t)
	bearer := "Authorization: Bearer " + access.Access
	program.mustBe(program.asks("GET", program.fetching(task.ID, task.URI), nil, bearer), http.StatusUnauthorized)

	python := filepath.Join(filepath.Dir(s.Tools.LabelStudio), "python")
	err := s.WithWorkload(t.Context(), m.id, func() {
		seen := len(s3Saw(t))
		cmd := exec.CommandContext(t.Context(), python, "-c", readsLikeABackend, v.demo.Public, access.Access, strconv.FormatInt(task.ID, 10), task.URI, t.TempDir())
		var said bytes.Buffer
		cmd.Stderr = &said
		got, err := cmd.Output()
		if err != nil {
			t.Fatalf("the SDK: %v: %.2000s", err, said.String())
		}
		if !bytes.Equal(got, want) {
			t.Errorf("the SDK read %d bytes, not the object's %d", len(got), len(want))
		}
		if more := s3Saw(t)[seen:]; len(more) == 0 || slices.ContainsFunc(more, func(r s3guard.Record) bool { return r.AccessKeyID == "" || r.Status != http.StatusOK }) {
			t.Errorf("S3 saw %d requests of the program", len(more))
		}
		// Not another role's, not without a task, not with another's token.
		program.mustBe(program.asks("GET", program.fetching(hidden.ID, hidden.URI), nil, bearer), http.StatusForbidden)
		program.mustBe(program.asks("GET", program.fetching(task.ID, hidden.URI), nil, bearer), http.StatusForbidden)
		program.mustBe(program.asks("GET", program.fetching(task.ID, task.URI), nil, "Authorization: Bearer made-up"), http.StatusUnauthorized)
		program.refusedAs(program.asks("GET", program.fetching(hidden.ID, hidden.URI), nil, bearer), "no_grant")
	})
	if err != nil {
		t.Fatal(err)
	}
}
