package login_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/session"
)

const theirACS = public + "/saml/token/acs"

// observes makes the world one in which the application signs people in.
func (w *world) observes() {
	ours := w.IdPs[0].SP
	w.sts = func(_ *sts.AssumeRoleWithSAMLInput, out *sts.AssumeRoleWithSAMLOutput) error {
		out.Audience = aws.String(theirACS)
		return nil
	}
	w.Observed = map[string]login.Observed{"/saml/token/acs": {Organization: 3, IdP: login.IdP{Name: "corp", SP: func() *saml.ServiceProvider {
		sp := *ours()
		sp.ACS = theirACS
		return &sp
	}}}}
}

// theirs is a response to a login that the application started.
func (w *world) theirs(change func(*samltest.Spec)) login.Request {
	spec := samltest.Spec{ACS: theirACS, InResponseTo: "_theirs", IssueInstant: w.now(), Roles: []string{radiology + "," + provider},
		Attributes: []samltest.Attribute{{Name: "email", Values: []string{"ada@label.test"}}}}
	if change != nil {
		change(&spec)
	}
	body := url.Values{"SAMLResponse": {w.idp.Response(spec)}, "RelayState": {"/projects/"}}.Encode()
	return login.Request{ID: "r-1", Method: "POST", Path: "/saml/token/acs", ContentType: "application/x-www-form-urlencoded", CrossSite: true, Body: []byte(body)}
}

func TestAnAssertionOnItsWayBecomesASession(t *testing.T) {
	w := newWorld(t)
	w.observes()
	r := w.theirs(func(s *samltest.Spec) { s.NameIDFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient" }) // as Enterprise asks for
	page := w.Observe(t.Context(), r)
	if page.Refusal != nil || page.Session == nil || page.Session.Organization != 3 || page.Session.Principal.Email != "ada@label.test" || len(page.Header) != 1 || !strings.HasPrefix(page.Header[0].Value, session.CookieName+"=") {
		t.Fatalf("observed %v %v %v", page.Refusal, page.Session, page.Header)
	}
	if again := w.Observe(t.Context(), r); again.Refusal == nil || again.Refusal.Code != login.CodeReplay || again.Session != nil {
		t.Errorf("the same POST again: %v", again.Refusal)
	}
}

func TestWhatIsObservedInVain(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*samltest.Spec)
		edit   func(*login.Request)
		code   string
	}{
		"for our own consumer service": {func(s *samltest.Spec) { s.ACS = acs }, nil, "saml_destination"},
		"to no login at all":           {func(s *samltest.Spec) { s.InResponseTo = samltest.Absent }, nil, "saml_unsolicited"},
		"too old":                      {func(s *samltest.Spec) { s.IssueInstant = s.IssueInstant.Add(-time.Hour) }, nil, "saml_expired"},
		"without an address":           {func(s *samltest.Spec) { s.Attributes = nil }, nil, "email_missing"},
		"without a granted role":       {func(s *samltest.Spec) { s.Roles = []string{ungranted + "," + provider} }, nil, "no_granted_role"},
		"at another path":              {nil, func(r *login.Request) { r.Path = "/saml/other/acs" }, "acs_login_unknown"},
		"no form":                      {nil, func(r *login.Request) { r.ContentType = "application/json" }, "acs_form"},
	} {
		w := newWorld(t)
		w.observes()
		r := w.theirs(c.change)
		if c.edit != nil {
			c.edit(&r)
		}
		page := w.Observe(t.Context(), r)
		if page.Refusal == nil || string(page.Refusal.Code) != c.code || page.Session != nil {
			t.Errorf("%s: %v, want %s", name, page.Refusal, c.code)
		}
	}
}

// What the application does for itself, Rolepass does not offer beside it.
func TestNoLoginBesideTheApplications(t *testing.T) {
	w := newWorld(t)
	w.observes()
	for _, path := range []string{login.StartPath, login.MetadataPath, login.RenewPath, "/rolepass/saml/acs"} {
		page := w.Handle(t.Context(), login.Request{ID: "r-1", Method: "GET", Path: path, Target: path})
		if page.Status != 403 || page.Refusal == nil || page.Refusal.Code != login.CodeObserved {
			t.Errorf("%s: %d %v", path, page.Status, page.Refusal)
		}
	}
}

// Where only a new login at the application renews the access, the page says
// until when it lasts, and leads nowhere.
func TestWhoCannotRenewIsTold(t *testing.T) {
	w := newWorld(t)
	w.observes()
	in := w.Observe(t.Context(), w.theirs(nil))
	cookie, _, _ := strings.Cut(in.Header[0].Value, ";")
	page := w.Handle(t.Context(), login.Request{ID: "r-2", Method: "GET", Path: login.KeepPath, HTML: true, CookieLines: []string{cookie}})
	body := string(page.Body)
	if page.Status != 200 || !strings.Contains(body, `data-state="watches"`) || !strings.Contains(body, "only a new login there renews it") {
		t.Errorf("answered %d: %s", page.Status, body)
	}
	if strings.Contains(body, "http-equiv") || strings.Contains(body, `href="`+login.RenewPath) {
		t.Errorf("the page leads to a renewal: %s", body)
	}
}

// Leaving takes our cookie back and leaves the application its own.
func TestLeavingEndsOurSession(t *testing.T) {
	w := newWorld(t)
	w.observes()
	in := w.Observe(t.Context(), w.theirs(nil))
	cookie, _, _ := strings.Cut(in.Header[0].Value, ";")
	out := w.Left(t.Context(), login.Request{ID: "r-2", Method: "GET", Path: "/logout", CookieLines: []string{cookie + "; sessionid=theirs"}})
	if _, err := w.Sessions.Find(t.Context(), []string{cookie}); err == nil {
		t.Error("the session lives on")
	}
	for _, header := range out.Header {
		if header.Name == "location" || strings.HasPrefix(header.Value, "sessionid=") {
			t.Errorf("the application's answer gets %s: %s", header.Name, header.Value)
		}
	}
}

// One person has a bounded number of sessions, also where the application does
// the login and the IdP names them anew each time.
func TestOnePersonHasSoManyObservedSessions(t *testing.T) {
	w := newWorld(t)
	w.observes()
	w.Sessions.PerPerson = 2
	observes := func(name, email string) *session.Session {
		observed := w.sts
		w.sts = func(in *sts.AssumeRoleWithSAMLInput, out *sts.AssumeRoleWithSAMLOutput) error {
			err := observed(in, out)
			out.Subject, out.SubjectType = aws.String(name), aws.String("transient")
			return err
		}
		page := w.Observe(t.Context(), w.theirs(func(s *samltest.Spec) {
			s.InResponseTo, s.NameID, s.NameIDFormat = "_"+name, name, "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
			s.Attributes = []samltest.Attribute{{Name: "email", Values: []string{email}}}
		}))
		if page.Session == nil {
			t.Fatal(page.Refusal)
		}
		w.passes(time.Second)
		return page.Session
	}
	somebody := observes("t-0", "grace@label.test")
	first, second, third := observes("t-1", "ada@label.test"), observes("t-2", "ada@label.test"), observes("t-3", "Ada@label.test")
	var left []string
	for _, l := range w.sessions(func(session.Listed) bool { return true }) {
		left = append(left, l.ID)
	}
	if want := []string{somebody.ID, second.ID, third.ID}; !slices.Equal(left, want) {
		t.Errorf("the sessions are %v, want %v without %v", left, want, first.ID)
	}
}

// Where the application signs people in, the IdP does not know us: our logout
// sends it nothing, and ends our session.
func TestAnObservedSessionIsNotOursToEndAtTheIdP(t *testing.T) {
	w := withLogout(t)
	w.observes()
	page := w.Observe(t.Context(), w.theirs(nil))
	if page.Session == nil {
		t.Fatal(page.Refusal)
	}
	cookie, _, _ := strings.Cut(page.Header[0].Value, ";")
	out := w.Logout(t.Context(), login.Request{ID: "r-2", Method: "GET", Path: login.LogoutPath, CookieLines: []string{cookie}})
	if to := header(out, "location"); to != login.SignedOutPath || out.Session == nil {
		t.Errorf("it leads to %s, session %v", to, out.Session)
	}
	if left := w.sessions(func(session.Listed) bool { return true }); len(left) != 0 {
		t.Errorf("%d sessions are left", len(left))
	}
}
