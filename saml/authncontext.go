package saml

import (
	"slices"
	"strings"

	"github.com/rolepass/rolepass/refusal"
)

// authnContext holds the IdP to the way of authenticating that we asked for,
// such as with a second factor: an IdP may ignore the request and say so.
func authnContext(h *hearing) *refusal.Refusal {
	wanted := h.sp.AuthnContext
	if len(wanted) == 0 || slices.Contains(wanted, strings.TrimSpace(h.said.authnContext)) {
		return nil
	}
	return forbidden("saml_authn_context",
		"The person authenticated by %q, and authn_context asks for one of %s: let the IdP demand it for this application, or correct authn_context to what the IdP writes.",
		shown(h.said.authnContext), strings.Join(wanted, ", "))
}
