package login_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/login"
)

// A tab that stays open renews by itself: it goes to the IdP, unasked for a
// password, comes back to itself, and the session before lives just long
// enough for what is under way.
func TestATabThatStaysOpenRenews(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signsIn()
	first, old := b.session(), b.lines()
	page := b.asks(login.Request{Path: login.KeepPath})
	if page.Status != 200 || !strings.Contains(string(page.Body), `http-equiv="refresh" content="1785;url=/rolepass/renew"`) {
		t.Fatalf("answered %d: %s", page.Status, page.Body)
	}
	w.passes(30 * time.Minute)
	request := w.wasAsked(b.asks(login.Request{Path: login.RenewPath}))
	if request.ForceAuthn {
		t.Error("the IdP was told to ask for the password")
	}
	page = b.asks(posting(w.idp.Response(right(request)), request.RelayState))
	second := b.session()
	if header(page, "location") != login.KeepPath || second == nil || second.ID == first.ID {
		t.Fatalf("came back to %q, signed in as %v", header(page, "location"), second)
	}
	if _, err := w.Sessions.Find(t.Context(), old); err != nil {
		t.Errorf("what is under way is refused: %v", err)
	}
	w.passes(31 * time.Second)
	if _, err := w.Sessions.Find(t.Context(), old); err == nil {
		t.Error("the session before lives on")
	}
}

// Another person who signs in on the way ends the session before at once.
func TestSomebodyElsesRenewalEndsTheSession(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signsIn()
	old := b.lines()
	request := w.wasAsked(b.asks(login.Request{Path: login.RenewPath}))
	spec := right(request)
	spec.NameID = "somebody-else"
	w.sts = func(_ *sts.AssumeRoleWithSAMLInput, out *sts.AssumeRoleWithSAMLOutput) error {
		out.Subject = aws.String("somebody-else")
		return nil
	}
	b.asks(posting(w.idp.Response(spec), request.RelayState))
	if _, err := w.Sessions.Find(t.Context(), old); err == nil {
		t.Error("the session before lives on")
	}
}

func TestNobodyKeepsNothing(t *testing.T) {
	b := newWorld(t).browser()
	for _, path := range []string{login.KeepPath, login.RenewPath} {
		if page := b.asks(login.Request{Path: path}); page.Status != 401 {
			t.Errorf("%s answers %d", path, page.Status)
		}
	}
}
