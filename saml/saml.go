// Package saml is the SAML 2.0 service provider: it asks an identity provider
// to sign somebody in and verifies what the provider answers.
//
//	metadata, err := saml.ParseMetadata(document)
//	sp := &saml.ServiceProvider{
//		EntityID: "urn:amazon:webservices",
//		ACS:      "https://label.example.com/rolepass/saml/acs",
//		IdP: saml.IdP{
//			Name:      "corp",
//			Metadata:  metadata,
//			Audience:  []string{"urn:amazon:webservices"},
//			Providers: []string{"arn:aws:iam::111122223333:saml-provider/corp"},
//		},
//	}
//	request, err := sp.AuthnRequest(saml.AuthnRequestOptions{RelayState: "..."})
//	// ... the browser goes to request.Location and comes back with a form ...
//	assertion, err := sp.Verify(form.Get("SAMLResponse"), saml.Expect{RequestID: request.ID})
//
// Verify stands around gosaml2 and trusts it with one thing, the signature.
// Before any cryptography the bytes are scanned by a reader of our own that
// knows a small language, much smaller than SAML: one Response with one
// Assertion, every element at the one place where it may stand. Afterwards
// the values are taken from the bytes that were signed, compared with what
// the scan had read, and judged by our own rules (checks.go). Whatever is not
// understood is refused, with a code and a sentence that names the setting of
// the identity provider that is likely to blame.
//
// It does not remember which assertions were used: the caller keeps the pair
// (Issuer, ID) until [ServiceProvider.UsableUntil]. It fetches no
// metadata. Requests and logout messages are signed with our own keys,
// where there are any (key.go, logout.go).
package saml

import (
	"crypto/rand"
	"io"
	"time"

	"github.com/rolepass/rolepass/refusal"
)

// Defaults of a ServiceProvider.
const (
	// DefaultSkew is how far the IdP's clock may differ from ours.
	DefaultSkew = 60 * time.Second
	// DefaultMaxAge is STS's rule: "Token must be redeemed within 5 minutes
	// of issuance".
	DefaultMaxAge = 5 * time.Minute
)

// IdP is one identity provider, as configured.
type IdP struct {
	// Name is what the configuration calls it; it goes into Principal.IdP.
	Name string
	// Metadata says who it is and which keys are its own. Required.
	Metadata *Metadata
	// Audience are the values of which an assertion must name one. Required:
	// an empty list refuses everything.
	Audience []string
	// Providers are the ARNs of the IAM SAML providers that stand for this
	// IdP. A role whose provider is not among them is ignored.
	Providers []string
	// AnyProvider accepts every well-formed provider ARN, for looking at an
	// assertion without signing anybody in. Without it an empty Providers
	// refuses everything.
	AnyProvider bool
	// Email, FirstName and LastName are names of attributes, the first one
	// that the assertion has wins. Empty means the usual names.
	Email     []string
	FirstName []string
	LastName  []string
}

// ServiceProvider is Rolepass as one IdP knows it. It may be used
// concurrently; its fields do not change once it is in use.
type ServiceProvider struct {
	// EntityID is who we are to the IdP: the Issuer of our AuthnRequests.
	// Required.
	EntityID string
	// ACS is the one URL to which the IdP posts: public_url + acs_path. It
	// is compared byte for byte with Recipient and Destination. Required.
	ACS string
	IdP IdP
	// SLO is our single logout service: where the IdP sends logout messages.
	// Empty means that there is none.
	SLO string
	// Keys are our own; the first signs, all are in our metadata. Without any,
	// nothing is signed and no logout message goes either way.
	Keys []*SigningKey
	// PostRequests sends AuthnRequests by the HTTP-POST binding.
	PostRequests bool
	// AuthnContext are the ways to authenticate of which one is asked for, and
	// of which the answer must name one. Empty asks for nothing.
	AuthnContext []string
	// Decryption is the key for which the IdP encrypts. Nil: an encrypted
	// assertion is refused.
	Decryption *Decryption
	// Skew is how far clocks may differ. Zero means DefaultSkew.
	Skew time.Duration
	// MaxAge is how old an assertion may be when it arrives. Zero means
	// DefaultMaxAge.
	MaxAge time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Rand gives the bytes of request IDs. Nil means crypto/rand.Reader.
	Rand io.Reader
}

// Expect is what the caller knows about the login that a response ends.
type Expect struct {
	// RequestID is the ID of the AuthnRequest that this browser is waiting
	// for. Empty refuses every response, unless AnyRequest is set.
	RequestID string
	// AnyRequest accepts an answer to any AuthnRequest, for looking at an
	// assertion by hand. An answer to none is refused even so.
	AnyRequest bool
	// AuthenticatedSince is when a login with ForceAuthn began: the person
	// must have proved who they are since then. Zero: whenever.
	AuthenticatedSince time.Time
}

// UsableUntil is the moment from which Verify refuses the assertion, whoever
// brings it: the time for which a caller has to remember that it was used.
func (sp *ServiceProvider) UsableUntil(a *Assertion) time.Time {
	return earliest(a.NotOnOrAfter.Add(sp.skew()), a.IssueInstant.Add(sp.maxAge()))
}

// RedeemableUntil is the moment from which STS refuses the assertion: five
// minutes after it was issued or at its own end, with no allowance for clocks.
func (sp *ServiceProvider) RedeemableUntil(a *Assertion) time.Time {
	return earliest(a.NotOnOrAfter, a.IssueInstant.Add(DefaultMaxAge), sp.UsableUntil(a))
}

func (sp *ServiceProvider) skew() time.Duration {
	if sp.Skew == 0 {
		return DefaultSkew
	}
	return sp.Skew
}

func (sp *ServiceProvider) maxAge() time.Duration {
	if sp.MaxAge == 0 {
		return DefaultMaxAge
	}
	return sp.MaxAge
}

func (sp *ServiceProvider) now() time.Time {
	if sp.Now == nil {
		return time.Now()
	}
	return sp.Now()
}

func (sp *ServiceProvider) rand() io.Reader {
	if sp.Rand == nil {
		return rand.Reader
	}
	return sp.Rand
}

// configured refuses to work with half a configuration.
func (sp *ServiceProvider) configured() *refusal.Refusal {
	missing := ""
	switch {
	case sp.EntityID == "":
		missing = "entity_id"
	case sp.ACS == "":
		missing = "public_url"
	case sp.IdP.Metadata == nil || len(sp.IdP.Metadata.Certificates) == 0 || sp.IdP.Metadata.EntityID == "":
		missing = "metadata"
	case len(sp.IdP.Audience) == 0:
		missing = "audience"
	case len(sp.IdP.Providers) == 0 && !sp.IdP.AnyProvider:
		missing = "providers"
	default:
		return nil
	}
	return refusal.New(refusal.Unavailable, "saml_configuration",
		"The IdP %q is configured without %s; nobody can sign in until it is set.", sp.IdP.Name, missing)
}

func earliest(times ...time.Time) time.Time {
	first := times[0]
	for _, t := range times[1:] {
		if t.Before(first) {
			first = t
		}
	}
	return first
}
