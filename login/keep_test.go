package login_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/saml/samltest"
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
	if page.Status != 200 || !strings.Contains(string(page.Body), `http-equiv="refresh" content="1785;url=/rolepass/renew"`) || !strings.Contains(string(page.Body), `data-state="renews" data-left="3570" data-renews="1785" data-warn="600"`) {
		t.Fatalf("answered %d: %s", page.Status, page.Body)
	}
	w.passes(30 * time.Minute)
	request := w.wasAsked(b.asks(login.Request{Path: login.RenewPath}))
	if request.ForceAuthn || !request.IsPassive {
		t.Error("the IdP was told to ask the person")
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

// An IdP that would have to ask says no to a tab that nobody looks at. The page
// says so, the session stays what it was, and the person's click asks them.
func TestATabThatMustAskSaysSo(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signsIn()
	first, lines := b.session(), b.lines()
	w.passes(30 * time.Minute)
	request := w.wasAsked(b.asks(login.Request{Path: login.RenewPath}))
	no := samltest.Spec{ACS: request.ACS, InResponseTo: request.ID, Status: "urn:oasis:names:tc:SAML:2.0:status:Responder", SubStatus: "urn:oasis:names:tc:SAML:2.0:status:NoPassive"}
	page := b.asks(posting(w.idp.Response(no), request.RelayState))
	if header(page, "location") != login.KeepPath+"?asked" || page.Refusal != nil || page.Session != nil {
		t.Fatalf("answered %d to %q: %v", page.Status, header(page, "location"), page.Refusal)
	}
	if login.Renewing(b.lines()) {
		t.Error("the next page does not lead to the IdP")
	}
	if still, err := w.Sessions.Find(t.Context(), lines); err != nil || still.ID != first.ID {
		t.Errorf("the session is %v, %v", still, err)
	}
	page = b.asks(login.Request{Path: login.KeepPath, Query: "asked"})
	if body := string(page.Body); !strings.Contains(body, `data-state="asked"`) || strings.Contains(body, "http-equiv") || !strings.Contains(body, "Sign in to keep data access") {
		t.Errorf("the page says %s", body)
	}
	if request := w.wasAsked(b.asks(login.Request{Path: login.RenewPath, Query: "asked"})); request.IsPassive {
		t.Error("a click asks nothing, either")
	}
	// The same no to a login that was to ask is one.
	request = w.wasAsked(b.asks(login.Request{Path: login.RenewPath, Query: "asked"}))
	no.ACS, no.InResponseTo = request.ACS, request.ID
	if page := b.asks(posting(w.idp.Response(no), request.RelayState)); page.Refusal == nil || page.Refusal.Code != "saml_status" {
		t.Errorf("answered %d: %v", page.Status, page.Refusal)
	}
}

// The page's policy lets its own script run and ask its own IdP, and no more.
func TestWhatThePageMayDo(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signsIn()
	page := b.asks(login.Request{Path: login.KeepPath})
	policy := header(page, "content-security-policy")
	_, rest, _ := strings.Cut(string(page.Body), "<script>")
	script, _, _ := strings.Cut(rest, "</script>")
	if sum := sha256.Sum256([]byte(script)); len(script) < 1000 || !strings.Contains(policy, "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("the policy does not name the script of %d bytes: %q", len(script), policy)
	}
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "; script-src 'sha256-", "; connect-src https://"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy is %q, without %q", policy, part)
		}
	}
	if strings.Count(policy, "script-src") != 1 || strings.Contains(policy, "unsafe") || strings.HasSuffix(policy, "https:") {
		t.Errorf("the policy is %q", policy)
	}
}
