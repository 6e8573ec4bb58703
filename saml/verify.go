package saml

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/rolepass/rolepass/refusal"
)

// Verify says what the IdP said, if it is really the IdP that says it, to us,
// now, about the login that we began. encoded is the form field SAMLResponse
// as it came. The error is always a *refusal.Refusal: Malformed for what
// cannot be read strictly, Forbidden for what is not believed.
//
// In order:
//
//  1. decode: size and base64;
//  2. scan: XML of the plainest kind, bounded in every direction; what is
//     encrypted is decrypted here, where there is a key for it;
//  3. shape: one assertion, every element in its place, signatures where and
//     how they must be;
//  4. is it an answer to our request at all? (cheap, so before the signature)
//  5. gosaml2: the signature, with the keys of the metadata;
//  6. do the signed bytes say what the scan read?
//  7. our own rules: from whom, for whom, when, about whom;
//  8. the roles.
func (sp *ServiceProvider) Verify(encoded string, expect Expect) (*Assertion, error) {
	assertion, refused := sp.guarded(encoded, expect)
	if refused != nil {
		return nil, refused
	}
	return assertion, nil
}

// guarded turns a panic into a refusal: the bytes are anybody's, and two XML
// libraries read them.
func (sp *ServiceProvider) guarded(encoded string, expect Expect) (assertion *Assertion, refused *refusal.Refusal) {
	defer func() {
		if r := recover(); r != nil {
			assertion, refused = nil, malformed("saml_internal", "Reading the response failed in a way that it should not; please report it as a bug.").Because(fmt.Errorf("panic: %v", r))
		}
	}()
	return sp.verify(encoded, expect)
}

func (sp *ServiceProvider) verify(encoded string, expect Expect) (*Assertion, *refusal.Refusal) {
	if refused := sp.configured(); refused != nil {
		return nil, refused
	}
	raw, refused := decode(encoded)
	if refused != nil {
		return nil, refused
	}
	root, refused := scan(raw, responseLimits)
	if refused != nil {
		return nil, refused
	}
	h := &hearing{sp: sp, expect: expect, now: sp.now()}
	if refused := h.open(root); refused != nil {
		return nil, refused
	}
	said, refused := examine(root)
	if refused != nil {
		return nil, refused
	}
	h.said, h.responseSigned = said, signaturesOf(root).response != nil
	if refused := h.judge(early(rules)); refused != nil {
		return nil, refused
	}
	if refused := stable(raw); refused != nil {
		return nil, refused
	}
	h.raw, h.encoded = raw, encoded
	verified, refused := h.verified(root)
	if refused != nil {
		return nil, refused
	}
	if refused := agree(said, verified.statement); refused != nil {
		return nil, refused
	}
	h.said, h.oneTimeUse, h.proxyRestriction = verified.statement, verified.oneTimeUse, verified.proxyRestriction
	if refused := h.judge(rules); refused != nil {
		return nil, refused
	}
	return h.assertion()
}

// open decrypts an encrypted assertion, if there is a key for it. Because that
// costs, the response must first claim to answer the login.
func (h *hearing) open(root *element) *refusal.Refusal {
	e := encrypted(root)
	if e == nil || h.sp.Decryption == nil {
		return nil
	}
	h.said.inResponseTo, h.said.responseInResponseTo = root.attr("InResponseTo"), root.attr("InResponseTo")
	if refused := h.judge(early(rules)); refused != nil {
		return refused
	}
	var refused *refusal.Refusal
	h.plain, refused = h.sp.Decryption.decrypt(root, e)
	return refused
}

// examine reads a response and checks everything that needs no key.
func examine(root *element) (statement, *refusal.Refusal) {
	for _, rule := range []func(*element) *refusal.Refusal{shape, soundlySigned} {
		if refused := rule(root); refused != nil {
			return statement{}, refused
		}
	}
	return read(root)
}

// verified asks gosaml2 and puts its answer into our words.
func (h *hearing) verified(root *element) (*signed, *refusal.Refusal) {
	metadata := h.sp.IdP.Metadata
	if refused := metadata.current(h.now); refused != nil {
		return nil, refused
	}
	if refused := pinned(root, metadata.Certificates, h.now); refused != nil {
		return nil, refused
	}
	var failed *library
	for _, certificates := range candidates(root, metadata.Certificates) {
		verified, wrong := h.verifiedBy(certificates)
		if wrong == nil {
			return h.coversWhatItMust(verified)
		}
		failed = wrong
		if !wrong.forged {
			break
		}
	}
	return nil, h.explain(failed)
}

// verifiedBy asks gosaml2 with these certificates. It is shown a decrypted
// assertion as a plain one; the response's signature, which is over the
// encrypted one, is verified before.
func (h *hearing) verifiedBy(certificates []*x509.Certificate) (*signed, *library) {
	if h.plain == nil {
		return h.sp.verifySignatures(h.encoded, certificates, h.moment(), h.audience())
	}
	opened, wrong := opened(h.raw, h.plain, h.responseSigned, certificates, h.moment())
	if wrong != nil {
		return nil, wrong
	}
	verified, wrong := h.sp.verifySignatures(opened, certificates, h.moment(), h.audience())
	if wrong == nil {
		verified.response = h.responseSigned
	}
	return verified, wrong
}

// coversWhatItMust holds gosaml2 to what the scan saw: a response that
// carries a signature of its own must have been verified as a whole.
func (h *hearing) coversWhatItMust(verified *signed) (*signed, *refusal.Refusal) {
	if h.responseSigned && !verified.response {
		return nil, forbidden("saml_signature", "The response's own signature was not verified.")
	}
	return verified, nil
}

// explain finds the sentence for what gosaml2 refused. If the signature was
// good, one of our own rules usually says it better; it is asked about the
// values that the scan read, which is safe because the answer is no in any
// case.
func (h *hearing) explain(failed *library) *refusal.Refusal {
	switch {
	case failed.tooLargeToVerify():
		return malformed("saml_elements", "The response has more elements than signatures are verified over. Let the IdP send fewer roles and groups for this application.").Because(failed.cause)
	case failed.forged:
		return forbidden("saml_signature", "The signature does not fit the response and the keys in the metadata of %q: the response was changed after it was signed, or the IdP signs with another key (refresh its metadata here and at IAM).", h.sp.IdP.Name).Because(failed.cause)
	}
	if refused := h.judge(rules); refused != nil {
		return refused.Because(failed.cause)
	}
	return forbidden("saml_library", "The SAML library refuses the response by one of its own rules.").Because(failed.cause)
}

// moment is the time that gosaml2 is told: now, or, when the clocks differ by
// no more than the skew, the nearest moment at which the assertion is valid.
// Our own rules decide with the real time in any case.
func (h *hearing) moment() time.Time {
	end := earliest(h.said.notOnOrAfter, h.said.confirmedUntil)
	switch {
	case h.now.Before(h.said.notBefore) && !h.now.Add(h.sp.skew()).Before(h.said.notBefore):
		return h.said.notBefore
	case !h.now.Before(end) && h.now.Add(-h.sp.skew()).Before(end):
		return end.Add(-time.Nanosecond)
	default:
		return h.now
	}
}

// audience is the one of ours that the assertion names; gosaml2 knows one.
func (h *hearing) audience() string {
	for _, said := range h.said.audiences {
		for _, ours := range h.sp.IdP.Audience {
			if said == ours {
				return ours
			}
		}
	}
	return h.sp.IdP.Audience[0]
}

// assertion is the answer, once every rule has been asked.
func (h *hearing) assertion() (*Assertion, *refusal.Refusal) {
	granted, ignored, refused := h.roles()
	if refused != nil {
		return nil, refused
	}
	return &Assertion{
		ID:                  h.said.id,
		Issuer:              h.said.issuer,
		InResponseTo:        h.said.inResponseTo,
		Recipient:           h.said.recipient,
		Audiences:           h.said.audiences,
		Principal:           h.principal(),
		Roles:               granted,
		Ignored:             ignored,
		Attributes:          h.said.attributeMap(),
		IssueInstant:        h.said.issued,
		AuthnInstant:        h.said.authenticated,
		NotOnOrAfter:        earliest(h.said.notOnOrAfter, h.said.confirmedUntil),
		SessionNotOnOrAfter: h.said.sessionUntil,
		SessionIndex:        h.said.sessionIndex,
	}, nil
}

func (s *statement) attributeMap() map[string][]string {
	attributes := make(map[string][]string, len(s.attributes))
	for _, a := range s.attributes {
		attributes[a.name] = a.values
	}
	return attributes
}

// Unspecified is what a NameID without a Format means (SAML core §2.2.2).
const Unspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"

func (h *hearing) principal() Principal {
	p := Principal{
		IdP:          h.sp.IdP.Name,
		NameID:       h.said.nameID,
		NameIDFormat: h.said.nameIDFormat,
		SessionName:  h.said.first([]string{sessionNameAttribute}, nil),
		Email:        h.said.first(h.sp.IdP.Email, emailAttributes),
		FirstName:    h.said.first(h.sp.IdP.FirstName, firstNameAttributes),
		LastName:     h.said.first(h.sp.IdP.LastName, lastNameAttributes),
	}
	if p.NameIDFormat == "" {
		p.NameIDFormat = Unspecified
	}
	if p.Email == "" && strings.HasSuffix(p.NameIDFormat, ":emailAddress") {
		p.Email = p.NameID
	}
	return p
}
