package saml

import (
	"crypto/x509"
	"errors"
	"reflect"
	"strings"
	"time"

	saml2 "github.com/russellhaering/gosaml2"
	"github.com/russellhaering/gosaml2/types"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/rolepass/rolepass/refusal"
)

// signed is what gosaml2 found: the statement from the bytes that were
// signed, and what it would only have warned about.
type signed struct {
	statement statement
	// response is true when the response's own signature was verified.
	response bool
	// oneTimeUse and proxyRestriction are conditions that we do not honour.
	oneTimeUse       bool
	proxyRestriction bool
}

// library is what gosaml2 refused, in its own words.
type library struct {
	// forged: the signature did not verify. Otherwise the signature did, and
	// one of gosaml2's own rules said no.
	forged bool
	cause  error
}

// verifySignatures lets gosaml2 verify the response. Of its many answers four
// are used: the error, which elements were verified, what they say, and the
// warnings about conditions.
//
// It is told a moment rather than the time, because it knows no clock skew
// (v0.12.0 has none; moment says why that is safe). It has no key to decrypt
// with, and nothing is inflated.
func (sp *ServiceProvider) verifySignatures(encoded string, certificates []*x509.Certificate, at time.Time, audience string) (*signed, *library) {
	provider := &saml2.SAMLServiceProvider{
		IdentityProviderIssuer:      sp.IdP.Metadata.EntityID,
		AssertionConsumerServiceURL: sp.ACS,
		AudienceURI:                 audience,
		IDPCertificateStore:         &dsig.MemoryX509CertificateStore{Roots: certificates},
		Clock:                       dsig.NewFakeClockAt(at),
		MaximumDecompressedBodySize: 1,
	}
	response, err := provider.ValidateEncodedResponse(encoded)
	if err != nil {
		return nil, &library{forged: !ownRule(err), cause: err}
	}
	if len(response.Assertions) != 1 || !response.SignatureValidated && !response.Assertions[0].SignatureValidated {
		return nil, &library{forged: true, cause: errors.New("gosaml2 verified no assertion, or several")}
	}
	warnings, err := provider.VerifyAssertionConditions(&response.Assertions[0])
	if err != nil {
		return nil, &library{cause: err}
	}
	if warnings.InvalidTime || warnings.NotInAudience {
		return nil, &library{cause: errors.New("gosaml2 warns about the conditions' time or audience")}
	}
	verified, err := verifiedStatement(response)
	if err != nil {
		return nil, &library{cause: err}
	}
	return &signed{
		statement:        verified,
		response:         response.SignatureValidated,
		oneTimeUse:       warnings.OneTimeUse,
		proxyRestriction: warnings.ProxyRestriction != nil,
	}, nil
}

// ownRule says whether an error is one of gosaml2's rules about a response
// whose signature was good. Everything else is about bytes and signatures.
func ownRule(err error) bool {
	var value saml2.ErrInvalidValue
	var missing saml2.ErrMissingElement
	var parsing saml2.ErrParsing
	return errors.As(err, &value) || errors.As(err, &missing) || errors.As(err, &parsing)
}

// tooLargeToVerify says whether goxmldsig gave up counting elements; it wraps
// that error in text.
func (l *library) tooLargeToVerify() bool {
	return strings.Contains(l.cause.Error(), "traversal limit reached")
}

// verifiedStatement takes the statement from what gosaml2 unmarshalled out of
// canonical, signed bytes. Where only the assertion is signed, the response's
// own fields are as unsigned as they are in the raw bytes.
func verifiedStatement(r *types.Response) (statement, error) {
	a := r.Assertions[0]
	if r.Issuer == nil || a.Issuer == nil || a.Subject == nil || a.Subject.NameID == nil ||
		a.Subject.SubjectConfirmation == nil || a.Subject.SubjectConfirmation.SubjectConfirmationData == nil ||
		a.Conditions == nil || a.AuthnStatement == nil || a.AuthnStatement.AuthnInstant == nil || a.AttributeStatement == nil {
		return statement{}, errors.New("an element that the scan saw is not among what was signed")
	}
	confirmation := a.Subject.SubjectConfirmation
	s := statement{
		responseID:           r.ID,
		responseIssuer:       r.Issuer.Value,
		responseInResponseTo: r.InResponseTo,
		responseIssued:       r.IssueInstant.UTC(),
		destination:          r.Destination,
		id:                   a.ID,
		issuer:               a.Issuer.Value,
		issued:               a.IssueInstant.UTC(),
		nameID:               a.Subject.NameID.Value,
		nameIDFormat:         a.Subject.NameID.Format,
		method:               confirmation.Method,
		recipient:            confirmation.SubjectConfirmationData.Recipient,
		inResponseTo:         confirmation.SubjectConfirmationData.InResponseTo,
		authenticated:        a.AuthnStatement.AuthnInstant.UTC(),
	}
	s.sessionIndex = a.AuthnStatement.SessionIndex
	if context := a.AuthnStatement.AuthnContext; context != nil && context.AuthnContextClassRef != nil {
		s.authnContext = context.AuthnContextClassRef.Value
	}
	if until := a.AuthnStatement.SessionNotOnOrAfter; until != nil {
		s.sessionUntil = until.UTC()
	}
	for _, restriction := range a.Conditions.AudienceRestrictions {
		for _, audience := range restriction.Audiences {
			s.audiences = append(s.audiences, audience.Value)
		}
	}
	for _, verified := range a.AttributeStatement.Attributes {
		s.attributes = append(s.attributes, verifiedAttribute(verified))
	}
	return s, s.times(a.Conditions.NotBefore, a.Conditions.NotOnOrAfter, confirmation.SubjectConfirmationData.NotOnOrAfter)
}

// times reads the three instants that gosaml2 leaves as text.
func (s *statement) times(notBefore, notOnOrAfter, confirmedUntil string) error {
	var err error
	parse := func(value string) time.Time {
		t, wrong := time.Parse(time.RFC3339, value)
		err = errors.Join(err, wrong)
		return t.UTC()
	}
	s.notBefore, s.notOnOrAfter, s.confirmedUntil = parse(notBefore), parse(notOnOrAfter), parse(confirmedUntil)
	return err
}

func verifiedAttribute(verified types.Attribute) attribute {
	a := attribute{name: verified.Name}
	for _, value := range verified.Values {
		if value.NameID != nil {
			a.values = append(a.values, value.NameID.Value)
		} else {
			a.values = append(a.values, value.Value)
		}
	}
	return a
}

// agree refuses a response of which the scan and gosaml2 read different
// things: two readers that differ are what forgeries are made of.
func agree(scanned, verified statement) *refusal.Refusal {
	if reflect.DeepEqual(scanned, verified) {
		return nil
	}
	return forbidden("saml_readers_differ", "Two readers of the response disagree about what it says, so neither is believed. Please report this response, with its values made up, as a bug.")
}
