package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"testing"
)

// uploads puts a file into Label Studio as a member's import does, and gives where
// it is then.
func (m member) uploads(project int64, name, content string) (path string) {
	m.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile(name, name)
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := part.Write([]byte(content)); err != nil {
		m.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		m.t.Fatal(err)
	}
	var imported struct {
		Uploads []int64 `json:"file_upload_ids"`
	}
	got := m.mustBe(m.through("POST", fmt.Sprintf("/api/projects/%d/import?commit_to_project=false", project), w.FormDataContentType(), form.String()), http.StatusCreated)
	if err := json.Unmarshal(got.body, &imported); err != nil || len(imported.Uploads) != 1 {
		m.t.Fatalf("importing %s: %.200s (%v)", name, got.body, err)
	}
	var upload struct {
		File string `json:"file"`
	}
	got = m.mustBe(m.through("GET", fmt.Sprintf("/api/import/file-upload/%d", imported.Uploads[0]), asJSON, ""), http.StatusOK)
	if err := json.Unmarshal(got.body, &upload); err != nil || upload.File == "" {
		m.t.Fatalf("the upload of %s: %.200s (%v)", name, got.body, err)
	}
	return "/data/" + upload.File
}

// A page that a member uploads comes from the application's own origin, where its
// script would read every object that whoever opens it may read. It is Label Studio
// that locks it up, so this holds for its versions and settings that were tried.
func TestUploadsCannotScriptTheApplication(t *testing.T) {
	m, victim := visits(t).asMember("researcher"), visits(t)
	victim.signsIn("radiologist")
	project := m.project("Research").ID
	for name, content := range map[string]string{
		"page.html":   "<script>alert(1)</script>",
		"picture.svg": `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`,
		"data.xml":    `<x xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></x>`,
	} {
		got := victim.mustBe(victim.asks("GET", victim.demo.Public+m.uploads(project, name, content), nil, with(asPage, "Accept: text/html,*/*;q=0.8")...), http.StatusOK)
		if !bytes.Equal(got.body, []byte(content)) {
			t.Errorf("%s came as %.100s", name, got.body)
		}
		if policy := got.Header.Get("Content-Security-Policy"); policy != "sandbox" {
			t.Errorf("%s comes with the policy %q: its script runs as the application", name, policy)
		}
	}
}
