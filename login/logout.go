package login

import (
	"context"
	"errors"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/session"
)

// Logout ends the session and everything that hangs on it, has the browser
// clear what it keeps of the site, and makes the next login ask again. The
// application's own logout leads here too.
func (s *Service) Logout(ctx context.Context, r Request) Page {
	if r.CrossSite {
		return s.refuse(r, refusal.New(refusal.Forbidden, "logout_cross_site", "another site tried to sign the person out"))
	}
	page := redirect(SignedOutPath)
	page.Event = "logout"
	ended, err := s.Sessions.Find(ctx, r.CookieLines)
	if err != nil && !errors.Is(err, session.ErrNone) {
		return s.broken(r, err)
	}
	if ended != nil {
		if err := s.end(ctx, ended); err != nil {
			return s.broken(r, err)
		}
		page.Session = ended
	}
	page.set("set-cookie", session.DropCookie())
	page.set("set-cookie", forceCookie+"=1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000")
	for _, name := range s.AppCookies {
		page.set("set-cookie", name+"=; Path=/; Max-Age=0")
	}
	for _, name := range pendingNames(r.CookieLines) {
		page.set("set-cookie", dropPending(name))
	}
	page.set("clear-site-data", `"cache", "storage"`)
	return page
}

// end forgets a session: the record first, so that from here on every request
// is refused, then what was kept for it.
func (s *Service) end(ctx context.Context, ended *session.Session) error {
	if err := s.Sessions.End(ctx, ended); err != nil {
		return err
	}
	s.Ended(ended.ID)
	for _, role := range ended.Roles {
		policies, err := s.Grants.SessionPolicies(role)
		if err != nil {
			return err
		}
		for shard := range policies {
			if err := s.Cache.Forget(ctx, credcache.Key{Session: ended, Role: role, Shard: shard}); err != nil {
				return err
			}
		}
	}
	return nil
}
