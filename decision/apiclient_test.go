package decision_test

import (
	"testing"

	"github.com/rolepass/rolepass/decision"
)

// A program with a token of the application's own reaches its API and nothing
// else, and only where the configuration says so.
func TestAPIClients(t *testing.T) {
	const client = decision.PassClient
	fetch := "/tasks/7/resolve/?fileuri=czM6Ly9pbWFnaW5nL3JhZGlvbG9neS9sdW5nLnBuZw=="
	for _, c := range []struct {
		method, target string
		token          bool
		want           decision.Kind
		status         int
	}{
		{"GET", "/api/projects/", true, client, 0},
		{"POST", "/api/tasks/7/annotations/", true, client, 0},
		{"GET", "/api/projects/12/export?exportType=JSON", true, client, 0},
		{"POST", "/api/token/refresh/", false, client, 0}, // the token is in the body
		// Without a token they are nobody.
		{"GET", "/api/projects/", false, decision.Refuse, 401},
		{"GET", "/api/token/refresh/", false, decision.Refuse, 401},
		// Objects, and every other way to them.
		{"GET", fetch, true, decision.Refuse, 401},
		{"GET", "/api" + fetch, true, decision.Refuse, 401},
		{"GET", "/api/..%2f" + fetch[1:], true, decision.Refuse, 401},
		{"GET", "/api//tasks/", true, decision.Refuse, 401},
		{"GET", "/api/%70rojects/", true, decision.Refuse, 401},
		{"GET", "/x/../api/projects/", true, decision.Refuse, 401},
		// Side doors.
		{"POST", "/api/storages/s3/", true, decision.Refuse, 403},
		{"GET", "/api/projects/12/export?exportType=VOC", true, decision.Refuse, 403},
		{"POST", "/api/webhooks/", true, decision.Refuse, 403},
		// Pages.
		{"GET", "/projects/", true, decision.Refuse, 401},
		{"GET", "/", true, decision.Refuse, 401},
		{"GET", "/data/upload/12/a.png", true, decision.Refuse, 401},
		{"GET", "/admin/", true, decision.Refuse, 401},
	} {
		for _, pass := range []bool{true, false} {
			w := newWorld(t)
			w.APIClients = pass
			w.Administrators = []string{radiology}
			r := decision.Request{ID: "r-1", Method: c.method, Target: c.target, Host: "label.test", AppToken: c.token, CookieLines: []string{"sessionid=of-the-app"}, FetchMode: "cors"}
			got := w.Decide(t.Context(), r)
			switch {
			case !pass:
				if got.Kind != decision.Refuse || got.Answer.Status != 401 && got.Answer.Status != 403 {
					t.Errorf("%s %s, where API clients are refused: decided %v %d", c.method, c.target, got.Kind, got.Answer.Status)
				}
			case got.Kind != c.want || got.Answer.Status != c.status || got.Authorization != "" || got.Cookie != "":
				t.Errorf("%s %s: decided %v %d %s", c.method, c.target, got.Kind, got.Answer.Status, got.Code)
			}
		}
	}
	// An import passes when the tasks are in it.
	w := newWorld(t)
	w.APIClients = true
	r := decision.Request{ID: "r-1", Method: "POST", Target: "/api/projects/12/import", Host: "label.test", AppToken: true, ContentType: "application/json"}
	if got := w.Decide(t.Context(), r); got.Kind != client {
		t.Errorf("an import of JSON: decided %v %s", got.Kind, got.Code)
	}
	r.ContentType = "application/x-www-form-urlencoded"
	if got := w.Decide(t.Context(), r); got.Code != "side_door" {
		t.Errorf("an import of an address: decided %v %s", got.Kind, got.Code)
	}
	// Who is signed in is that person, whatever token a script adds.
	r = request("GET", "/api/projects/", w.signedIn(radiology))
	r.AppToken = true
	if got := w.Decide(t.Context(), r); got.Kind != decision.Pass || got.Authorization == "" {
		t.Errorf("a session with a token: decided %v", got.Kind)
	}
}
