package login_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/state"
)

const slo = public + login.SLOPath

// withLogout gives the world single logout: a key of ours, and an IdP with the
// service.
func withLogout(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	idp, err := samltest.New(samltest.Options{EntityID: "https://idp.test", SSOURL: "https://idp.test/sso", SLOURL: "https://idp.test/slo", Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	w.idp = idp
	dir := t.TempDir()
	if _, err := saml.NewSigningKey(dir, w.now(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	keys, err := saml.LoadSigningKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	sp := *w.serviceProvider(idp, "corp")()
	sp.SLO, sp.Keys = slo, keys
	w.IdPs = []login.IdP{{Name: "corp", SP: func() *saml.ServiceProvider { return &sp }}}
	return w
}

// knowsSomebodyElse has STS name the person of the assertion.
func (w *world) knowsSomebodyElse() {
	w.sts = func(in *sts.AssumeRoleWithSAMLInput, out *sts.AssumeRoleWithSAMLOutput) error {
		text, err := base64.StdEncoding.DecodeString(*in.SAMLAssertion)
		if strings.Contains(string(text), ">somebody-else<") {
			out.Subject = aws.String("somebody-else")
		}
		return err
	}
}

func byRedirect(query string) login.Request { return login.Request{Path: login.SLOPath, Query: query} }

func byPost(field, value string) login.Request {
	return login.Request{Method: "POST", Path: login.SLOPath, ContentType: "application/x-www-form-urlencoded", CrossSite: true, Body: []byte(url.Values{field: {value}, "RelayState": {"theirs"}}.Encode())}
}

// frame is a browser of the IdP's that brings no cookie of ours.
func (w *world) frame(r login.Request) login.Page {
	w.t.Helper()
	if r.Method == "" {
		r.Method = "GET"
	}
	return w.Handle(w.t.Context(), r)
}

func TestTheIdPEndsSessions(t *testing.T) {
	for name, send := range map[string]func(*world, samltest.Logout) login.Request{
		"by redirect": func(w *world, l samltest.Logout) login.Request {
			l.RelayState = "theirs"
			return byRedirect(w.idp.LogoutQuery(l))
		},
		"by post": func(w *world, l samltest.Logout) login.Request { return byPost(w.idp.LogoutForm(l)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := withLogout(t)
			w.knowsSomebodyElse()
			one, other, somebody := w.browser(), w.browser(), w.browser()
			one.signsIn(func(s *samltest.Spec) { s.AssertionID = "_one" })
			other.signsIn()
			somebody.signsIn(func(s *samltest.Spec) { s.NameID = "somebody-else" })
			who := one.session().Principal.NameID

			page := w.frame(send(w, samltest.Logout{Destination: slo, NameID: who, Sessions: []string{"_one"}}))
			if to := header(page, "location"); page.Status != 303 || !strings.HasPrefix(to, "https://idp.test/slo?SAMLResponse=") || !strings.Contains(to, "&RelayState=theirs&") {
				t.Fatalf("answered %d to %q: %v", page.Status, to, page.Refusal)
			}
			if one.session() != nil || other.session() == nil || somebody.session() == nil {
				t.Error("one session was named, and not that one alone has ended")
			}
			w.frame(send(w, samltest.Logout{Destination: slo, NameID: who}))
			if other.session() != nil || somebody.session() == nil {
				t.Error("no session was named, and not all of this person alone have ended")
			}
			if len(w.ended) != 2 {
				t.Errorf("%d sessions were forgotten", len(w.ended))
			}
		})
	}
}

func TestWhatEndsNoSession(t *testing.T) {
	w := withLogout(t)
	b := w.browser()
	b.signsIn()
	who := b.session().Principal.NameID
	right := samltest.Logout{Destination: slo, NameID: who}
	stranger, err := samltest.New(samltest.Options{EntityID: "https://elsewhere.test", SSOURL: "https://elsewhere.test/sso", Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	unsigned, old, another := right, right, right
	unsigned.Unsigned, old.IssueInstant, another.NameID = true, w.now().Add(-time.Hour), "somebody-else"
	for name, c := range map[string]struct {
		request login.Request
		code    string
	}{
		"unsigned, by redirect": {byRedirect(w.idp.LogoutQuery(unsigned)), "saml_unsigned"},
		"unsigned, by post":     {byPost(w.idp.LogoutForm(unsigned)), "saml_unsigned"},
		"old":                   {byRedirect(w.idp.LogoutQuery(old)), "saml_issue_instant"},
		"of another IdP":        {byPost(stranger.LogoutForm(right)), string(saml.CodeLogoutIssuer)},
		"nothing":               {byRedirect(""), "saml_logout_query"},
		"an empty post":         {login.Request{Method: "POST", Path: login.SLOPath}, string(login.CodeLogoutForm)},
		"by PUT":                {login.Request{Method: "PUT", Path: login.SLOPath}, string(login.CodeLogoutForm)},
		"about somebody else":   {byRedirect(w.idp.LogoutQuery(another)), ""},
	} {
		page := b.asks(c.request)
		if c.code == "" && page.Refusal != nil || c.code != "" && (page.Refusal == nil || string(page.Refusal.Code) != c.code) {
			t.Errorf("%s: %v, want %q", name, page.Refusal, c.code)
		}
		if b.session() == nil {
			t.Fatalf("%s: the session has ended", name)
		}
	}
}

// A logout message counts once, so that one that was overheard is of no use.
func TestALogoutMessageIsUsedOnce(t *testing.T) {
	w := withLogout(t)
	b := w.browser()
	b.signsIn()
	message := byRedirect(w.idp.LogoutQuery(samltest.Logout{Destination: slo, NameID: b.session().Principal.NameID}))
	w.frame(message)
	b.signsIn()
	message.HTML = true
	page := w.frame(message)
	if page.Refusal == nil || page.Refusal.Code != login.CodeReplay || b.session() == nil {
		t.Errorf("a second time: %v", page.Refusal)
	}
	// Whoever has it learns as little as from one that was made up.
	message.Query = message.Query[:len(message.Query)-8] + "AAAAAA=="
	if forged := w.frame(message); forged.Refusal == nil || forged.Refusal.Code == login.CodeReplay || looks(forged) != looks(page) {
		t.Errorf("a second time:\n%s\na forged one (%v):\n%s", looks(page), forged.Refusal, looks(forged))
	}
}

// A logout message counts once. So it ends what it can at that time, also where it
// cannot be known whose browser brought it.
func TestALogoutMessageEndsWhatItCan(t *testing.T) {
	w := withLogout(t)
	one, other := w.browser(), w.browser()
	one.signsIn()
	other.signsIn()
	message := byRedirect(w.idp.LogoutQuery(samltest.Logout{Destination: slo, NameID: one.session().Principal.NameID}))
	kept := w.Sessions.Store
	w.Sessions.Store = unreadable{kept}
	page := one.asks(message)
	w.Sessions.Store = kept
	if page.Refusal == nil || one.session() != nil || other.session() != nil {
		t.Errorf("%d, %v, and the sessions are %v and %v", page.Status, page.Refusal, one.session(), other.session())
	}
}

// unreadable is a store that does not answer whoever reads.
type unreadable struct{ state.Store }

func (unreadable) Get(context.Context, string) ([]byte, error) { return nil, errAway }

// A logout here ends the session before the IdP is asked to end its own.
func TestALogoutGoesOnToTheIdP(t *testing.T) {
	w := withLogout(t)
	b := w.browser()
	b.signsIn()
	page := b.asks(login.Request{Path: login.LogoutPath})
	to := header(page, "location")
	if page.Status != 303 || !strings.HasPrefix(to, "https://idp.test/slo?SAMLRequest=") || !strings.Contains(to, "&Signature=") || header(page, "clear-site-data") == "" {
		t.Fatalf("%d to %q", page.Status, to)
	}
	if b.session() != nil || len(w.ended) != 1 {
		t.Error("the session has not ended yet")
	}
	for status, refused := range map[string]bool{samltest.Success: false, samltest.Responder: true} {
		back := b.asks(byRedirect(w.idp.LogoutQuery(samltest.Logout{Answer: true, Destination: slo, InResponseTo: "id-x", Status: status})))
		if header(back, "location") != login.SignedOutPath || (back.Refusal != nil) != refused {
			t.Errorf("back with %s: to %q, %v", status, header(back, "location"), back.Refusal)
		}
	}
	if request := b.starts("/"); !request.ForceAuthn {
		t.Error("the next login does not ask again")
	}
}

func TestRequestsByPostSendThemselves(t *testing.T) {
	w := withLogout(t)
	w.IdPs[0].SP().PostRequests = true
	b := w.browser()
	page := b.keeps(w.Start(t.Context(), login.Request{Method: "GET", Path: "/", Target: "/", HTML: true}))
	body := string(page.Body)
	if page.Status != http.StatusOK || !strings.Contains(body, `action="https://idp.test/sso"`) || !strings.Contains(body, `name="SAMLRequest"`) || !strings.Contains(body, `name="RelayState"`) {
		t.Fatalf("%d: %s", page.Status, body)
	}
	csp := header(page, "content-security-policy")
	if !strings.Contains(csp, "form-action https:;") || !strings.Contains(csp, "script-src 'sha256-") || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("the policy is %s", csp)
	}
}

func TestPeopleAreSentToTheirDomainsIdP(t *testing.T) {
	w := withLogout(t)
	w.IdPs[0].Domains = []string{"hospital.example"}
	w.IdPs = append(w.IdPs, login.IdP{Name: "other", SP: w.serviceProvider(w.idp, "other")})
	b := w.browser()
	for email, found := range map[string]bool{"ada@Hospital.Example": true, " ada@hospital.example ": true, "ada@agency.example": false, "ada@sub.hospital.example": false, "": false, "hospital.example": false} {
		page := b.asks(login.Request{Path: login.StartPath, Query: url.Values{"email": {email}, "to": {"/projects/"}}.Encode()})
		if sent := strings.HasPrefix(header(page, "location"), "https://idp.test/sso?"); sent != found {
			t.Errorf("%q: %d to %q", email, page.Status, header(page, "location"))
		}
		if !found && !strings.Contains(string(page.Body), `type="email"`) {
			t.Errorf("%q: there is nothing to choose from: %s", email, page.Body)
		}
	}
}

// One person has a bounded number of sessions: the oldest goes.
func TestOnePersonHasSoManySessions(t *testing.T) {
	w := newWorld(t)
	w.Sessions.PerPerson = 2
	w.knowsSomebodyElse()
	var theirs []*browser
	somebody := w.browser()
	somebody.signsIn(func(s *samltest.Spec) { s.NameID = "somebody-else" })
	for range 3 {
		b := w.browser()
		b.signsIn()
		theirs = append(theirs, b)
		w.passes(time.Second)
	}
	if theirs[0].session() != nil || theirs[1].session() == nil || theirs[2].session() == nil || somebody.session() == nil {
		t.Error("not the oldest session alone has ended")
	}
	if len(w.ended) != 1 {
		t.Errorf("%d sessions were forgotten", len(w.ended))
	}
}
