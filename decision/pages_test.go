package decision_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
)

func location(d decision.Decision) string {
	for _, h := range d.Answer.Header {
		if h.Name == "location" {
			return h.Value
		}
	}
	return ""
}

// page makes a request one of somebody who opens a page.
func page(r decision.Request) decision.Request {
	r.FetchMode, r.FetchDest, r.FetchSite = "navigate", "document", "none"
	return r
}

// Our own pages are answered here, whoever asks; the application never sees
// them, nor anything below their path.
func TestOwnPages(t *testing.T) {
	for _, c := range []struct {
		target   string
		signedIn bool
		kind     decision.Kind
		status   int
		code     string
	}{
		{login.WhoAmIPath, true, decision.Page, 200, "page"},
		{login.WhoAmIPath, false, decision.Refuse, 401, "no_session"},
		{login.MetadataPath, false, decision.Page, 200, "page"},
		{login.StartPath, true, decision.Page, 303, "page"},
		{"/rolepass/../tasks/7/resolve/?fileuri=czM6Ly9hL2I=", true, decision.Refuse, 403, "own_page_unknown"},
		{"/rolepass/saml/acs", true, decision.Refuse, 405, "acs_form"},
	} {
		w := newWorld(t)
		cookie := ""
		if c.signedIn {
			cookie = w.signedIn(radiology)
		}
		got := w.Decide(t.Context(), page(request("GET", c.target, cookie)))
		event := w.events[0]
		if got.Kind != c.kind || got.Answer.Status != c.status || string(got.Code) != c.code {
			t.Errorf("%s: decided %v %d %s", c.target, got.Kind, got.Answer.Status, got.Code)
		}
		if (c.kind == decision.Refuse) != (event.Refusal != nil) || c.target == login.WhoAmIPath && c.signedIn && (event.Session == nil || event.Page != "whoami" || got.Session != event.Session.Handle()) {
			t.Errorf("%s: the event is %+v", c.target, event)
		}
	}
}

// After the login a person is where they wanted to be, unless that would sign
// them out again, or was no page.
func TestWhereTheLoginComesBackTo(t *testing.T) {
	for _, c := range []struct{ method, target, want string }{
		{"GET", "/projects/12/data?tab=3", "/projects/12/data?tab=3"},
		{"POST", "/api/projects/", "/"},
		{"GET", "/user/login/", "/"},
	} {
		w := newWorld(t)
		started := w.Decide(t.Context(), page(request(c.method, c.target, "")))
		if started.Answer.Status != 303 {
			t.Fatalf("%s %s: %d %s", c.method, c.target, started.Answer.Status, started.Code)
		}
		at, err := url.Parse(location(started))
		if err != nil {
			t.Fatal(err)
		}
		if got := w.comesBackTo(started, at.Query().Get("RelayState")); got != c.want {
			t.Errorf("%s %s comes back to %q, want %q", c.method, c.target, got, c.want)
		}
	}
}

func TestNoBearerIsNoPass(t *testing.T) {
	w := newWorld(t)
	w.Bearer = func(context.Context, int64) (presign.Secret, error) { return "", errors.New("no key") }
	if got := w.Decide(t.Context(), request("GET", "/api/projects/", w.signedIn(radiology))); got.Kind != decision.Refuse || got.Answer.Status != 503 || got.Code != decision.CodeBearer {
		t.Errorf("decided %v %d %s", got.Kind, got.Answer.Status, got.Code)
	}
}

// Credentials that end within moments sign nothing that would outlive them.
func TestCredentialsThatAreAboutToEnd(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedInUntil(w.clock().Add(10*time.Minute), radiology)
	w.pass(9*time.Minute + 50*time.Second)
	if got := w.Decide(t.Context(), request("GET", fetching("7", lung), cookie)); got.Answer.Status != 403 || got.Code != decision.CodeCredentials {
		t.Errorf("decided %v %d %s", got.Kind, got.Answer.Status, got.Code)
	}
}

func TestWhatTheApplicationIsAsked(t *testing.T) {
	const streamed = "streamed"
	for _, c := range []struct {
		name    string
		confirm decision.Confirm
		role    string
		target  string
		want    string
		asked   int
	}{
		{"uri: an object of the task", decision.ConfirmURI, radiology, fetching("7", lung), streamed, 1},
		{"uri: another object", decision.ConfirmURI, radiology, fetching("7", "s3://imaging/radiology/other.png"), "not_in_task", 1},
		{"permission: another object", decision.ConfirmPermission, radiology, fetching("7", "s3://imaging/radiology/other.png"), streamed, 1},
		{"permission: a task that is not theirs", decision.ConfirmPermission, radiology, fetching("9", lung), "app_not_theirs", 1},
		{"permission: for a project", decision.ConfirmPermission, radiology, strings.Replace(fetching("7", lung), "/tasks/7/", "/projects/12/", 1), "app_not_theirs", 1},
		{"none: a grant for every place", decision.ConfirmNone, research, fetching("9", "s3://imaging/anonymised/a.png"), streamed, 0},
		{"none: a grant for one project", decision.ConfirmNone, radiology, fetching("7", lung), "no_grant_here", 0},
	} {
		w := newWorld(t)
		w.Confirm = c.confirm
		got := w.Decide(t.Context(), request("GET", c.target, w.signedIn(c.role)))
		if c.want == streamed && got.Kind != decision.Stream || c.want != streamed && (got.Kind != decision.Refuse || string(got.Code) != c.want) || len(w.asked) != c.asked {
			t.Errorf("%s: decided %v %s after %d questions", c.name, got.Kind, got.Code, len(w.asked))
		}
	}
}

// What a browser could run is saved, not shown, by whoever is led straight to it.
func TestWhatABrowserCouldRunIsAnAttachment(t *testing.T) {
	w := newWorld(t)
	w.Confirm = decision.ConfirmNone
	cookie := w.signedIn(research)
	for key, want := range map[string]string{"a.html": "attachment", "a.svg": "attachment", "a": "attachment", "a.png": "", "a.mp4": ""} {
		got := w.Decide(t.Context(), request("GET", fetching("7", "s3://imaging/anonymised/"+key), cookie))
		disposition := ""
		for _, h := range got.Header {
			if h.Name == "content-disposition" {
				disposition = h.Value
			}
		}
		if got.Kind != decision.Stream || disposition != want {
			t.Errorf("%s: decided %v with disposition %q", key, got.Kind, disposition)
		}
	}
}

// S3's own content type, which whoever uploaded the object has chosen, never
// reaches what could take it for a script: a request without a destination, and
// one that a service worker has passed on for a page.
func TestTheUploadersTypeRunsNowhere(t *testing.T) {
	w := newWorld(t)
	w.Confirm = decision.ConfirmNone
	cookie := w.signedIn(research)
	for _, c := range []struct{ key, dest, want string }{
		{"a", "", "application/octet-stream"}, {"a", "empty", "application/octet-stream"}, {"a.later", "empty", "application/octet-stream"},
		{"a", "image", ""}, {"a", "audio", ""}, {"a", "video", ""}, {"a", "document", ""}, {"a", "iframe", ""},
		{"a.png", "", "image/png"}, {"a.js", "", "text/plain; charset=utf-8"}, {"a.js", "empty", "text/plain; charset=utf-8"},
	} {
		r := request("GET", fetching("7", "s3://imaging/anonymised/"+c.key), cookie)
		r.FetchDest = c.dest
		got, contentType := w.Decide(t.Context(), r), ""
		for _, h := range got.Header {
			if h.Name == "content-type" {
				contentType = h.Value
			}
		}
		if got.Kind != decision.Stream || contentType != c.want {
			t.Errorf("%s for %q: decided %v with content type %q, want %q", c.key, c.dest, got.Kind, contentType, c.want)
		}
	}
}

// A refusal is a page for a person and a document for a program.
func TestWhoSeesAPage(t *testing.T) {
	for _, c := range []struct {
		mode, accept string
		page         bool
	}{{"navigate", "*/*", true}, {"cors", "text/html", false}, {"", "text/html", true}, {"", "application/json", false}} {
		w := newWorld(t)
		r := request("GET", fetching("7", lung), w.signedIn(research))
		r.FetchMode, r.FetchDest, r.Accept = c.mode, "", c.accept
		body := string(w.Decide(t.Context(), r).Answer.Body)
		if strings.HasPrefix(body, "<!doctype html>") != c.page {
			t.Errorf("%+v: %.40s", c, body)
		}
	}
}

// An IdP that is no longer configured stands between nobody and what they have.
func TestRenewalWithAnIdPThatIsGone(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedIn(radiology)
	w.Login.IdPs[0].Name = "another"
	w.pass(50 * time.Minute)
	if got := w.Decide(t.Context(), page(request("GET", "/projects/", cookie))); got.Kind != decision.Pass {
		t.Errorf("decided %v %d %s", got.Kind, got.Answer.Status, got.Code)
	}
}
