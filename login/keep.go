package login

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/session"
)

// KeepPath is the page that renews a person's credentials while it is open in
// a tab, RenewPath where it goes to do so. An editor that stays open for hours
// opens no page, so nothing else would; and a page that nobody has to look at
// can go to the IdP and back. Where the IdP asks for a password, it asks there,
// and the work in the other tabs stays as it is.
const (
	KeepPath  = Prefix + "keep"
	RenewPath = Prefix + "renew"
)

// soonest is how soon the page renews at the earliest.
const soonest = 5 * time.Second

// keepOpen is the page KeepPath.
func (s *Service) keepOpen(ctx context.Context, r Request) Page {
	who, page, ok := s.signedInOr(ctx, r)
	if !ok {
		return page
	}
	ends := s.firstEnd(ctx, who)
	left := ends.Add(-presign.DefaultMargin).Sub(s.Now()) // nothing is signed in the last moments
	page = render(http.StatusOK, "keep", struct {
		CSS               template.CSS
		Ends, RenewalPath string
		Seconds           int
	}{css(), ends.UTC().Format(time.RFC3339), RenewPath, int(max(left/2, soonest) / time.Second)})
	page.Event, page.Session = "keep", who
	return page
}

// renewNow goes to the IdP and comes back to KeepPath.
func (s *Service) renewNow(ctx context.Context, r Request) Page {
	who, page, ok := s.signedInOr(ctx, r)
	if !ok {
		return page
	}
	page, ok = s.renewTo(ctx, r, who, KeepPath)
	if !ok && page.Refusal == nil {
		return s.refuse(r, refusal.New(refusal.Forbidden, CodeLoginUnknown, "the session was begun with IdP %q, which is no longer configured", who.Principal.IdP))
	}
	return page
}

// signedInOr gives the session, or the page to show without one.
func (s *Service) signedInOr(ctx context.Context, r Request) (*session.Session, Page, bool) {
	who, err := s.Sessions.Find(ctx, r.CookieLines)
	if errors.Is(err, session.ErrNone) {
		return nil, s.refuse(r, refusal.New(refusal.Unauthenticated, "no_session", "nobody is signed in")), false
	}
	if err != nil {
		return nil, s.broken(r, err), false
	}
	return who, Page{}, true
}

// firstEnd is when the first of a session's credentials end, or the session.
func (s *Service) firstEnd(ctx context.Context, who *session.Session) time.Time {
	first := who.Expires
	for _, role := range who.Roles {
		c, err := s.Cache.Get(ctx, credcache.Key{Session: who, Role: role})
		if err != nil {
			return s.Now()
		}
		if c.Expires.Before(first) {
			first = c.Expires
		}
	}
	return first
}
