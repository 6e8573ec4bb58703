package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// annotatesAsAScript is a script on Label Studio's SDK that has the token which
// Label Studio gives to programs.
const annotatesAsAScript = `
import sys
from label_studio_sdk import LabelStudio
public, token, task = sys.argv[1:]
ls = LabelStudio(base_url=public, api_key=token)
made = ls.annotations.create(id=int(task), result=[{"type": "choices", "from_name": "finding", "to_name": "image", "value": {"choices": ["not clear"]}}])
found = ls.annotations.get(id=made.id)
ls.annotations.delete(id=made.id)
print(ls.users.whoami().email, "says", found.result[0]["value"]["choices"][0], end="")
`

// A program with a real token of Label Studio's reaches its API where the
// configuration says so, and never an object or a side door. Elsewhere its
// token does not even reach Label Studio.
func TestAProgramWithATokenOfLabelStudios(t *testing.T) {
	s := running(t)
	v := visits(t)
	m := v.asMember("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[0]
	var pat struct{ Token string }
	if err := json.Unmarshal(v.mustBe(m.through("POST", "/api/token/", asJSON, "{}"), http.StatusCreated).body, &pat); err != nil || pat.Token == "" {
		t.Fatal("Label Studio gives no token")
	}
	defer m.directly("POST", "/api/token/blacklist/", asJSON, spelled(t, map[string]any{"refresh": pat.Token}))

	program := visits(t)
	refresh := func() answer {
		return program.asks("POST", v.demo.Public+"/api/token/refresh/", strings.NewReader(spelled(t, map[string]any{"refresh": pat.Token})), "Content-Type: "+asJSON)
	}
	asks := func(method, path, body string, headers ...string) answer {
		return program.asks(method, v.demo.Public+path, strings.NewReader(body), append([]string{"Content-Type: " + asJSON}, headers...)...)
	}
	before := len(appSaw(t))
	program.mustBe(refresh(), http.StatusUnauthorized)
	program.mustBe(asks("GET", "/api/projects/", "", "Authorization: Bearer "+pat.Token), http.StatusUnauthorized)
	if more := len(appSaw(t)) - before; more != 0 {
		t.Errorf("Label Studio saw %d requests of an API client that is refused", more)
	}

	passing := map[string]any{"url": s.Demo.LabelStudio, "owner_id": owner, "secret_key_file": filepath.Join(s.Dir, "label-studio.secret"), "api_clients": "pass"}
	err := s.WithConfig(t.Context(), map[string]any{"label_studio": passing}, func() {
		var access struct{ Access string }
		if err := json.Unmarshal(program.mustBe(refresh(), http.StatusOK).body, &access); err != nil || access.Access == "" {
			t.Fatal("Label Studio gives no access token")
		}
		token := "Authorization: Bearer " + access.Access
		program.mustBe(asks("GET", "/api/projects/", "", token), http.StatusOK)
		me := program.mustBe(asks("GET", "/api/current-user/whoami", "", token, "Cookie: sessionid=somebody"), http.StatusOK)
		if !strings.Contains(string(me.body), v.account("radiologist").Email) {
			t.Errorf("Label Studio takes the program for %.200s", me.body)
		}
		last := appSaw(t)[len(appSaw(t))-1]
		if last.Scheme != "Bearer" || last.User != fmt.Sprint(m.id) || len(last.Cookies) != 0 {
			t.Errorf("Label Studio saw the credential %s of user %s and the cookies %v", last.Scheme, last.User, last.Cookies)
		}
		made(t, asks("POST", "/api/projects/", `{"title": "Made by a program"}`, token))
		if said := withSDK(t, annotatesAsAScript, v.demo.Public, pat.Token, fmt.Sprint(task.ID)); string(said) != v.account("radiologist").Email+" says not clear" {
			t.Errorf("a script on the SDK: %s", said)
		}

		for target, status := range map[string]int{
			fetchPath(task.ID, task.URI): http.StatusUnauthorized, "/projects/": http.StatusUnauthorized, "/admin/": http.StatusUnauthorized,
			"/api/projects/1/export?exportType=VOC": http.StatusForbidden, "/api/storages/s3/files": http.StatusForbidden,
		} {
			program.mustBe(asks("GET", target, "", token, "Accept: text/css"), status)
		}
		program.mustBe(asks("GET", "/api/projects/", "", "Authorization: Basic YTpi"), http.StatusUnauthorized)
		before := len(appSaw(t))
		program.mustBe(asks("GET", "/api/projects/", "", "Authorization: Bearer made-up"), http.StatusUnauthorized)
		if len(appSaw(t)) != before+1 {
			t.Error("it was not Label Studio that refused a token that is none")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
