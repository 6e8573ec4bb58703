package decision

import (
	"context"
	"time"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/session"
)

// renewBefore is how long before their end credentials are renewed, when the
// person happens to open a page.
const renewBefore = 15 * time.Minute

// renew sends a person who opens a page to the IdP, in time before their
// credentials end: a page can be led there and back, and what is on it loads
// afterwards. A request of a script or of a picture cannot.
func (d *Decider) renew(ctx context.Context, r *Request, e *Event, who *session.Session) (Decision, bool) {
	if d.Observer || r.Method != "GET" || !r.navigation() || login.Renewing(r.CookieLines) || !d.renewalDue(ctx, who) {
		return Decision{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, d.Deadlines.Login)
	defer cancel()
	page, ok := d.Login.Renew(ctx, r.forLogin(d.PublicOrigin), who)
	if !ok {
		return Decision{}, false // what is there still serves
	}
	return d.shown(e, page), true
}

// renewalDue says that credentials of a role have ended or end soon, though
// they were not given just now: an IdP or a role that gives them for a few
// minutes only must not keep a person in the login.
func (d *Decider) renewalDue(ctx context.Context, who *session.Session) bool {
	now := d.Now()
	if now.Sub(who.Created) < renewBefore {
		return false
	}
	soon := within(ctx, d.Deadlines.State)
	defer soon.cancel()
	for _, role := range who.Roles {
		credentials, err := d.Cache.Get(soon, credcache.Key{Session: who, Role: role})
		if err != nil || credentials.Expires.Sub(now) < renewBefore {
			return true
		}
	}
	return false
}
