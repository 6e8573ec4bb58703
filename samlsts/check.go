package samlsts

import (
	"errors"
	"slices"
	"time"
)

// redeemWithin is how long after its issue AWS accepts a response.
const redeemWithin = 5 * time.Minute

// grant is a call that passed every check.
type grant struct {
	order    Order
	provider *provider
	said     *assertion
}

// decide verifies one call, from the outside in: who is asked for, what came,
// who signed it, for whom and when, what it grants, for how long. now is the
// one time that every check uses.
func (s *Server) decide(q *request, now time.Time) (*grant, error) {
	role, from := s.roles[q.roleARN], s.providers[q.principalARN]
	if role == nil || from == nil {
		return nil, denied("the role or the provider is not configured here")
	}
	said, err := from.accept(q.encoded, now)
	if err != nil {
		return nil, err
	}
	if err := s.inTime(said, now); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(said.audiences, func(a string) bool { return slices.Contains(s.config.Audience, a) }) {
		return nil, invalid("Response does not contain the required audience")
	}
	if err := trusted(role, q, said); err != nil {
		return nil, err
	}
	g := &grant{provider: from, said: said, order: Order{Role: role, Policy: q.policy}}
	if g.order.SessionName, err = said.sessionName(); err != nil {
		return nil, err
	}
	g.order.Duration, err = lifetime(q, role, said, now)
	return g, err
}

// accept verifies that this provider's IdP said what the response says. The
// issuer is looked at first, as AWS does, to tell a wrong IdP from a wrong key,
// and again in what was signed.
func (p *provider) accept(encoded string, now time.Time) (*assertion, error) {
	if !p.validUntil.IsZero() && !now.Before(p.validUntil) {
		return nil, invalid("The metadata of the specified provider has expired")
	}
	document, err := decode(encoded, p.key != nil)
	if err != nil {
		return nil, err
	}
	if err := p.issued(document.response, document.assertion); err != nil {
		return nil, err
	}
	signed, err := p.verify(document, now)
	if err != nil {
		return nil, err
	}
	if err := p.issued(signed.response, signed.assertion); err != nil {
		return nil, err
	}
	said, err := readAssertion(signed)
	if err != nil {
		return nil, invalid("Invalid SAML response: %s", err)
	}
	return said, nil
}

// verify verifies a response, with the provider's key where its assertion is
// encrypted.
func (p *provider) verify(d *document, now time.Time) (*verified, error) {
	if d.assertion == nil {
		return d.decrypted(p.key, p.certificates, now)
	}
	return d.verify(p.certificates, now)
}

// issued compares the issuers with the metadata's entityID. The response's is
// optional (SAML core, section 3.2.2), the assertion's is not.
func (p *provider) issued(response, assertion *element) error {
	issuers := response.all(samlName("Issuer"))
	if assertion != nil { // not encrypted any more
		issuers = append(issuers, assertion.only(samlName("Issuer")))
	}
	for _, issuer := range issuers {
		if issuer == nil || !issuer.leaf() || issuer.text != p.entity {
			return invalid("Issuer not present in specified provider")
		}
	}
	return nil
}

// inTime holds now against every time that the response states. An end is
// never stretched; a beginning is, by the configured clock skew.
func (s *Server) inTime(said *assertion, now time.Time) error {
	soon := now.Add(s.config.ClockSkew)
	switch {
	case !now.Before(said.notOnOrAfter):
		return expired("Response has expired")
	case now.Sub(said.issued) > redeemWithin:
		return expired("Token must be redeemed within 5 minutes of issuance")
	case said.notBefore.After(soon):
		return expired("Response is not valid yet")
	case said.issued.After(soon):
		return expired("Response was issued in the future")
	case !said.sessionEnd.IsZero() && !now.Before(said.sessionEnd):
		return expired("Response has expired")
	}
	return nil
}

// trusted holds the assertion against the role's trust policy. AWS has one
// message for all of it.
func trusted(role *Role, q *request, said *assertion) error {
	switch {
	case role.Trust.Provider != q.principalARN:
		return denied("the role trusts another provider")
	case !slices.Contains(said.pairs(), rolePair{role: q.roleARN, provider: q.principalARN}):
		return denied("the assertion does not name this role with this provider")
	case !slices.Contains(role.Trust.SAMLAud, said.recipient):
		return denied("the Recipient %.200q is not among the role's saml_aud", said.recipient)
	case said.nameID == "":
		return denied("the assertion has no NameID")
	case said.tagged():
		return denied("the assertion sets session tags or SourceIdentity, which the role's trust does not allow; have the IdP leave them out")
	}
	return nil
}

// lifetime is how long the credentials are to live: what was asked for, cut by
// what the IdP says, in whole seconds.
func lifetime(q *request, role *Role, said *assertion, now time.Time) (time.Duration, error) {
	length := q.duration
	if length == 0 {
		length = min(defaultSeconds*time.Second, role.MaxSessionDuration)
	}
	if length > role.MaxSessionDuration {
		return 0, validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	atMost, err := said.sessionDuration()
	if err != nil {
		return 0, err
	}
	if atMost > 0 {
		length = min(length, atMost)
	}
	if !said.sessionEnd.IsZero() {
		length = min(length, said.sessionEnd.Sub(now).Truncate(time.Second))
	}
	if length < minSeconds*time.Second {
		e := validation("The identity provider ends the session in less than %d seconds, and the store issues no credentials that short", minSeconds)
		e.Cause = errors.New("raise the session lifetime at the IdP (SessionNotOnOrAfter)")
		return 0, e
	}
	return length, nil
}
