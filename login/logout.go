package login

import (
	"context"
	"errors"
	"net/http"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// Logout ends the session and everything that hangs on it, has the browser
// clear what it keeps of the site, and makes the next login ask again. The
// application's own logout leads here too.
func (s *Service) Logout(ctx context.Context, r Request) Page {
	if r.CrossSite {
		return s.Refuse(r, refusal.New(refusal.Forbidden, "logout_cross_site", "another site tried to sign the person out"))
	}
	ended, err := s.Sessions.Find(ctx, r.CookieLines)
	if err != nil && !errors.Is(err, session.ErrNone) {
		return s.broken(r, err)
	}
	page := redirect(SignedOutPath)
	if ended != nil {
		page = s.leaves(ended)
	}
	page.Event = "logout"
	if ended != nil {
		_, missed := s.EndUnderWay(ctx, of(ended.Principal))
		if err := errors.Join(missed, s.Sessions.End(ctx, ended)); err != nil {
			return s.broken(r, err)
		}
		page.Session = ended
		if err := s.forget(ctx, ended); err != nil {
			// The session has ended all the same: the browser is told so.
			page.Refusal = refusal.New(refusal.Unavailable, CodeInternal, "the session ended, but its credentials could not be deleted from the state: they expire there").Because(err)
		}
	}
	s.clears(&page, r)
	return page
}

// leaves sends the browser on to end the session at the IdP, where that has
// single logout. What goes wrong there keeps nobody signed in here. Where the
// application signs people in, the IdP's session is the application's to end: the
// IdP does not know us.
func (s *Service) leaves(ended *session.Session) Page {
	if len(s.Observed) > 0 {
		return redirect(SignedOutPath)
	}
	for _, idp := range s.IdPs {
		if idp.Name != ended.Principal.IdP {
			continue
		}
		message, err := idp.SP().LogoutRequest(saml.Subject{NameID: ended.Principal.NameID, NameIDFormat: ended.Principal.NameIDFormat, SessionIndex: ended.IdPSession})
		if err == nil && message != nil {
			return sending(message)
		}
	}
	return redirect(SignedOutPath)
}

// clearSite has a browser forget what it keeps of the site, and end the site's
// service workers, when a person leaves or another one takes their place: they
// keep addresses that name objects, and locations that are good for a while.
const clearSite = `"cache", "storage"`

// cleared is what the page SignedOutPath loads: it has the browser clear its
// caches once more. A browser puts a page that it leaves away as it stands, with
// its pictures, for the way back. It does so when the next page begins, and by
// then it has obeyed the header of the logout itself. See decision 22.
func (s *Service) cleared(r Request) Page {
	page := bare(http.StatusNoContent)
	if !r.CrossSite { // another site's page could make ours slow
		page.set("clear-site-data", `"cache"`)
	}
	page.Event = "cleared"
	return page
}

// clears has the browser forget everything of the site, and ask for the
// password at the next login.
func (s *Service) clears(page *Page, r Request) {
	page.set("set-cookie", session.DropCookie())
	page.set("set-cookie", ownCookie(forceCookie, "1", forceLife))
	for _, name := range s.AppCookies {
		page.set("set-cookie", name+"=; Path=/; Max-Age=0")
	}
	s.abandon(r)
	page.set("set-cookie", dropCookie(retryCookie))
	for _, name := range pendingNames(r.CookieLines) {
		page.set("set-cookie", dropPending(name))
	}
	page.set("clear-site-data", clearSite)
}

// forget drops what was kept for a session whose record is gone: from memory
// all of it, from the state what today's grants would have put there.
func (s *Service) forget(ctx context.Context, ended *session.Session) error {
	s.Ended(ended.ID)
	s.Cache.ForgetSession(ended.ID)
	var failed []error
	for _, role := range ended.Roles {
		// A role that lost its grants since the login had one shard at least.
		policies, _ := s.Grants.SessionPolicies(role)
		for shard := range max(1, len(policies)) {
			failed = append(failed, s.Cache.Forget(ctx, credcache.Key{Session: ended, Role: role, Shard: shard}))
		}
	}
	return errors.Join(failed...)
}
