package login

import (
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
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

// mostWarned is how long before the end the page warns at the earliest, of
// credentials that live long.
const mostWarned = 10 * time.Minute

//go:embed keep.js
var keepJS string

// What the page is for: to renew by itself; to say that the IdP wants to ask the
// person; to say when data access ends, where the application signs people in.
const (
	keepRenews  = "renews"
	keepAsked   = "asked"
	keepWatches = "watches"
)

// askedQuery is that of the page when the IdP would have had to ask.
const askedQuery = "asked"

// kept is what the page shows.
type kept struct {
	Script               template.JS
	State, Title         string
	Ends, Way, IdP       string
	Left, Renews, Warned int
}

// keepOpen is the page KeepPath.
func (s *Service) keepOpen(ctx context.Context, r Request) Page {
	who, page, ok := s.signedInOr(ctx, r)
	if !ok {
		return page
	}
	ends := s.firstEnd(ctx, who)
	left := max(ends.Add(-presign.DefaultMargin).Sub(s.Now()), 0) // nothing is signed in the last moments
	k := kept{
		Script: template.JS(keepJS), State: keepRenews, Title: "Data access stays on", Ends: ends.UTC().Format(time.RFC3339), Way: RenewPath, IdP: s.loginPage(who),
		Left: int(left / time.Second), Renews: int(max(left/2, soonest) / time.Second), Warned: int(min(left/3, mostWarned) / time.Second),
	}
	switch {
	case len(s.Observed) > 0:
		k.State, k.Title = keepWatches, "Data access"
	case r.Query == askedQuery:
		k.State, k.Title = keepAsked, "Sign in to keep data access"
	}
	page = render(http.StatusOK, "keep", k)
	page.replace("content-security-policy", policy("'none'", "script-src "+hashed(keepJS), "connect-src "+origin(k.IdP)))
	page.Event, page.Session = "keep", who
	return page
}

// loginPage is where the IdP of a session asks people, if it is still one.
func (s *Service) loginPage(who *session.Session) string {
	for _, idp := range s.IdPs {
		if idp.Name == who.Principal.IdP {
			return idp.SP().IdP.Metadata.SSO
		}
	}
	return ""
}

// origin is that of an address, as a policy names it.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "'none'"
	}
	return u.Scheme + "://" + u.Host
}

// renewNow goes to the IdP and comes back to KeepPath: by itself, when nobody
// need be asked, or by the person's own click.
func (s *Service) renewNow(ctx context.Context, r Request) Page {
	who, page, ok := s.signedInOr(ctx, r)
	if !ok {
		return page
	}
	why := renewsUnasked
	if r.Query == askedQuery {
		why = renews
	}
	page, ok = s.renewTo(ctx, r, who, KeepPath, why)
	if !ok && page.Refusal == nil {
		return s.Refuse(r, refusal.New(refusal.Forbidden, CodeLoginUnknown, "the session was begun with IdP %q, which is no longer configured", who.Principal.IdP))
	}
	return page
}

// saidNo says that the IdP answered without signing anybody in.
func saidNo(err error) bool { return refusal.CodeOf(err) == "saml_status" }

// notUnasked comes back from an IdP that would have had to ask. The session is
// what it was; the next page that opens may lead to the IdP at once.
func notUnasked(h handle) Page {
	page := redirect(KeepPath + "?" + askedQuery)
	page.Event = "renew"
	page.set("set-cookie", dropPending(h.name))
	page.set("set-cookie", dropCookie(renewCookie))
	return page
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
