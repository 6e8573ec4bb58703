package e2e_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// member is an ordinary member of Label Studio who also reaches it directly,
// with nothing but their own account there.
type member struct {
	*visitor
	id int64
}

func (v *visitor) asMember(name string) member {
	v.t.Helper()
	v.signsIn(name)
	var me struct {
		ID int64 `json:"id"`
	}
	who := v.mustBe(v.asks("GET", v.demo.Public+"/api/current-user/whoami", nil, asScript...), http.StatusOK)
	if err := json.Unmarshal(who.body, &me); err != nil || me.ID < 2 {
		v.t.Fatalf("%s is user %d (%v)", name, me.ID, err)
	}
	return member{v, me.ID}
}

// directly asks Label Studio itself, past Rolepass.
func (m member) directly(method, path, contentType, body string) answer {
	m.t.Helper()
	return past(m.t, m.id, method, path, contentType, body)
}

// past asks Label Studio itself as one of its users.
func past(t testing.TB, user int64, method, path, contentType, body string) answer {
	t.Helper()
	response, err := running(t).Directly(t.Context(), user, method, path, contentType, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response, text}
}

// through asks the same through Rolepass, as the application's pages would.
func (m member) through(method, path, contentType, body string) answer {
	m.t.Helper()
	return m.asks(method, m.demo.Public+path, strings.NewReader(body), with(asScript, "Origin: "+m.demo.Public, "Content-Type: "+contentType)...)
}

const asJSON = "application/json"

// spelled writes a body of JSON.
func spelled(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// made reads the number of what was made.
func made(t testing.TB, a answer) int64 {
	t.Helper()
	var it struct {
		ID int64 `json:"id"`
	}
	if err := json.Unmarshal(a.body, &it); err != nil || a.StatusCode != http.StatusCreated || it.ID == 0 {
		t.Fatalf("%s %s: %s %.300s", a.Request.Method, a.Request.URL.Path, a.Status, a.body)
	}
	return it.ID
}

// ownProject makes a project of the member's, with a task, and a storage
// without keys: those of Label Studio's machine are taken.
func (m member) ownProject(bucket, prefix, uri string) (project, task int64) {
	m.t.Helper()
	project = made(m.t, m.directly("POST", "/api/projects/", asJSON, spelled(m.t, map[string]any{
		"title": m.t.Name(), "label_config": `<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="spot"/></RectangleLabels></View>`})))
	made(m.t, m.directly("POST", "/api/storages/s3/", asJSON, m.keyless(project, bucket, prefix)))
	task = made(m.t, m.directly("POST", "/api/tasks/", asJSON, spelled(m.t, map[string]any{"project": project, "data": map[string]any{"image": uri}})))
	m.mustBe(m.directly("POST", fmt.Sprintf("/api/tasks/%d/annotations/", task), asJSON, `{"result": [{"type": "rectanglelabels", "from_name": "box", "to_name": "image",
		"original_width": 320, "original_height": 240, "value": {"x": 1, "y": 1, "width": 5, "height": 5, "rotation": 0, "rectanglelabels": ["spot"]}}]}`), http.StatusCreated)
	return project, task
}

func (m member) keyless(project int64, bucket, prefix string) string {
	storage := running(m.t).Storage(project, bucket)
	delete(storage, "aws_access_key_id")
	delete(storage, "aws_secret_access_key")
	storage["prefix"] = prefix
	return spelled(m.t, storage)
}

// leads follows Label Studio's redirect to S3.
func (m member) leads(a answer) []byte {
	m.t.Helper()
	to := m.next(m.mustBe(a, http.StatusSeeOther))
	return m.mustBe(visits(m.t).asks("GET", to, nil), http.StatusOK).body
}

// What a member of Label Studio gets from it directly, with no role at AWS
// that would allow it, and what of that they get through Rolepass: nothing.
// The machine that Label Studio runs on has a key that reads every bucket.
func TestAMemberReadsEverythingPastRolepass(t *testing.T) {
	m := visits(t).asMember("researcher")
	shown := "s3://imaging/anonymised/study-7/case-00.png"
	project, task := m.ownProject("imaging", "anonymised/study-7", shown)
	m.mustBe(m.fetches(task, shown), http.StatusOK) // the rest is refused for what it is

	t.Run("a key outside the task", func(t *testing.T) {
		m.t = t
		m.readsPast(fetchPath(task, "s3://imaging/anonymised/study-7/case-01.png"), "s3://imaging/anonymised/study-7/case-01.png")
	})
	t.Run("a key outside the storage's prefix", func(t *testing.T) {
		m.t = t
		m.readsPast(fetchPath(task, "s3://imaging/radiology/in-no-task.png"), "s3://imaging/radiology/in-no-task.png")
	})
	t.Run("another bucket, by a storage without keys", func(t *testing.T) {
		m.t = t
		storage, target := m.keyless(project, "payroll", ""), strings.Replace(fetchPath(project, "s3://payroll/2026.csv"), "/tasks/", "/projects/", 1)
		m.mustBe(m.through("POST", "/api/storages/s3/", asJSON, storage), http.StatusForbidden)
		made(t, m.directly("POST", "/api/storages/s3/", asJSON, storage))
		m.readsPast(target, "s3://payroll/2026.csv") // and now that the storage is there, too
	})
	t.Run("an export with images, as the owner", func(t *testing.T) {
		m.t = t
		// Any member may switch the owner's token on.
		m.mustBe(m.directly("POST", "/api/jwt/settings", asJSON, `{"api_tokens_enabled": true, "legacy_api_tokens_enabled": true}`), http.StatusOK)
		target := fmt.Sprintf("/api/projects/%d/export?exportType=YOLO_WITH_IMAGES", project)
		if packed := m.mustBe(m.directly("GET", target, asJSON, ""), http.StatusOK); !holds(t, packed.body, running(t).Object(shown)) {
			t.Error("Label Studio packs no image: the attack proves nothing")
		}
		refused := m.mustBe(m.through("GET", target, "", ""), http.StatusForbidden)
		if bytes.HasPrefix(refused.body, []byte("PK")) {
			t.Error("a zip arrived with the refusal")
		}
	})
}

// readsPast shows that Label Studio serves the object to the member directly
// and that Rolepass refuses the same request.
func (m member) readsPast(target, uri string) {
	m.t.Helper()
	if got := m.leads(m.directly("GET", target, "", "")); !bytes.Equal(got, running(m.t).Object(uri)) {
		m.t.Errorf("Label Studio serves %d bytes of something else: the attack proves nothing", len(got))
	}
	m.mustBe(m.asks("GET", m.demo.Public+target, nil, asPicture...), http.StatusForbidden)
}

// holds says that one of the files in a zip has this content.
func holds(t *testing.T, packed, content []byte) bool {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range archive.File {
		opened, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(opened)
		if err != nil || opened.Close() != nil {
			t.Fatal(err)
		}
		if bytes.Equal(text, content) {
			return true
		}
	}
	return false
}

// Listing a bucket and reading from an address inside run as Label Studio,
// too; a webhook and a model send tasks to where a member says.
func TestTheOtherSideDoors(t *testing.T) {
	m := visits(t).asMember("researcher")
	project := made(t, m.through("POST", "/api/projects/", asJSON, spelled(t, map[string]any{"title": t.Name(), "label_config": `<View><Text name="text" value="$text"/></View>`})))
	var asked atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, `[{"text": "from inside"}]`)
	}))
	defer inside.Close()
	address := url.Values{"url": {inside.URL + "/tasks.json"}}.Encode()
	imports := fmt.Sprintf("/api/projects/%d/import", project)

	for name, c := range map[string]struct {
		method, target, contentType, body string
		want                              int // of Label Studio alone
	}{
		"listing a bucket":        {"POST", "/api/storages/s3/files", asJSON, m.keyless(project, "payroll", ""), http.StatusOK},
		"validating a storage":    {"POST", "/api/storages/s3/validate", asJSON, m.keyless(project, "payroll", ""), http.StatusOK},
		"importing an address":    {"POST", imports, "application/x-www-form-urlencoded", address, http.StatusCreated},
		"the same, in disguise":   {"POST", imports, "application/json; x=application/x-www-form-urlencoded", spelled(t, map[string]any{"url": inside.URL + "/tasks.json"}), http.StatusCreated},
		"a webhook":               {"POST", "/api/webhooks/", asJSON, spelled(t, map[string]any{"url": inside.URL + "/hook", "project": project, "is_active": false}), http.StatusCreated},
		"everybody's API tokens":  {"POST", "/api/jwt/settings", asJSON, `{"api_tokens_enabled": true, "legacy_api_tokens_enabled": true}`, http.StatusOK},
		"Django's administration": {"GET", "/admin/", "", "", http.StatusFound},
	} {
		t.Run(name, func(t *testing.T) {
			m.t = t
			before := asked.Load()
			refused := m.mustBe(m.through(c.method, c.target, c.contentType, c.body), http.StatusForbidden)
			if code := m.auditedAs(refused); code != "side_door" {
				t.Errorf("refused as %s", code)
			}
			if asked.Load() != before {
				t.Error("Label Studio asked the address inside")
			}
			m.mustBe(m.directly(c.method, c.target, c.contentType, c.body), c.want)
			if strings.Contains(c.body, "tasks.json") && asked.Load() == before {
				t.Error("Label Studio alone does not ask the address: the test proves nothing")
			}
		})
	}
	m.t = t
	if got := m.directly("POST", "/api/storages/s3/files", asJSON, m.keyless(project, "payroll", "")); !strings.Contains(string(got.body), "2026.csv") {
		t.Errorf("Label Studio lists %.300s", got.body)
	}
}

// What members do every day passes, and what administrators do.
func TestMembersAndAdministratorsWorkOn(t *testing.T) {
	m := visits(t).asMember("researcher")
	project := made(t, m.through("POST", "/api/projects/", asJSON, spelled(t, map[string]any{"title": t.Name(), "label_config": `<View><Text name="text" value="$text"/></View>`})))
	imports := fmt.Sprintf("/api/projects/%d/import", project)
	m.mustBe(m.through("POST", imports, asJSON, `[{"text": "one"}, {"text": "two"}]`), http.StatusCreated)
	file := "--line\r\nContent-Disposition: form-data; name=\"file\"; filename=\"three.json\"\r\nContent-Type: application/json\r\n\r\n[{\"text\": \"three\"}]\r\n--line--\r\n"
	m.mustBe(m.through("POST", imports, "multipart/form-data; boundary=line", file), http.StatusCreated)
	for _, target := range []string{
		fmt.Sprintf("/api/projects/%d/export?exportType=JSON", project), fmt.Sprintf("/api/projects/%d/export?exportType=CSV", project),
		fmt.Sprintf("/api/projects/%d/export/formats", project), fmt.Sprintf("/api/storages/?project=%d", project),
		"/api/storages/types", fmt.Sprintf("/api/ml/?project=%d", project), "/api/webhooks/",
	} {
		m.mustBe(m.through("GET", target, "", ""), http.StatusOK)
	}
	tasks := m.mustBe(m.through("GET", fmt.Sprintf("/api/tasks/?project=%d", project), "", ""), http.StatusOK)
	if !strings.Contains(string(tasks.body), `"total":3`) {
		t.Errorf("of three imported tasks there are %.200s", tasks.body)
	}

	steward := visits(t).asMember("steward")
	storage := spelled(t, running(t).Storage(project, "notes"))
	made(t, steward.through("POST", "/api/storages/s3/", asJSON, storage))
	steward.mustBe(steward.through("POST", "/api/storages/s3/validate", asJSON, storage), http.StatusOK)
}
