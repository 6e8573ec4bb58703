package login

import (
	"context"
	"time"

	"github.com/rolepass/rolepass/session"
)

// renewCookie marks a browser that was sent to renew its credentials. While it
// is there, no other renewal begins: with an IdP that is down or asks for a
// password, the person goes on with what they have.
const renewCookie = "__Host-rolepass-renews"

// renewPause is how long a browser is left alone after a renewal began.
const renewPause = 5 * time.Minute

// Renewing says that a renewal began in this browser a short time ago.
func Renewing(cookieLines []string) bool {
	_, ok := session.Cookie(cookieLines, renewCookie)
	return ok
}

// Renew sends somebody who is signed in, and opens a page, to their IdP for a
// new assertion. An IdP that still knows them answers at once; the session and
// its credentials are then replaced by new ones, and the page opens.
func (s *Service) Renew(ctx context.Context, r Request, who *session.Session) (Page, bool) {
	return s.renewTo(ctx, r, who, returnTo(r.Target), renews)
}

// renewTo renews and comes back to an address of this site.
func (s *Service) renewTo(ctx context.Context, r Request, who *session.Session, back string, why errand) (Page, bool) {
	for _, idp := range s.IdPs {
		if idp.Name != who.Principal.IdP {
			continue
		}
		page := s.start(ctx, r, idp, back, 0, why)
		page.set("set-cookie", ownCookie(renewCookie, "1", renewPause))
		if page.Event == "start" {
			page.Event = "renew"
		}
		return page, page.Refusal == nil
	}
	return Page{}, false
}
