package decision_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/decision"
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
	r := request("POST", "/api/projects/", cookie)
	r.Origin = "https://evil.test"
	if got := w.Decide(t.Context(), r); got.Code != decision.CodeCrossOrigin {
		t.Errorf("another site's POST: %v %s", got.Kind, got.Code)
	}
}
