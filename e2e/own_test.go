package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Where the application keeps its own login, an object shows once both logins
// name the same person in this browser, and never before.
func TestTheApplicationsOwnLogin(t *testing.T) {
	s := running(t)
	member := visits(t)
	member.signsIn("radiologist")
	var invite struct{ Token string }
	if err := json.Unmarshal(member.mustBe(member.asks("GET", member.demo.Public+"/api/invite", nil, asScript...), 200).body, &invite); err != nil {
		t.Fatal(err)
	}
	own := map[string]any{"grants": s.GrantsByNumber(), "label_studio": map[string]any{"url": s.Demo.LabelStudio, "sign_in": "own"}}
	err := s.WithConfig(t.Context(), own, func() {
		task := readable(member.project("Radiology"), "radiologist")[0]

		v := visits(t)
		v.signsIn("resident")
		v.refusedAs(v.fetches(task.ID, task.URI), "app_signed_out")
		v.signsUp(invite.Token, "resident")
		before := len(appSaw(t))
		if got := v.mustBe(v.fetches(task.ID, task.URI), 200); len(got.body) == 0 {
			t.Error("the object is empty")
		}
		v.mustBe(v.asks("GET", v.demo.Public+"/api/projects/", nil, asScript...), 200)
		seen := appSaw(t)[before:]
		if len(seen) != 3 { // who is it, the task, and the page's own question
			t.Errorf("Label Studio saw %d requests", len(seen))
		}
		for _, request := range seen {
			if request.Scheme != "" || !slices.Contains(request.Cookies, "sessionid") || slices.ContainsFunc(request.Cookies, func(name string) bool { return strings.HasPrefix(name, "__Host-rolepass") }) {
				t.Errorf("Label Studio saw the credential %q and the cookies %v", request.Scheme, request.Cookies)
			}
		}

		// Another person's SAML login beside the resident's own login.
		other := visits(t)
		other.signsIn("radiologist")
		other.logsIn("resident")
		other.refusedAs(other.fetches(task.ID, task.URI), "app_other_person")

		// Signing out of the application ends both.
		v.opens(v.demo.Public + "/logout")
		v.mustBe(v.fetches(task.ID, task.URI), http.StatusUnauthorized)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// signsUp and logsIn go through the application's own forms.
func (v *visitor) signsUp(token, name string) { v.own("/user/signup/?token="+token, name) }
func (v *visitor) logsIn(name string)         { v.own("/user/login/", name) }

func (v *visitor) own(path, name string) {
	v.t.Helper()
	if entered := v.tries(path, name); entered.StatusCode != http.StatusFound {
		v.t.Fatalf("%s answers %s: %.300s", path, entered.Status, entered.body)
	}
}

// tries fills in a form of the application's, whatever comes of it.
func (v *visitor) tries(path, name string) answer {
	v.t.Helper()
	page := v.mustBe(v.opens(v.demo.Public+path), 200)
	f := v.form(page)
	f.method, f.action = "POST", v.demo.Public+path
	account := v.account(name)
	f.values = url.Values{"csrfmiddlewaretoken": f.values["csrfmiddlewaretoken"], "email": {account.Email}, "password": {account.Password}}
	return v.sends(f, "same-origin")
}
