package login

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/rolepass/rolepass/refusal"
)

// statusOf is the HTTP status of each class of refusal: the one map there is.
func statusOf(class refusal.Class) int {
	switch class {
	case refusal.Malformed:
		return http.StatusBadRequest
	case refusal.Unauthenticated:
		return http.StatusUnauthorized
	case refusal.MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case refusal.Misdirected:
		return http.StatusMisdirectedRequest
	case refusal.TooLarge:
		return http.StatusRequestEntityTooLarge
	case refusal.Unavailable:
		return http.StatusServiceUnavailable
	case refusal.TooMany:
		return http.StatusTooManyRequests
	}
	return http.StatusForbidden
}

// refused is what the page says that says no.
type refused struct {
	Title, Text, ID, Contact string
	SignIn                   bool
}

// Refuse is the one page, or the one JSON document, that says no. It names
// the request and whom to ask, and nothing else: not the reason, no object,
// no other person's grant.
func (s *Service) Refuse(r Request, ref *refusal.Refusal) Page {
	status := statusOf(ref.Class)
	var p Page
	if r.HTML {
		p = render(status, "refused", refused{title(ref.Class), text(ref), r.ID, s.Contact, ref.Class == refusal.Unauthenticated})
	} else {
		p = s.refuseJSON(r, ref, status)
	}
	switch ref.Class {
	case refusal.Unavailable:
		p.set("retry-after", "5")
	case refusal.TooMany:
		p.set("retry-after", "10") // by then one more login may begin
	}
	p.Refusal = ref
	return p
}

func (s *Service) refuseJSON(r Request, ref *refusal.Refusal, status int) Page {
	answer := map[string]string{"error": title(ref.Class), "request_id": r.ID}
	if s.Contact != "" {
		answer["contact"] = s.Contact
	}
	if ref.Class == refusal.Unauthenticated {
		answer["login"] = s.PublicURL + StartPath
	}
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err) // strings only
	}
	p := bare(status)
	p.set("content-type", "application/json")
	p.Body = append(body, '\n')
	return p
}

func title(class refusal.Class) string {
	switch class {
	case refusal.Malformed, refusal.TooLarge:
		return "This request cannot be read"
	case refusal.Unauthenticated:
		return "Not signed in"
	case refusal.MethodNotAllowed:
		return "Not possible here"
	case refusal.Misdirected:
		return "Wrong address"
	case refusal.Unavailable:
		return "Not available right now"
	case refusal.TooMany:
		return "Too many sign-ins"
	}
	return "Not allowed"
}

// accounts are sentences about a person's own account in the application, which
// only that person's login brings up.
var accounts = map[refusal.Code]string{
	"app_account_removed":    "Your account in the application was removed or deactivated.",
	"app_account_inactive":   "Your account in the application was removed or deactivated.",
	"app_account_shut":       "The application does not open your account. You may have been removed from it, or it is out of order.",
	"app_account_not_bound":  "The application has an account under your e-mail address, and this sign-in does not open it.",
	"app_account_privileged": "The application has an account under your e-mail address, and this sign-in does not open it.",
}

func text(ref *refusal.Refusal) string {
	if about, ok := accounts[ref.Code]; ok {
		return about
	}
	switch ref.Class {
	case refusal.Malformed, refusal.TooLarge:
		return "What the browser sent is not in a form that this site takes."
	case refusal.Unauthenticated:
		return "Sign in to go on."
	case refusal.MethodNotAllowed:
		return "This address does not do what was asked of it."
	case refusal.Misdirected:
		return "This site does not answer for the address that was used."
	case refusal.Unavailable:
		return "Something that is needed for this did not answer in time. Try again in a moment."
	case refusal.TooMany:
		return "You have signed in very often within a few minutes. Wait for a minute, then reload this page or go back to the start."
	}
	return "Your roles do not open this."
}

// lostCookie tells a person why the login goes round in circles.
func (s *Service) lostCookie(r Request) Page {
	p := render(http.StatusForbidden, "lost", struct{ ID, Contact string }{r.ID, s.Contact})
	p.Refusal = refusal.New(refusal.Forbidden, CodeLoginUnknown, "the login cookie did not come back with the IdP's POST: the browser or a proxy in front of Envoy drops or changes SameSite=None cookies, or public_url is not the address that people use")
	return p
}

// refuseError shows an error that is a refusal as one, any other as ours.
func (s *Service) refuseError(r Request, err error) Page {
	if ref, ok := errors.AsType[*refusal.Refusal](err); ok {
		return s.Refuse(r, ref)
	}
	return s.broken(r, err)
}

// broken is a fault of ours or of what we need.
func (s *Service) broken(r Request, err error) Page {
	return s.Refuse(r, refusal.New(refusal.Unavailable, CodeInternal, "Rolepass could not finish this page: see the cause").Because(err))
}
