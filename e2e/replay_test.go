package e2e_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What people did with a running Rolepass is recorded, and held against
// configurations that are not in force yet: whose work would stop, and who
// would see more. The recording itself says nothing of patients, and opens
// nothing.
func TestWhatWasRecordedIsDecidedAgain(t *testing.T) {
	recorded := filepath.Join(t.TempDir(), "recorded.jsonl")
	var cookies []*http.Cookie
	err := running(t).WithConfig(t.Context(), map[string]any{"record": map[string]any{"file": recorded}}, func() {
		radiologist, researcher := visits(t), visits(t)
		radiologist.signsIn("radiologist")
		researcher.signsIn("researcher")
		theirs, others := radiologist.project("Radiology").Tasks[0], researcher.project("Research").Tasks[0]
		for range 3 {
			radiologist.mustBe(radiologist.fetches(theirs.ID, theirs.URI), http.StatusOK)
		}
		researcher.mustBe(researcher.fetches(others.ID, others.URI), http.StatusOK)
		researcher.mustBe(researcher.fetches(theirs.ID, theirs.URI), http.StatusForbidden)
		visits(t).mustBe(visits(t).fetches(theirs.ID, theirs.URI), http.StatusUnauthorized) // nobody's
		cookies = radiologist.client.Jar.Cookies(mustParse(radiologist.demo.Public))
	})
	if err != nil {
		t.Fatal(err)
	}

	// A replay asks nobody, so projects have to be written as numbers. The one
	// that is written as a title has nothing to do with what was recorded.
	titles := regexp.MustCompile(`project_titles:(\n\s+- .*)+`)
	replays := func(change func(string) string) (string, error) {
		return running(t).RolepassWith(t.Context(), func(yaml string) string { return change(titles.ReplaceAllString(yaml, "")) }, "replay", recorded)
	}
	t.Run("the same configuration", func(t *testing.T) {
		said, err := replays(func(yaml string) string { return yaml })
		if err != nil || said != "5 recorded decisions: 0 would change, 0 cannot be told\n" {
			t.Errorf("said %q (%v)", said, err)
		}
	})
	for _, c := range []struct{ name, old, new, change string }{
		{"whose work would stop", "s3://imaging/radiology/", "s3://imaging/elsewhere/", "closes 3 s3://imaging/radiology/ radiology yes as radiology no_grant"},
		{"who would see more", "s3://imaging/anonymised/", "s3://imaging/", "opens 1 s3://imaging/radiology/ research no_grant yes as research"},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, err := replays(strings.NewReplacer(c.old, c.new).Replace)
			var words []string
			for line := range strings.Lines(said) {
				words = append(words, strings.Join(strings.Fields(line), " "))
			}
			if err == nil || !strings.Contains(strings.Join(words, "\n"), c.change) {
				t.Errorf("said %q (%v), want %q and a finding", said, err, c.change)
			}
		})
	}

	text, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range cookies {
		if len(cookie.Value) > 10 && bytes.Contains(text, []byte(cookie.Value)) {
			t.Errorf("the cookie %s is in the recording", cookie.Name)
		}
	}
	if len(cookies) == 0 || bytes.Contains(text, []byte(".png")) {
		t.Errorf("of %d cookies none is in the recording, but object keys are", len(cookies))
	}
	if info, err := os.Stat(recorded); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the recording is for others, too: %v (%v)", info.Mode(), err)
	}
}
