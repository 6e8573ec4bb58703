package login

import (
	"errors"
	"net/http"
	"strings"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/refusal"
)

// refuseResponse is the one page for everything that may be wrong with a response
// of an IdP, whether it cannot be read or is not believed: whoever forges one
// learns nothing of how far it came, and whom an IdP's setting keeps out is not
// told that it is their roles. What comes after the response has pages of its own.
func (s *Service) refuseResponse(r Request, err error) Page {
	ref, ok := errors.AsType[*refusal.Refusal](err)
	if !ok || !aboutResponse(ref) {
		return s.refuseError(r, err)
	}
	var p Page
	if r.HTML {
		p = render(http.StatusForbidden, "refused", refused{Title: "The sign-in was not accepted",
			Text: "What the login page answered was not accepted. Try once more, and if it happens again, ask.",
			ID:   r.ID, Contact: s.Contact, SignIn: true})
	} else {
		alike := *ref
		alike.Class = refusal.Forbidden
		p = s.refuseJSON(r, &alike, http.StatusForbidden)
	}
	p.Refusal = ref
	return p
}

// aboutResponse says that a refusal is about the response alone. What cannot be
// known because something did not answer is worth another try, and says so.
func aboutResponse(ref *refusal.Refusal) bool {
	return ref.Class != refusal.Unavailable && (strings.HasPrefix(string(ref.Code), "saml_") || ref.Code == credcache.CodeMismatch)
}
