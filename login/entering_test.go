package login_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/e2e/valkeytest"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/session"
)

// during does something while STS is asked for the first time.
func (w *world) during(do func()) {
	var once sync.Once // STS is asked for each role
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sts = func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error {
		once.Do(do)
		return nil
	}
}

// out is a way in which somebody is signed out, and whether a login of the person
// with the session index "_this" stays.
type out struct {
	out   func(w *world, elsewhere *browser)
	stays bool
}

func signingOut() map[string]out {
	person := func(l session.Listed) bool { return l.Principal.Email == "ada@example.com" }
	return map[string]out{
		"by the IdP": {func(w *world, _ *browser) {
			w.frame(byRedirect(w.idp.LogoutQuery(samltest.Logout{Destination: slo, NameID: "4711"})))
		}, false},
		"by the IdP, from this login": {func(w *world, _ *browser) {
			w.frame(byRedirect(w.idp.LogoutQuery(samltest.Logout{Destination: slo, NameID: "4711", Sessions: []string{"_this"}})))
		}, false},
		"by the IdP, from another login": {func(w *world, _ *browser) {
			w.frame(byRedirect(w.idp.LogoutQuery(samltest.Logout{Destination: slo, NameID: "4711", Sessions: []string{"_another"}})))
		}, true},
		"somebody else, by the IdP": {func(w *world, _ *browser) {
			w.frame(byRedirect(w.idp.LogoutQuery(samltest.Logout{Destination: slo, NameID: "somebody-else"})))
		}, true},
		"by themselves, in another window": {func(_ *world, elsewhere *browser) { elsewhere.asks(login.Request{Path: login.LogoutPath}) }, false},
		"by an operator, as a person":      {func(w *world, _ *browser) { w.EndSessions(context.Background(), person) }, false},
		"by an operator, from a role": {func(w *world, _ *browser) {
			w.EndSessions(context.Background(), func(l session.Listed) bool { return len(l.Roles) == 2 && l.Roles[0] == radiology })
		}, false},
		"by an operator, from another session": {func(w *world, _ *browser) {
			w.EndSessions(context.Background(), func(l session.Listed) bool { return l.ID != "" && l.Principal.NameID == "somebody-else" })
		}, true},
	}
}

// Whoever is signed out while STS is asked for them has no session when it answers:
// it is not in any list yet, and would live on for hours.
func TestSigningOutDuringALogin(t *testing.T) {
	for name, c := range signingOut() {
		t.Run(name, func(t *testing.T) {
			w := withLogout(t)
			c.during(w, w)
		})
	}
}

// The same where the replica that signs the person out is not the one at which they
// sign in.
func TestSigningOutAtAnotherReplicaDuringALogin(t *testing.T) {
	server := valkeytest.Start(t)
	for name, c := range signingOut() {
		t.Run(name, func(t *testing.T) { c.during(replicas(t, server)) })
	}
}

// during lets somebody be signed out at one world while they sign in at the other.
func (c out) during(w, there *world) {
	t := w.t
	elsewhere, b := there.browser(), w.browser()
	elsewhere.signsIn(func(s *samltest.Spec) { s.AssertionID = "_elsewhere" })
	w.during(func() { c.out(there, elsewhere) })
	page := b.signsIn(func(s *samltest.Spec) { s.AssertionID = "_this" })
	switch signedIn := b.session() != nil; {
	case signedIn != c.stays:
		t.Errorf("signed in: %v; %d, %v", signedIn, page.Status, page.Refusal)
	case !c.stays && (page.Status != http.StatusForbidden || code(page) != login.CodeEndedMeanwhile):
		t.Errorf("answered %d, %v", page.Status, page.Refusal)
	}
	if left := there.sessions(func(l session.Listed) bool { return l.IdPSession == "_this" }); !c.stays && len(left) != 0 {
		t.Error("a session is left that nobody has the cookie of")
	}
	w.during(func() {})
	if b.signsIn(); b.session() == nil {
		t.Error("the next login was ended, too")
	}
}

// A login that STS did not answer does not wait on for a person who was signed out
// while it was asked.
func TestSigningOutDuringALoginThatFails(t *testing.T) {
	w := newWorld(t)
	w.sts = func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error {
		w.EndSessions(context.Background(), func(session.Listed) bool { return true })
		return errAway
	}
	page := w.browser().signsIn()
	if n, _ := w.Waits(); n != 0 || code(page) != login.CodeEndedMeanwhile {
		t.Errorf("%d logins wait; %d, %v", n, page.Status, page.Refusal)
	}
}

// An operator who signs a person out ends what waits of them, also where they have
// no session.
func TestAnOperatorEndsWhatWaits(t *testing.T) {
	w := newWorld(t)
	b, at := w.waits()
	for person, want := range map[string]int{"somebody@example.com": 0, "ada@example.com": 1} {
		n, err := w.EndSessions(t.Context(), func(l session.Listed) bool { return l.Principal.Email == person })
		if n != want || err != nil {
			t.Errorf("%d logins of %s were ended, want %d (%v)", n, person, want, err)
		}
	}
	w.answers(nil)
	if page := b.tries(at); code(page) != login.CodeRetryGone || b.session() != nil {
		t.Errorf("tried again all the same: %d, %v", page.Status, page.Refusal)
	}
}

// A login that is tried again is not ended by its own session, which ends the oldest
// of a person who has too many.
func TestALoginIsTriedAgainByWhoHasTooMany(t *testing.T) {
	w := newWorld(t)
	w.Sessions.PerPerson = 1
	before := w.browser()
	before.signsIn()
	w.passes(time.Second)
	b, at := w.waits()
	w.answers(nil)
	if page := b.tries(at); b.session() == nil || before.session() != nil {
		t.Errorf("answered %d, %v; in: %v, the oldest: %v", page.Status, page.Refusal, b.session(), before.session())
	}
}

// Nor is there an observed session, whose login the application does.
func TestSigningOutDuringAnObservedLogin(t *testing.T) {
	w := newWorld(t)
	w.observes()
	right := w.sts
	w.sts = func(in *sts.AssumeRoleWithSAMLInput, out *sts.AssumeRoleWithSAMLOutput) error {
		w.EndSessions(context.Background(), func(session.Listed) bool { return true })
		return right(in, out)
	}
	page := w.Observe(t.Context(), w.theirs(nil))
	if left := w.Sessions.Count(); code(page) != login.CodeEndedMeanwhile || page.Session != nil || header(page, "set-cookie") != "" || left != 0 {
		t.Errorf("%v, %v; %d sessions are left", page.Refusal, page.Session, left)
	}
}
