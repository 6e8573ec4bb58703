package decision_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// owns makes the world one in which the application keeps its own login: the
// session "of-EMAIL" is that person's.
func (w *world) owns() {
	w.OwnSignIn, w.Bearer = true, nil
	w.app = func(out http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("sessionid")
		email, ok := "", false
		if err == nil {
			email, ok = strings.CutPrefix(cookie.Value, "of-")
		}
		switch id := strings.Trim(strings.TrimPrefix(r.URL.Path, "/api/tasks/"), "/"); {
		case !ok || r.Header.Get("Authorization") != "" || strings.Contains(r.Header.Get("Cookie"), "rolepass"):
			out.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/api/current-user/whoami":
			fmt.Fprintf(out, `{"id": 7, "email": %q}`, email)
		case tasks[id].uris != nil:
			fmt.Fprintf(out, `{"id": %s, "project": %d, "data": %s}`, id, tasks[id].project, marshal(tasks[id].uris))
		default:
			out.WriteHeader(http.StatusNotFound)
		}
	}
}

// A session signs nothing until the application, asked as this browser, names
// the same person; whatever else is confirmed.
func TestTheApplicationMustNameTheSamePerson(t *testing.T) {
	for _, confirm := range []decision.Confirm{decision.ConfirmURI, decision.ConfirmPermission, decision.ConfirmNone} {
		for _, c := range []struct {
			name, cookie string
			kind         decision.Kind
			code         string
		}{
			{"the same person", "; sessionid=of-Ada@example.com", decision.Stream, "stream"},
			{"nobody", "", decision.Refuse, "app_signed_out"},
			{"an empty session", "; sessionid=", decision.Refuse, "app_signed_out"},
			{"two sessions", "; sessionid=of-ada@example.com; sessionid=of-ada@example.com", decision.Refuse, "app_signed_out"},
			// Django takes both for its session, and the last of them.
			{"another session, with a blank", "; sessionid=of-ada@example.com; sessionid =of-eve@example.com", decision.Refuse, "app_signed_out"},
			{"somebody else", "; sessionid=of-eve@example.com", decision.Refuse, "app_other_person"},
			{"a removed member", "; sessionid=of-Deleted", decision.Refuse, "app_other_person"},
			{"a session that has ended", "; sessionid=gone", decision.Refuse, "app_identity_rejected"},
		} {
			w := newWorld(t)
			w.owns()
			w.Confirm = confirm
			cookie := w.signedIn(research) + c.cookie
			got := w.Decide(t.Context(), request("GET", fetching("7", "s3://imaging/anonymised/a.png"), cookie))
			if got.Kind != c.kind || string(got.Code) != c.code || c.kind == decision.Refuse && got.Answer.Status != 403 {
				t.Errorf("%s, confirm %v: decided %v %s %d", c.name, confirm, got.Kind, got.Code, got.Answer.Status)
			}
		}
	}
}

// Who has no address in the assertion is nobody's equal.
func TestWithoutAnAddressNobodyIsTheSame(t *testing.T) {
	w := newWorld(t)
	w.owns()
	w.email = ""
	got := w.Decide(t.Context(), request("GET", fetching("7", "s3://imaging/anonymised/a.png"), w.signedIn(research)+"; sessionid=of-"))
	if got.Kind != decision.Refuse {
		t.Errorf("decided %v %s", got.Kind, got.Code)
	}
}

// The application gets its own session and nothing of ours; its login form is
// its own.
func TestRequestsKeepTheApplicationsSession(t *testing.T) {
	w := newWorld(t)
	w.owns()
	cookie := w.signedIn(research) + "; sessionid=of-ada@example.com; csrftoken=x"
	for _, target := range []string{"/api/projects/", "/user/login/", "/user/signup/?token=t"} {
		got := w.Decide(t.Context(), request("GET", target, cookie))
		if got.Kind != decision.PassOwn || got.Authorization != "" || got.Cookie != "sessionid=of-ada@example.com; csrftoken=x" {
			t.Errorf("%s: decided %v with cookies %q", target, got.Kind, got.Cookie)
		}
	}
	if got := w.Decide(t.Context(), request("PATCH", "/api/users/43/", cookie)); got.Kind != decision.PassOwn {
		t.Errorf("an account, which is the application's: decided %v %s", got.Kind, got.Code)
	}
	r := request("POST", "/api/projects/", cookie)
	r.Origin = "https://evil.test"
	if got := w.Decide(t.Context(), r); got.Code != decision.CodeCrossOrigin {
		t.Errorf("another site's POST: %v %s", got.Kind, got.Code)
	}
}

// An administrator's role opens the side doors only where the application, too,
// knows the browser as that administrator.
func TestTheAdministratorIsOnePersonInBoth(t *testing.T) {
	for cookie, want := range map[string]string{
		"; sessionid=of-ada@example.com": "pass",
		"; sessionid=of-eve@example.com": "app_other_person",
		"; sessionid=gone":               "app_identity_rejected",
		"":                               "app_signed_out",
		"; sessionid=of-ada@example.com; sessionid =of-eve@example.com": "app_signed_out",
	} {
		w := newWorld(t)
		w.owns()
		w.Administrators = []string{research}
		got := w.Decide(t.Context(), request("POST", "/api/storages/s3/", w.signedIn(research)+cookie))
		if string(got.Code) != want {
			t.Errorf("%q: decided %v %s, want %s", cookie, got.Kind, got.Code, want)
		}
	}
}

// A session of one organization's login reads nothing of another's, nor where
// the application does not say whose a task is.
func TestAnotherOrganizationsTask(t *testing.T) {
	for organization, want := range map[int64]string{0: "stream", 1: "no_grant_here"} {
		w := newWorld(t)
		w.owns()
		s, token, err := w.Sessions.New(time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		s.Organization, s.Roles, s.Principal = organization, []string{research}, saml.Principal{IdP: "corp", NameID: "4711", Email: w.email}
		credentials := &presign.Credentials{AccessKeyID: "ASIA", SecretAccessKey: "s", SessionToken: "t", Expires: w.clock().Add(time.Hour), STS: "aws"}
		if err := errors.Join(w.Sessions.Keep(t.Context(), s), w.Cache.Put(t.Context(), credcache.Key{Session: s, Role: research}, credentials)); err != nil {
			t.Fatal(err)
		}
		got := w.Decide(t.Context(), request("GET", fetching("7", "s3://imaging/anonymised/a.png"), session.CookieName+"="+token+"; sessionid=of-ada@example.com"))
		if string(got.Code) != want {
			t.Errorf("a session of organization %d: decided %v %s, want %s", organization, got.Kind, got.Code, want)
		}
	}
}
