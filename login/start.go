package login

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// Start sends a person who wanted a page to the IdP, to come back to it.
func (s *Service) Start(ctx context.Context, r Request) Page {
	if len(s.IdPs) > 1 {
		return s.choose(r)
	}
	return s.start(ctx, r, s.IdPs[0], returnTo(r.Target), 0, signsIn)
}

// restart is the page StartPath: a login begun by hand, by a choice among
// IdPs, or anew after a response that could not be used.
func (s *Service) restart(ctx context.Context, r Request) Page {
	query, err := url.ParseQuery(r.Query)
	if err != nil {
		return s.Refuse(r, refusal.New(refusal.Malformed, "start_query", "the query of the login page cannot be read"))
	}
	attempt, _ := strconv.Atoi(query.Get("try"))
	if attempt > mostAttempts || attempt < 0 {
		return s.lostCookie(r)
	}
	back := returnTo(query.Get("to"))
	if len(s.IdPs) == 1 {
		return s.start(ctx, r, s.IdPs[0], back, attempt, signsIn)
	}
	for _, idp := range s.IdPs {
		if idp.Name == query.Get("idp") || query.Get("idp") == "" && idp.serves(query.Get("email")) {
			return s.start(ctx, r, idp, back, attempt, signsIn)
		}
	}
	r.Target = back
	return s.choose(r)
}

// serves says whether people with an e-mail address sign in there.
func (i IdP) serves(email string) bool {
	_, domain, ok := strings.Cut(email, "@")
	return ok && slices.Contains(i.Domains, strings.ToLower(strings.TrimSpace(domain)))
}

// errand is what a browser is sent to the IdP for.
type errand int

const (
	// signsIn is a login.
	signsIn errand = iota
	// renews is for the session that the browser has.
	renews
	// renewsUnasked is the same for a page that can wait: the IdP is told to ask
	// the person nothing.
	renewsUnasked
)

// start sends the browser to an IdP.
func (s *Service) start(ctx context.Context, r Request, idp IdP, back string, attempt int, why errand) Page {
	h, err := s.newHandle(attempt)
	if err != nil {
		return s.broken(r, err)
	}
	_, forced := session.Cookie(r.CookieLines, forceCookie)
	passive := why == renewsUnasked && !forced
	message, err := s.authnRequest(ctx, idp, why, saml.AuthnRequestOptions{ForceAuthn: forced, IsPassive: passive, RelayState: h.String()})
	if errors.Is(err, errBusy) {
		return s.Refuse(r, refusal.New(refusal.Unavailable, CodeBusy, "too many logins begin at once: try again"))
	}
	if err != nil {
		return s.broken(r, err)
	}
	replaces, whose, err := s.current(ctx, r)
	if err != nil {
		return s.broken(r, err)
	}
	cookie, err := s.sealPending(h, pending{RequestID: message.ID, IdP: idp.Name, Return: back, Forced: forced, Started: s.Now(), Replaces: replaces, Whose: whose, Renewing: why != signsIn, Passive: passive})
	if err != nil {
		return s.broken(r, err)
	}
	page := sending(message)
	page.Event = "start"
	if names := pendingNames(r.CookieLines); len(names) >= mostPending {
		for _, name := range names {
			page.set("set-cookie", dropPending(name))
		}
	}
	page.set("set-cookie", cookie)
	return page
}

// authnRequest makes the request to an IdP. A signature costs more than all else
// that a stranger can ask for, so theirs are made in turns; whoever is in and
// renews does not wait behind them.
func (s *Service) authnRequest(ctx context.Context, idp IdP, why errand, o saml.AuthnRequestOptions) (*saml.Message, error) {
	if why == signsIn {
		back, err := s.Signing.take(ctx)
		if err != nil {
			return nil, err
		}
		defer back()
	}
	return idp.SP().AuthnRequest(o)
}

// current is the session that the browser has now, if any, and whose it is.
func (s *Service) current(ctx context.Context, r Request) (id, whose string, err error) {
	now, err := s.Sessions.Find(ctx, r.CookieLines)
	if errors.Is(err, session.ErrNone) {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	return now.ID, whoseIs(now.Principal), nil
}

// whoseIs names a person in a pending login, without telling who it is.
func whoseIs(p saml.Principal) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s:%s", len(p.IdP), p.IdP, p.NameID))
	return hex.EncodeToString(sum[:16])
}
