package saml

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/rolepass/rolepass/refusal"
)

const bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

// hearing is one response before the rules: what it says, how it was signed,
// what we expect and what time it is.
type hearing struct {
	sp     *ServiceProvider
	expect Expect
	now    time.Time
	said   statement
	// encoded and raw are the response as it came, plain the text of its
	// assertion where that was encrypted.
	encoded    string
	raw, plain []byte
	// responseSigned is true when the response itself is signed, not only
	// the assertion in it.
	responseSigned   bool
	oneTimeUse       bool
	proxyRestriction bool
}

// rule is one of our own rules about a verified statement.
type rule struct {
	name  string
	check func(*hearing) *refusal.Refusal
	// early rules are asked before the signature too, because they are
	// cheap and turn away what is not about a login of ours.
	early bool
}

// rules are all of them, in the order in which they are asked. Each has a
// vector in samltest's catalogue that breaks this one only.
var rules = []rule{
	{name: "issuer", check: issuer},
	{name: "destination", check: destination},
	{name: "method", check: method},
	{name: "recipient", check: recipient},
	{name: "in response to", check: inResponseTo, early: true},
	{name: "audience", check: audience},
	{name: "conditions", check: conditions},
	{name: "window", check: window},
	{name: "not before", check: notBefore},
	{name: "not on or after", check: notOnOrAfter},
	{name: "confirmed until", check: confirmedUntil},
	{name: "assertion age", check: assertionAge},
	{name: "response age", check: responseAge},
	{name: "authentication", check: authentication},
	{name: "authenticated since", check: authenticatedSince},
	{name: "authentication context", check: authnContext},
	{name: "session end", check: sessionEnd},
	{name: "name id", check: nameID},
	{name: "session name", check: sessionName},
}

// early are the rules that are asked before the signature.
func early(rules []rule) []rule {
	var out []rule
	for _, r := range rules {
		if r.early {
			out = append(out, r)
		}
	}
	return out
}

// judge asks every rule and gives the first that says no.
func (h *hearing) judge(rules []rule) *refusal.Refusal {
	for _, r := range rules {
		if refused := r.check(h); refused != nil {
			return refused
		}
	}
	return nil
}

func issuer(h *hearing) *refusal.Refusal {
	want := h.sp.IdP.Metadata.EntityID
	for _, got := range []string{h.said.issuer, h.said.responseIssuer} {
		if got != want {
			return forbidden("saml_issuer", "The response is by %q, and the metadata of %q is by %q; configure the metadata of the IdP (and tenant) that signs people in.", shown(got), h.sp.IdP.Name, want)
		}
	}
	return nil
}

// destination is compared whenever it is there, and must be there when the
// response is signed (SAML bindings §3.5.5.2).
func destination(h *hearing) *refusal.Refusal {
	if h.said.destination == "" && !h.responseSigned {
		return nil
	}
	if h.said.destination != h.sp.ACS {
		return forbidden("saml_destination", "The response is destined for %q, and ours is %q%s; set the application's reply URL (ACS, Destination) at the IdP to exactly that.", shown(h.said.destination), h.sp.ACS, difference(h.said.destination, h.sp.ACS))
	}
	return nil
}

func method(h *hearing) *refusal.Refusal {
	if h.said.method != bearer {
		return forbidden("saml_subject_confirmation", "The subject is to be confirmed by %q; only bearer confirmation is accepted.", shown(h.said.method))
	}
	return nil
}

func recipient(h *hearing) *refusal.Refusal {
	if h.said.recipient == h.sp.ACS {
		return nil
	}
	advice := "set the application's ACS, Recipient and Destination at the IdP to exactly that"
	if strings.HasPrefix(h.said.recipient, "https://signin.") {
		advice = "this assertion is for AWS's own console: make a SAML application of its own for Rolepass, not the catalog's AWS application, whose ACS cannot be changed"
	}
	return forbidden("saml_recipient", "The assertion is for %q, and ours is %q%s; %s.", shown(h.said.recipient), h.sp.ACS, difference(h.said.recipient, h.sp.ACS), advice)
}

// inResponseTo looks into the assertion, where the value is signed, and at
// the response, where it must not say anything else.
func inResponseTo(h *hearing) *refusal.Refusal {
	said := h.said.inResponseTo
	switch {
	case said == "" && h.said.responseInResponseTo == "":
		return forbidden("saml_unsolicited", "The IdP sent this response without being asked, as from a tile in its portal or its test button; make the tile a bookmark to public_url. A new login is started instead.")
	case said == "":
		return forbidden("saml_in_response_to", "The response names the request %q and the assertion in it names none, so nothing that is signed for sure says whose login this is.", shown(h.said.responseInResponseTo))
	case h.said.responseInResponseTo != "" && h.said.responseInResponseTo != said:
		return forbidden("saml_in_response_to", "The response answers the request %q and the assertion in it %q.", shown(h.said.responseInResponseTo), shown(said))
	case h.expect.AnyRequest && h.expect.RequestID == "":
		return nil
	case h.expect.RequestID == "":
		return forbidden("saml_in_response_to", "No login is pending that this response could answer; the person should start again at public_url.")
	case said != h.expect.RequestID:
		return forbidden("saml_in_response_to", "The assertion answers the request %q, and this browser waits for %q: another login was begun in between, or the response is somebody else's. The person should start again at public_url.", shown(said), h.expect.RequestID)
	}
	return nil
}

func audience(h *hearing) *refusal.Refusal {
	for _, said := range h.said.audiences {
		if slices.Contains(h.sp.IdP.Audience, said) {
			return nil
		}
	}
	advice := "put one of the former into audience:, or set the audience (SP entity ID) at the IdP"
	if slices.ContainsFunc(h.said.audiences, func(s string) bool { return strings.ContainsAny(s, "{} ") }) {
		advice = "it looks like a template that was never filled in: set the Audience (EntityID) of the application at the IdP"
	}
	return forbidden("saml_audience", "The assertion is for the audience %q and ours is %q; %s.", shownAll(h.said.audiences), h.sp.IdP.Audience, advice)
}

// conditions are the two that gosaml2 reports as warnings. We could not
// honour them: one assertion is exchanged for every role that it grants.
func conditions(h *hearing) *refusal.Refusal {
	switch {
	case h.oneTimeUse:
		return forbidden("saml_one_time_use", "The assertion may be used once only (OneTimeUse), and Rolepass exchanges it once for each role; switch the condition off at the IdP (Keycloak: Include OneTimeUse Condition).")
	case h.proxyRestriction:
		return forbidden("saml_proxy_restriction", "The assertion restricts who may pass it on (ProxyRestriction), and Rolepass passes it on to STS; switch the condition off at the IdP.")
	}
	return nil
}

// window refuses what ends before it begins; the skew must not find a moment
// in it all the same.
func window(h *hearing) *refusal.Refusal {
	if end := earliest(h.said.notOnOrAfter, h.said.confirmedUntil); !h.said.notBefore.Before(end) {
		return forbidden("saml_conditions", "The assertion is valid from %s and ends at %s; set the lifetime of assertions for the application at the IdP.", stamp(h.said.notBefore), stamp(end))
	}
	return nil
}

func notBefore(h *hearing) *refusal.Refusal {
	if h.now.Add(h.sp.skew()).Before(h.said.notBefore) {
		return forbidden("saml_not_yet_valid", "The assertion is valid from %s and it is %s here: one of the clocks is wrong by more than %s. Set both by NTP (AD FS: NotBeforeSkew).", stamp(h.said.notBefore), stamp(h.now), h.sp.skew())
	}
	return nil
}

func notOnOrAfter(h *hearing) *refusal.Refusal {
	return h.ended(h.said.notOnOrAfter, "The assertion's conditions ended")
}

func confirmedUntil(h *hearing) *refusal.Refusal {
	return h.ended(h.said.confirmedUntil, "The assertion's subject confirmation ended")
}

func (h *hearing) ended(end time.Time, what string) *refusal.Refusal {
	if h.now.Add(-h.sp.skew()).Before(end) {
		return nil
	}
	return forbidden("saml_expired", "%s at %s and it is %s here. If that happens at every login, let assertions live five minutes (Keycloak: Assertion Lifespan 300; AD FS: TokenLifetime) and set the clocks by NTP.", what, stamp(end), stamp(h.now))
}

func assertionAge(h *hearing) *refusal.Refusal { return h.age(h.said.issued) }
func responseAge(h *hearing) *refusal.Refusal  { return h.age(h.said.responseIssued) }

// age is STS's rule of five minutes, from whichever of the two instants of
// issue is asked about; AWS does not say which one counts.
func (h *hearing) age(issued time.Time) *refusal.Refusal {
	if issued.After(h.now.Add(h.sp.skew())) {
		return forbidden("saml_issued_in_future", "The response was issued at %s and it is %s here: one of the clocks is wrong by more than %s. Set both by NTP.", stamp(issued), stamp(h.now), h.sp.skew())
	}
	if h.now.Sub(issued) > h.sp.maxAge() {
		return forbidden("saml_too_old", "The response was issued at %s, which is more than %s ago; STS takes no older one. The person should sign in again.", stamp(issued), h.sp.maxAge())
	}
	return nil
}

func authentication(h *hearing) *refusal.Refusal {
	if h.said.authenticated.IsZero() || h.said.authenticated.After(h.now.Add(h.sp.skew())) {
		return forbidden("saml_authn_instant", "The assertion says that the person authenticated at %s and it is %s here; set the clocks by NTP.", stamp(h.said.authenticated), stamp(h.now))
	}
	return nil
}

func authenticatedSince(h *hearing) *refusal.Refusal {
	if h.said.authenticated.Before(h.expect.AuthenticatedSince.Add(-h.sp.skew())) {
		return forbidden("saml_not_authenticated_again", "The login asked the IdP to authenticate the person again, and it answered with an authentication of %s, before the login began at %s; switch on that the IdP honours ForceAuthn (Okta: Honor Force Authentication).", stamp(h.said.authenticated), stamp(h.expect.AuthenticatedSince))
	}
	return nil
}

func sessionEnd(h *hearing) *refusal.Refusal {
	if !h.said.sessionUntil.IsZero() && !h.now.Before(h.said.sessionUntil) {
		return forbidden("saml_session_over", "The IdP's own session ended at %s (SessionNotOnOrAfter) and it is %s here; the person should sign in again.", stamp(h.said.sessionUntil), stamp(h.now))
	}
	return nil
}

// maxNameID is SAML's bound on persistent identifiers (core §8.3.7).
const maxNameID = 256

func nameID(h *hearing) *refusal.Refusal {
	id := h.said.nameID
	switch {
	case id == "":
		return forbidden("saml_name_id", "The NameID is empty; map it to a value that every person has (persistent, if the IdP can).")
	case len(id) > maxNameID || len(h.said.nameIDFormat) > maxNameID:
		return forbidden("saml_name_id", "The NameID or its Format is longer than %d characters.", maxNameID)
	case strings.TrimSpace(id) != id || strings.ContainsFunc(id, unprintable):
		return forbidden("saml_name_id", "The NameID has white space around it or characters that cannot be seen; map it to a plain identifier.")
	}
	return nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// sessionNames is AWS's pattern for RoleSessionName.
var sessionNames = regexp.MustCompile(`^[a-zA-Z_0-9+=,.@-]{2,64}$`)

func sessionName(h *hearing) *refusal.Refusal {
	values, present := h.said.values(sessionNameAttribute)
	switch {
	case !present:
		return forbidden("saml_session_name", "The assertion has no attribute %q%s; map it to the e-mail address or a user id.", sessionNameAttribute, h.near(sessionNameAttribute))
	case len(values) != 1:
		return forbidden("saml_session_name", "The attribute %q has %d values; it must have one.", sessionNameAttribute, len(values))
	case !sessionNames.MatchString(values[0]):
		return forbidden("saml_session_name", "The value of %q (%d characters) is not 2 to 64 of the characters a-z, A-Z, 0-9 and _+=,.@-; map it to an e-mail address or a user id, not to a display name (Entra guests: ExtractMailPrefix).", sessionNameAttribute, len(values[0]))
	}
	return nil
}
