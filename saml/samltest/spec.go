package samltest

import (
	"time"

	"github.com/beevik/etree"
)

// Signed says which elements of a response are signed.
type Signed int

const (
	// SignBoth signs the assertion and then the response.
	SignBoth Signed = iota
	// SignAssertion signs the assertion only.
	SignAssertion
	// SignResponse signs the response only.
	SignResponse
	// SignNothing signs nothing.
	SignNothing
)

// Attribute is one attribute of the AttributeStatement.
type Attribute struct {
	Name   string
	Values []string
}

// Spec is everything that an IdP decides about one response. Strings may be
// [Absent]; empty strings and zero times mean the default that is named.
type Spec struct {
	// ACS is where the response is sent. Required, unless Recipient and
	// Destination are given.
	ACS string
	// Recipient is SubjectConfirmationData/@Recipient. Default: ACS.
	Recipient string
	// Destination is Response/@Destination. Default: ACS.
	Destination string
	// Audiences are the values of the AudienceRestriction. Default:
	// urn:amazon:webservices. An empty, non-nil slice leaves the
	// AudienceRestriction out.
	Audiences []string
	// InResponseTo is the ID of the AuthnRequest, both in the response and
	// in the subject confirmation. Empty or Absent: an unsolicited response.
	InResponseTo string

	// NameID and NameIDFormat are the Subject. Default: "4711", persistent.
	NameID       string
	NameIDFormat string
	// Roles are the values of AWS's Role attribute, "roleARN,providerARN".
	// None: the attribute is left out.
	Roles []string
	// SessionName is AWS's RoleSessionName. Default: "ada@example.com".
	SessionName string
	// Attributes are further attributes, in order.
	Attributes []Attribute

	// Issuer is the Issuer of response and assertion. Default: the IdP's
	// entity ID.
	Issuer string
	// ResponseID and AssertionID are the two IDs. Default: random.
	ResponseID  string
	AssertionID string
	// Status is the status code; SubStatus the one nested in it. Defaults:
	// Success and none. With a status other than Success no assertion is
	// issued, as IdPs do.
	Status        string
	SubStatus     string
	StatusMessage string

	// IssueInstant is the moment of issue of response and assertion.
	// Default: now.
	IssueInstant time.Time
	// NotBefore is Conditions/@NotBefore. Default: IssueInstant.
	NotBefore time.Time
	// NotOnOrAfter is Conditions/@NotOnOrAfter. Default: five minutes after
	// IssueInstant.
	NotOnOrAfter time.Time
	// ConfirmationNotOnOrAfter is SubjectConfirmationData/@NotOnOrAfter.
	// Default: NotOnOrAfter.
	ConfirmationNotOnOrAfter time.Time
	// AuthnInstant is when the person was asked to prove who they are.
	// Default: IssueInstant.
	AuthnInstant time.Time
	// SessionNotOnOrAfter is left out when it is the zero time.
	SessionNotOnOrAfter time.Time

	// Sign says what is signed. Default: both.
	Sign Signed
	// AssertionSignature and ResponseSignature say how.
	AssertionSignature Signature
	ResponseSignature  Signature

	// Encrypt encrypts the assertion. Nil: it is left plain.
	Encrypt *Encryption

	// BeforeSigning changes the document before it is signed: what an IdP
	// really said, however odd.
	BeforeSigning func(*etree.Document)
	// AfterSigning changes the signed document: what an attacker does.
	AfterSigning func(*etree.Document)
	// Raw changes the bytes before base64.
	Raw func([]byte) []byte
	// Text changes the characters of the form field.
	Text func(string) string
}

func (s Spec) withDefaults(idp *IdP) Spec {
	or(&s.Recipient, s.ACS)
	or(&s.Destination, s.ACS)
	if s.Audiences == nil {
		s.Audiences = []string{AWSAudience}
	}
	or(&s.InResponseTo, Absent)
	or(&s.NameID, "4711")
	or(&s.NameIDFormat, Persistent)
	or(&s.SessionName, "ada@example.com")
	or(&s.Issuer, idp.entityID)
	or(&s.Status, Success)
	if s.ResponseID == "" {
		s.ResponseID = idp.NewID()
	}
	if s.AssertionID == "" {
		s.AssertionID = idp.NewID()
	}
	at(&s.IssueInstant, idp.now())
	at(&s.NotBefore, s.IssueInstant)
	at(&s.NotOnOrAfter, s.IssueInstant.Add(5*time.Minute))
	at(&s.ConfirmationNotOnOrAfter, s.NotOnOrAfter)
	at(&s.AuthnInstant, s.IssueInstant)
	return s
}

func or(value *string, otherwise string) {
	if *value == "" {
		*value = otherwise
	}
}

func at(value *time.Time, otherwise time.Time) {
	if value.IsZero() {
		*value = otherwise
	}
}
