package decision_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/decision"
)

// Below a path, everything is as it is at the front: the application gets its
// requests without the path, and what was judged is what it gets.
func TestTheApplicationBelowAPath(t *testing.T) {
	picture := fetching("7", "s3://imaging/radiology/lung.png")
	for _, c := range []struct {
		target string
		kind   decision.Kind
		code   string
		asked  string // of the application, if it is
	}{
		{"/label/projects/?a=b", decision.Pass, "pass", "/projects/?a=b"},
		{"/label/", decision.Pass, "pass", "/"},
		{"/label//projects", decision.Pass, "pass", "//projects"},
		{"/label/label/x", decision.Pass, "pass", "/label/x"},
		{"/label" + picture, decision.Stream, "stream", picture},
		{"/label/health", decision.Pass, "pass", "/health"},
		{"/label/user/login/", decision.Page, "page", "/user/login/"},
		{"/label/logout", decision.Page, "page", "/logout"},
		{"/label/x/.." + picture, decision.Refuse, "fetch_path", ""},
		{"/label/.." + picture, decision.Refuse, "fetch_path", ""},
		{"/label/api/storages/s3/x", decision.Refuse, "side_door", ""},
		{picture, decision.Refuse, "path_elsewhere", ""},
		{"/projects/", decision.Refuse, "path_elsewhere", ""},
		{"/health", decision.Refuse, "path_elsewhere", ""},
		{"/labels/", decision.Refuse, "path_elsewhere", ""},
		{"/Label/", decision.Refuse, "path_elsewhere", ""},
		{"//label/", decision.Refuse, "path_elsewhere", ""},
		{"/%6cabel/", decision.Refuse, "path_elsewhere", ""},
		{"/label%2fprojects/", decision.Refuse, "path_elsewhere", ""},
		{"/x/../label/", decision.Refuse, "path_elsewhere", ""},
		{"http://label.test/label/", decision.Refuse, "path_elsewhere", ""},
	} {
		w := newWorld(t)
		w.Mount = "/label"
		got := w.Decide(t.Context(), request("GET", c.target, w.signedIn(radiology)))
		if got.Kind != c.kind || string(got.Code) != c.code || c.asked != "" && got.Target != c.asked {
			t.Errorf("%s: %v %s of %q, want %v %s of %q", c.target, got.Kind, got.Code, got.Target, c.kind, c.code, c.asked)
		}
	}
}

// People come to the application's front, and back to where they were going.
func TestTheFrontBelowAPath(t *testing.T) {
	for _, target := range []string{"/", "/label", "/?x=1"} {
		w := newWorld(t)
		w.Mount = "/label"
		for _, cookie := range []string{"", w.signedIn(radiology)} {
			if got := w.Decide(t.Context(), page(request("GET", target, cookie))); got.Answer.Status != 303 || location(got) != "/label/" {
				t.Errorf("%s: %d to %q", target, got.Answer.Status, location(got))
			}
		}
	}
	w := newWorld(t)
	w.Mount = "/label"
	for target, back := range map[string]string{"/label/projects/12/data?task=7": "/label/projects/12/data?task=7", "/label/user/login/": "/label/"} {
		started := w.Decide(t.Context(), page(request("GET", target, "")))
		if !strings.HasPrefix(location(started), "https://idp.test/sso?") {
			t.Fatalf("%s: %v %d to %q", target, started.Kind, started.Answer.Status, location(started))
		}
		at, err := url.Parse(location(started))
		if err != nil {
			t.Fatal(err)
		}
		if got := w.comesBackTo(started, at.Query().Get("RelayState")); got != back {
			t.Errorf("%s: the login comes back to %s", target, got)
		}
	}
	if got := w.Decide(t.Context(), request("GET", "/label/health", "")); got.Kind != decision.Open || got.Target != "/health" {
		t.Errorf("health is %v of %q", got.Kind, got.Target)
	}
}
