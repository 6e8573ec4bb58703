package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
)

// RetryPath is where a login that STS did not answer may be tried again, while
// the assertion lives: the IdP is not asked a second time for it.
const RetryPath = Prefix + "retry"

// Codes of a login that is tried again.
const (
	CodeRetryGone      refusal.Code = "retry_gone"
	CodeRetryTaken     refusal.Code = "retry_under_way"
	CodeRetryCrossSite refusal.Code = "retry_cross_site"
)

// leastWait is how long a login must be good for to wait at all.
const leastWait = 10 * time.Second

// later answers a login that got no credentials. Where that may pass by itself,
// the login waits, and the browser gets the page that tries again. It waits in this
// process: where there are others, the next request is perhaps not for this one, and
// what ends somebody's logins elsewhere would not find it.
func (s *Service) later(r Request, in answered, failed error) Page {
	if !credcache.MayPass(failed) || s.Sessions.Shared != nil {
		return s.refuseResponse(r, failed)
	}
	life := min(in.sp.RedeemableUntil(in.assertion).Sub(s.Now()), saml.DefaultMaxAge)
	if life < leastWait {
		return s.refuseResponse(r, failed)
	}
	cookie, err := s.putAside(in, life)
	if err != nil {
		return s.refuseError(r, errors.Join(failed, err))
	}
	page := s.toRetry(in.handle.name, failed)
	page.set("set-cookie", cookie)
	page.set("set-cookie", dropPending(in.handle.name))
	return page
}

// toRetry leads to the page that tries again, and says for the log why.
func (s *Service) toRetry(name string, why error) Page {
	page := redirect(RetryPath + "?" + url.Values{"login": {name}}.Encode())
	page.Event = "retry"
	if ref, ok := errors.AsType[*refusal.Refusal](why); ok {
		page.Refusal = refusal.New(ref.Class, ref.Code, "%s. The login waits, and may be tried again without the IdP", ref.Sentence).Because(ref.Cause)
	}
	return page
}

// retry is the page RetryPath: it shows the login that waits, and tries it.
func (s *Service) retry(ctx context.Context, r Request) Page {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return s.showRetry(ctx, r)
	case http.MethodPost:
		return s.tryAgain(ctx, r)
	}
	return s.Refuse(r, refusal.New(refusal.MethodNotAllowed, "own_page_method", "%s is not a method of this page: use GET or POST", r.Method))
}

// tryAgain is one more try, by the person: with the assertion that was verified
// and used up when it came, and nothing from the request but the cookie.
func (s *Service) tryAgain(ctx context.Context, r Request) Page {
	if !r.SameOrigin {
		return s.Refuse(r, refusal.New(refusal.Forbidden, CodeRetryCrossSite, "a login was to be tried again, and not by a page of ours"))
	}
	in, _, ok := s.openWaiting(r)
	if !ok {
		return s.retryGone(ctx, r)
	}
	name := in.handle.name
	owner, ok := s.waiting.take(name)
	if !ok {
		return s.toRetry(name, refusal.New(refusal.Unavailable, CodeRetryTaken, "a try of this login is under way"))
	}
	over, err := s.begins(ctx, owner)
	if err != nil {
		s.waiting.giveBack(name)
		return s.refuseError(r, err)
	}
	defer over()
	page, err := s.enterAgain(ctx, r, in)
	there, stays := s.waiting.letGo(name, credcache.MayPass(err))
	switch {
	case stays:
		return s.toRetry(name, err).after(page.Steps)
	case err != nil:
		page = s.refuseResponse(r, err).after(page.Steps)
		page.set("set-cookie", dropCookie(retryCookie))
	case !there: // while STS was asked, the person signed out, somebody ended their logins, or the time passed
		if err := errors.Join(s.Sessions.End(ctx, page.Session), s.forget(ctx, page.Session)); err != nil {
			return s.broken(r, err).after(page.Steps)
		}
		return s.retryGone(ctx, r).after(page.Steps)
	}
	return page
}

// enterAgain verifies what waits as when it came, but for its having been used:
// that it was, is why it is here.
func (s *Service) enterAgain(ctx context.Context, r Request, in answered) (page Page, err error) {
	defer func() {
		if recover() != nil {
			page, err = Page{}, refusal.New(refusal.Unavailable, CodeInternal, "trying a login again failed within Rolepass: report this")
		}
	}()
	if in.assertion, in.sp, err = s.verify(ctx, in.pending, in.encoded); err != nil {
		return Page{}, err
	}
	// Somebody may have signed in here meanwhile, and this POST brings their
	// cookie, as the IdP's did not.
	now, whose, err := s.current(ctx, r)
	if err != nil {
		return Page{}, err
	}
	if now != "" && now != in.pending.Replaces {
		in.pending.Replaces, in.pending.Whose = now, whose
	}
	return s.enter(ctx, in)
}

// showRetry shows how long the login may be tried again.
func (s *Service) showRetry(ctx context.Context, r Request) Page {
	in, until, ok := s.openWaiting(r)
	if !ok {
		return s.retryGone(ctx, r)
	}
	_, left, taken := s.waiting.look(in.handle.name)
	p := render(http.StatusServiceUnavailable, "retry", struct {
		Action, Until, For, ID, Contact string
		Left                            int
		Taken, SignedIn                 bool
	}{RetryPath + "?" + url.Values{"login": {in.handle.name}}.Encode(), until.UTC().Format("15:04:05") + " UTC", roughly(until.Sub(s.Now())), r.ID, s.Contact, left, taken, in.pending.Replaces != ""})
	p.replace("content-security-policy", policy("'self' "+targets(s.PublicURL)))
	p.replace("referrer-policy", "same-origin") // else the browser would not say that the form is ours
	p.Event = "waiting"
	return p
}

// roughly says how long something lasts, as people say it.
func roughly(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%d seconds", int(d/time.Second))
	}
	return fmt.Sprintf("%d minutes", int(d/time.Minute))
}

// retryGone answers for a login that does not wait, or not for this browser.
// Who has been signed in meanwhile goes on.
func (s *Service) retryGone(ctx context.Context, r Request) Page {
	now, _, err := s.current(ctx, r)
	if err != nil {
		return s.broken(r, err)
	}
	ref := refusal.New(refusal.Unauthenticated, CodeRetryGone, "no login waits for this browser to be tried again: its time has passed, it was finished or tried too often, or Rolepass was restarted")
	if now != "" {
		page := redirect("/")
		page.Event, page.Refusal = "retry-gone", ref
		return page
	}
	if !r.HTML {
		return s.Refuse(r, ref)
	}
	p := render(statusOf(ref.Class), "retry-gone", struct{ ID, Contact string }{r.ID, s.Contact})
	if _, _, waits := s.openCookie(r); !waits { // else it is another login's, which may still be tried
		p.set("set-cookie", dropCookie(retryCookie))
	}
	p.Refusal = ref
	return p
}
