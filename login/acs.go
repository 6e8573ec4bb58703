package login

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"strconv"
	"strings"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// Codes of the ACS. Those of the assertion itself are package saml's.
const (
	CodeACSForm      refusal.Code = "acs_form"
	CodeACSBusy      refusal.Code = "acs_busy"
	CodeLoginUnknown refusal.Code = "acs_login_unknown"
	CodeReplay       refusal.Code = "saml_replay"
	CodeBeforeStart  refusal.Code = "saml_before_start"
	CodeNoRole       refusal.Code = "no_granted_role"
	CodeTransient    refusal.Code = "name_id_transient"
	CodeManyRoles    refusal.Code = "too_many_roles"
	CodeInternal     refusal.Code = "internal"
)

// transient is the format of a NameID that is another one at each login (SAML
// core §8.3.8).
const transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

// consume is the assertion consumer service. In order: the form; the login
// that this browser started; the response; how many its person begins; that it
// is used once; the roles; their credentials; the application's account; the
// session.
func (s *Service) consume(ctx context.Context, r Request) Page {
	encoded, h, ref := readForm(r)
	if ref != nil {
		return s.Refuse(r, ref)
	}
	login, ok := s.openPending(h, r.CookieLines)
	if !ok {
		return s.unknown(r, h)
	}
	a, sp, err := s.verify(ctx, login, encoded)
	if unsolicited(err) {
		return s.unknown(r, h)
	}
	if login.Passive && saidNo(err) {
		return notUnasked(h)
	}
	if err != nil {
		return s.refuseResponse(r, err)
	}
	in := answered{h, login, encoded, a, sp}
	var page Page
	err = s.unlessEnded(ctx, a, func() (*session.Session, error) {
		page = s.enterOrWait(ctx, r, in)
		return page.Session, nil
	})
	if err != nil {
		s.waiting.forget(in.handle.name)
		return s.refuseResponse(r, err).after(page.Steps)
	}
	return page
}

// enterOrWait lets a person in, or lets their login wait where that may help. A
// login too many has not been used: it may be sent again when there is room.
func (s *Service) enterOrWait(ctx context.Context, r Request, in answered) Page {
	over, err := s.begins(ctx, personOf(in.assertion.Principal))
	if err != nil {
		return s.refuseError(r, err)
	}
	defer over()
	if err := s.useOnce(ctx, in.pending, in.assertion, in.sp); err != nil {
		return s.refuseResponse(r, err)
	}
	page, err := s.enter(ctx, in)
	if err != nil {
		return s.later(r, in, err).after(page.Steps)
	}
	s.waiting.forgetOwner(whoseIs(page.Session.Principal)) // who is in needs no other try
	return page
}

// readForm reads the POST of the IdP's form strictly.
func readForm(r Request) (encoded string, h handle, ref *refusal.Refusal) {
	bad := func(sentence string) (string, handle, *refusal.Refusal) {
		return "", handle{}, refusal.New(refusal.Malformed, CodeACSForm, "%s", sentence)
	}
	if r.Method != "POST" {
		return "", handle{}, refusal.New(refusal.MethodNotAllowed, CodeACSForm, "the ACS takes the IdP's POST only: the IdP's binding must be HTTP-POST")
	}
	if media, _, err := mime.ParseMediaType(r.ContentType); err != nil || media != "application/x-www-form-urlencoded" {
		return bad("the ACS takes application/x-www-form-urlencoded only")
	}
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return bad("the form at the ACS cannot be read")
	}
	if len(form["SAMLResponse"]) != 1 || len(form["RelayState"]) > 1 {
		return bad("the form at the ACS must hold one SAMLResponse and at most one RelayState")
	}
	// An empty or foreign RelayState is no error: it names no login, as with
	// a tile at the IdP, and leads to a fresh one.
	h, _ = parseHandle(form.Get("RelayState"))
	return form.Get("SAMLResponse"), h, nil
}

// unknown answers a response to a login that this browser did not start: an
// IdP's tile, a lost cookie, or somebody else's response. It becomes a fresh
// login, never a session; after a few rounds the person is told.
func (s *Service) unknown(r Request, h handle) Page {
	if h.attempt >= mostAttempts {
		return s.lostCookie(r)
	}
	page := redirect(StartPath + "?try=" + strconv.Itoa(h.attempt+1))
	page.Event = "restart"
	page.Refusal = refusal.New(refusal.Unauthenticated, CodeLoginUnknown, "a response arrived for a login that this browser did not start: a fresh login was begun")
	return page
}

// takeTurn bounds the verifications that run at once, so that a flood of
// responses costs others nothing.
func (s *Service) takeTurn(ctx context.Context) (release func(), ref *refusal.Refusal) {
	select {
	case s.Verifying <- struct{}{}:
		return func() { <-s.Verifying }, nil
	case <-ctx.Done():
		return nil, refusal.New(refusal.Unavailable, CodeACSBusy, "too many logins arrive at once: try again")
	}
}

// unsolicited says that a response answers no request, though this browser
// waits for an answer: as with a tile at the IdP, a fresh login is begun.
func unsolicited(err error) bool {
	return refusal.CodeOf(err) == "saml_unsolicited"
}

// verify verifies an answer to a login of ours.
func (s *Service) verify(ctx context.Context, login pending, encoded string) (*saml.Assertion, *saml.ServiceProvider, error) {
	for _, idp := range s.IdPs {
		if idp.Name != login.IdP {
			continue
		}
		sp := idp.SP()
		expect := saml.Expect{RequestID: login.RequestID}
		if login.Forced {
			expect.AuthenticatedSince = login.Started
		}
		a, err := s.verifyWith(ctx, sp, encoded, expect)
		return a, sp, err
	}
	return nil, nil, refusal.New(refusal.Forbidden, CodeLoginUnknown, "the login was begun with IdP %q, which is no longer configured", login.IdP)
}

// verifyWith holds its turn for the arithmetic only, never while others are
// asked.
func (s *Service) verifyWith(ctx context.Context, sp *saml.ServiceProvider, encoded string, expect saml.Expect) (*saml.Assertion, error) {
	release, ref := s.takeTurn(ctx)
	if ref != nil {
		return nil, ref
	}
	defer release()
	return sp.Verify(encoded, expect)
}

// useOnce lets an assertion, and the request that it answers, pass a single
// time: of two concurrent submissions one wins. The IdP's clock may be ahead of
// ours, so a login that began before the process is refused by our own as well.
func (s *Service) useOnce(ctx context.Context, login pending, a *saml.Assertion, sp *saml.ServiceProvider) error {
	if a.IssueInstant.Before(s.Started) || login.Started.Before(s.Started) {
		return refusal.New(refusal.Forbidden, CodeBeforeStart, "the assertion was issued before this process started, so it cannot be known whether it was used: sign in again")
	}
	// The request is forgotten when its pending login has ended for certain.
	forget := s.Now().Add(pendingLife)
	if until := sp.UsableUntil(a); until.After(forget) {
		forget = until
	}
	for _, name := range []string{
		"assertion:" + strconv.Itoa(len(a.Issuer)) + ":" + a.Issuer + ":" + a.ID,
		"request:" + a.InResponseTo,
	} {
		first, err := s.Used.Use(ctx, name, forget)
		if err != nil {
			return refusal.New(refusal.Unavailable, CodeReplay, "it cannot be known whether the assertion was used before").Because(err)
		}
		if !first {
			return refusal.New(refusal.Forbidden, CodeReplay, "the assertion, or an answer to the same request, was used before: sign in again")
		}
	}
	return nil
}

// enter turns a verified assertion into a session. The page has its steps where
// it fails, too.
func (s *Service) enter(ctx context.Context, in answered) (Page, error) {
	a := in.assertion
	if a.Principal.NameIDFormat == transient {
		return Page{}, refusal.New(refusal.Forbidden, CodeTransient, "the NameID is transient, another one at each login, so nothing can be bound to the person: set the NameID format to persistent at the IdP")
	}
	roles := s.usableRoles(a)
	if len(roles) == 0 {
		return Page{}, noRole(a)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // nobody waits for the application once the roles have failed
	account := s.signInMeanwhile(ctx, a.Principal)
	if err := s.takeRoles(ctx, a, in.encoded, roles); err != nil {
		return Page{Steps: stsSteps(roles)}, err
	}
	app := <-account
	page, err := s.admit(ctx, in, app, roles)
	return page.after(append(stsSteps(roles), app.step)), err
}

// admit gives a person with roles and an account their session.
func (s *Service) admit(ctx context.Context, in answered, app signedIn, roles []*usable) (Page, error) {
	if app.err != nil {
		return Page{}, app.err
	}
	kept, token, err := s.keep(ctx, in.assertion, member{user: app.user}, roles)
	if err != nil {
		return Page{}, err
	}
	if err := s.settle(ctx, in.pending, kept); err != nil {
		return Page{}, err
	}
	return s.entered(in, kept, token), nil
}

// settle ends what a new session takes the place of. Where that fails, the new one
// ends: nobody gets its cookie.
func (s *Service) settle(ctx context.Context, login pending, kept *session.Session) error {
	err := s.replace(ctx, login, kept)
	if err == nil {
		err = s.endSurplus(ctx, kept)
	}
	if err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	return errors.Join(err, s.undo(ctx, kept))
}

// entered leads into the application, and takes back what the login needed, or
// what another one that waits here does: its person has left this browser.
func (s *Service) entered(in answered, kept *session.Session, token string) Page {
	page := redirect(in.pending.Return)
	if in.pending.Whose != "" && in.pending.Whose != whoseIs(kept.Principal) {
		page.set("clear-site-data", clearSite)
	}
	page.Event, page.Session = "login", kept
	page.set("set-cookie", session.SetCookie(token))
	page.set("set-cookie", dropPending(in.handle.name))
	for _, name := range []string{forceCookie, renewCookie, retryCookie} {
		page.set("set-cookie", dropCookie(name))
	}
	return page
}

// namedRoles is how many roles of an assertion a sentence names.
const namedRoles = 5

// noRole names the roles: as a rule one is spelled in another way than in a grant.
func noRole(a *saml.Assertion) *refusal.Refusal {
	var names []string
	for _, role := range a.Roles[:min(len(a.Roles), namedRoles)] {
		names = append(names, role.ARN)
	}
	if more := len(a.Roles) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return refusal.New(refusal.Forbidden, CodeNoRole, "no grant names a role of the assertion: add a grant, or the role at the IdP; the assertion has %s", cmp.Or(strings.Join(names, ", "), "none"))
}

// replace ends the session that the browser had before. The IdP's POST comes
// from another site and does not bring its cookie, so the pending login says
// which one it was; its roles were as a rule those of the new one. One that is
// only renewed ends a moment later: what its pages have asked for is under way.
func (s *Service) replace(ctx context.Context, login pending, now *session.Session) error {
	if login.Replaces == "" {
		return nil
	}
	if login.Renewing && login.Whose == whoseIs(now.Principal) {
		return s.Sessions.EndSoon(ctx, login.Replaces)
	}
	before := &session.Session{ID: login.Replaces, Roles: now.Roles}
	return errors.Join(s.Sessions.End(ctx, before), s.forget(ctx, before))
}

type signedIn struct {
	user int64
	err  error
	step Step
}

// signInMeanwhile signs the person into the application while STS is asked.
func (s *Service) signInMeanwhile(ctx context.Context, p saml.Principal) <-chan signedIn {
	done := make(chan signedIn, 1)
	began := s.Now()
	go func() {
		var in signedIn
		defer func() {
			if recover() != nil {
				in = signedIn{err: refusal.New(refusal.Unavailable, CodeInternal, "signing into the application failed within Rolepass: report this")}
			}
			in.step = s.step(StepSignIn, "", began, in.err)
			done <- in
		}()
		in.user, in.err = s.SignIn(ctx, p)
	}()
	return done
}
