package login

import (
	"context"
	"errors"
	"mime"
	"net/url"
	"slices"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// CodeLogoutForm is a logout message in a form that cannot be read.
const CodeLogoutForm refusal.Code = "slo_form"

// singleLogout is where the IdP's logout messages arrive, by redirect or by
// post, signed in any case: its request ends sessions here, its answer ends a
// logout that began here. No cookie of ours is needed, because the IdP may
// send its request from a frame or from another site.
func (s *Service) singleLogout(ctx context.Context, r Request) Page {
	sp, message, relayState, err := s.readLogoutInTurn(ctx, r)
	if err != nil {
		return s.refuseResponse(r, err)
	}
	if message.Answer {
		return s.loggedOut(message)
	}
	first, err := s.Used.Use(ctx, "logout:"+sp.IdP.Metadata.EntityID+":"+message.ID, message.UsableUntil)
	if err != nil {
		return s.Refuse(r, refusal.New(refusal.Unavailable, CodeReplay, "it cannot be known whether the logout message was used before").Because(err))
	}
	if !first {
		return s.refuseResponse(r, refusal.New(refusal.Forbidden, CodeReplay, "the logout message was used before"))
	}
	// The message does not count again, so it ends what it can.
	own, _, unknown := s.current(ctx, r)
	ending, err := s.endNamed(ctx, message.NameID, about(sp.IdP.Name, message))
	if err := errors.Join(unknown, err); err != nil {
		return s.broken(r, err)
	}
	page := s.answerLogout(r, sp, message, relayState)
	// Somebody else's message leaves this browser alone: it would be a way to
	// sign others out.
	if slices.ContainsFunc(ending, func(l session.Listed) bool { return l.ID == own }) {
		s.clears(&page, r)
	}
	return page
}

// endNamed ends the sessions of a name that are wanted, and their logins under way.
func (s *Service) endNamed(ctx context.Context, nameID string, wanted func(session.Listed) bool) ([]session.Listed, error) {
	_, missed := s.EndUnderWay(ctx, wanted)
	ending, err := s.Sessions.Named(ctx, nameID, wanted)
	return ending, errors.Join(missed, err, s.endSessions(ctx, ending))
}

func (s *Service) readLogoutInTurn(ctx context.Context, r Request) (*saml.ServiceProvider, *saml.Logout, string, error) {
	release, ref := s.takeTurn(ctx)
	if ref != nil {
		return nil, nil, "", ref
	}
	defer release()
	return s.readLogout(r)
}

// readLogout verifies the message with the IdP whose issuer it names.
func (s *Service) readLogout(r Request) (*saml.ServiceProvider, *saml.Logout, string, error) {
	read, ref := logoutReader(r)
	if ref != nil {
		return nil, nil, "", ref
	}
	var failed error
	for _, idp := range s.IdPs {
		sp := idp.SP()
		message, relayState, err := read(sp)
		if err == nil {
			return sp, message, relayState, nil
		}
		if failed == nil || refusal.CodeOf(err) != saml.CodeLogoutIssuer {
			failed = err
		}
	}
	return nil, nil, "", failed
}

// logoutReader tells the bindings apart.
func logoutReader(r Request) (func(*saml.ServiceProvider) (*saml.Logout, string, error), *refusal.Refusal) {
	switch r.Method {
	case "GET":
		return func(sp *saml.ServiceProvider) (*saml.Logout, string, error) { return sp.ReadLogoutQuery(r.Query) }, nil
	case "POST":
	default:
		return nil, refusal.New(refusal.MethodNotAllowed, CodeLogoutForm, "the logout service takes the IdP's redirect or post only")
	}
	media, _, err := mime.ParseMediaType(r.ContentType)
	form, wrong := url.ParseQuery(string(r.Body))
	field := "SAMLRequest"
	if len(form[field]) == 0 {
		field = "SAMLResponse"
	}
	if err != nil || wrong != nil || media != "application/x-www-form-urlencoded" || len(form["SAMLRequest"])+len(form["SAMLResponse"]) != 1 || len(form["RelayState"]) > 1 {
		return nil, refusal.New(refusal.Malformed, CodeLogoutForm, "the form at the logout service must hold one SAMLRequest or one SAMLResponse, and at most one RelayState")
	}
	return func(sp *saml.ServiceProvider) (*saml.Logout, string, error) {
		message, err := sp.ReadLogoutForm(field, form.Get(field))
		return message, form.Get("RelayState"), err
	}, nil
}

// about says whether a session is one of those that a request ends: the
// person's, and of these the ones that it names, or all.
func about(idp string, m *saml.Logout) func(session.Listed) bool {
	return func(l session.Listed) bool {
		return l.Principal.IdP == idp && l.Principal.NameID == m.NameID &&
			(len(m.Sessions) == 0 || l.IdPSession == "" || slices.Contains(m.Sessions, l.IdPSession))
	}
}

// answerLogout tells the IdP that it is done, by way of the browser.
func (s *Service) answerLogout(r Request, sp *saml.ServiceProvider, m *saml.Logout, relayState string) Page {
	answer, err := sp.LogoutResponse(m, relayState)
	if err != nil {
		return s.broken(r, err)
	}
	page := redirect(SignedOutPath)
	if answer != nil {
		page = sending(answer)
	}
	page.Event = "idp-logout"
	return page
}

// loggedOut is the end of a logout that began here. The session ended before
// the IdP was asked, so nothing hangs on the answer but what is shown.
func (s *Service) loggedOut(m *saml.Logout) Page {
	page := redirect(SignedOutPath)
	page.Event = "logged-out"
	if !m.Success {
		page.Refusal = refusal.New(refusal.Unavailable, "slo_partial", "the session ended here; the IdP says that it could not end all others")
	}
	return page
}

// EndSessions ends the sessions that are wanted, at an administrator's wish, with
// every login of theirs that is none yet. It says how many there were.
func (s *Service) EndSessions(ctx context.Context, wanted func(session.Listed) bool) (int, error) {
	n, missed := s.EndUnderWay(ctx, wanted)
	all, err := s.Sessions.List(ctx, wanted)
	theirs := func(l session.Listed) bool {
		return slices.ContainsFunc(all, func(one session.Listed) bool { return of(one.Principal)(l) })
	}
	_, missedToo := s.EndUnderWay(ctx, theirs)
	return n + len(all), errors.Join(missed, err, missedToo, s.endSessions(ctx, all))
}

// endSurplus ends the oldest sessions of a person who has too many.
func (s *Service) endSurplus(ctx context.Context, kept *session.Session) error {
	surplus, err := s.Sessions.Surplus(ctx, kept.Principal)
	if err != nil {
		return err
	}
	return s.endSessions(ctx, surplus)
}

// endSessions ends sessions of others: at somebody's wish, or because one person
// has too many.
func (s *Service) endSessions(ctx context.Context, all []session.Listed) error {
	var failed []error
	for _, one := range all {
		ended := &session.Session{ID: one.ID, Roles: one.Roles}
		failed = append(failed, s.Sessions.End(ctx, ended), s.forget(ctx, ended))
	}
	return errors.Join(failed...)
}
