// Package samltest is an identity provider for tests and demonstrations. It
// issues SAML responses that are right in every detail, and on request wrong
// in exactly one.
//
// An [IdP] has a key and an entity ID; a [Spec] says everything that an IdP
// decides about one response. The zero value of every field of Spec is what
// a well-configured IdP would do, so that a test names only what it is about:
//
//	idp, err := samltest.New(samltest.Options{EntityID: "https://idp.example.com", SSOURL: "https://idp.example.com/sso"})
//	encoded := idp.Response(samltest.Spec{
//		ACS:          "https://label.example.com/rolepass/saml/acs",
//		InResponseTo: requestID,
//		NameID:       "4711",
//		Roles:        []string{"arn:aws:iam::111122223333:role/radiology,arn:aws:iam::111122223333:saml-provider/corp"},
//		SessionName:  "ada@example.com",
//	})
//
// It does not authenticate anybody, keeps no sessions and signs whatever it
// is told to sign. It is never linked into the product; a test of the import
// table sees to that.
package samltest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// Namespaces of a response.
const (
	ProtocolNS  = "urn:oasis:names:tc:SAML:2.0:protocol"
	AssertionNS = "urn:oasis:names:tc:SAML:2.0:assertion"
	MetadataNS  = "urn:oasis:names:tc:SAML:2.0:metadata"
	SignatureNS = "http://www.w3.org/2000/09/xmldsig#"
	SchemaNS    = "http://www.w3.org/2001/XMLSchema"
	InstanceNS  = "http://www.w3.org/2001/XMLSchema-instance"
)

// Values that most responses have.
const (
	Persistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	Bearer      = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	Success     = "urn:oasis:names:tc:SAML:2.0:status:Success"
	Responder   = "urn:oasis:names:tc:SAML:2.0:status:Responder"
	Requester   = "urn:oasis:names:tc:SAML:2.0:status:Requester"
	AWSAudience = "urn:amazon:webservices"

	RoleAttribute        = "https://aws.amazon.com/SAML/Attributes/Role"
	SessionNameAttribute = "https://aws.amazon.com/SAML/Attributes/RoleSessionName"

	redirectBinding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	postBinding     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

// Absent is the value of a string in a Spec that is to be left out of the
// response altogether, where the empty string means the default.
const Absent = "\x00absent"

// Options say who the IdP is.
type Options struct {
	// EntityID is the Issuer of everything that it says. Required.
	EntityID string
	// SSOURL is its SingleSignOnService for the HTTP-Redirect and the
	// HTTP-POST binding. Required.
	SSOURL string
	// SLOURL is its SingleLogoutService for both bindings. Optional.
	SLOURL string
	// Key signs. Nil means one key that all IdPs of the process share.
	Key *Key
	// Announced are further keys whose certificates stand in the metadata,
	// as during a rollover. Optional.
	Announced []*Key
	// Now is the IdP's clock. Nil means time.Now.
	Now func() time.Time
	// Rand gives the bytes of IDs. Nil means crypto/rand.Reader.
	Rand io.Reader
}

// IdP is an identity provider. Its methods may be called concurrently.
type IdP struct {
	entityID  string
	sso       string
	slo       string
	key       *Key
	announced []*Key
	now       func() time.Time
	rand      io.Reader
}

// New makes an IdP.
func New(options Options) (*IdP, error) {
	if options.EntityID == "" || options.SSOURL == "" {
		return nil, errors.New("making a test IdP: EntityID and SSOURL are required")
	}
	idp := &IdP{
		entityID:  options.EntityID,
		sso:       options.SSOURL,
		slo:       options.SLOURL,
		key:       options.Key,
		announced: options.Announced,
		now:       options.Now,
		rand:      options.Rand,
	}
	if idp.key == nil {
		key, err := processKey()
		if err != nil {
			return nil, err
		}
		idp.key = key
	}
	if idp.now == nil {
		idp.now = time.Now
	}
	if idp.rand == nil {
		idp.rand = rand.Reader
	}
	return idp, nil
}

// Key is the key with which it signs.
func (idp *IdP) Key() *Key { return idp.key }

// NewID makes an ID as XML wants one: it does not begin with a digit.
func (idp *IdP) NewID() string {
	var id [16]byte
	if _, err := io.ReadFull(idp.rand, id[:]); err != nil {
		panic(fmt.Sprintf("samltest: reading random bytes: %v", err))
	}
	return "_" + hex.EncodeToString(id[:])
}

// Response issues one response: the value of the form field SAMLResponse. It
// panics if a hook of the Spec leaves nothing that could be signed.
func (idp *IdP) Response(spec Spec) string {
	encoded := base64.StdEncoding.EncodeToString(idp.XML(spec))
	if spec.Text != nil {
		encoded = spec.Text(encoded)
	}
	return encoded
}

// XML is Response before base64.
func (idp *IdP) XML(spec Spec) []byte {
	doc := idp.document(spec.withDefaults(idp))
	if spec.BeforeSigning != nil {
		spec.BeforeSigning(doc)
	}
	idp.sign(doc, spec)
	if spec.AfterSigning != nil {
		spec.AfterSigning(doc)
	}
	// Canonical text keeps a carriage return, which readers would drop.
	doc.WriteSettings.CanonicalText, doc.WriteSettings.CanonicalAttrVal = true, true
	raw, err := doc.WriteToBytes()
	if err != nil {
		panic(fmt.Sprintf("samltest: writing a response: %v", err))
	}
	if spec.Raw != nil {
		raw = spec.Raw(raw)
	}
	return raw
}

// sign adds the signatures: the assertion's first, because the response's
// covers it.
func (idp *IdP) sign(doc *etree.Document, spec Spec) {
	response := doc.Root()
	if spec.Sign == SignBoth || spec.Sign == SignAssertion {
		for _, assertion := range response.SelectElements("Assertion") {
			idp.Sign(assertion, spec.AssertionSignature)
		}
	}
	if spec.Encrypt != nil {
		encrypt(response, *spec.Encrypt)
	}
	if spec.Sign == SignBoth || spec.Sign == SignResponse {
		idp.Sign(response, spec.ResponseSignature)
	}
}

// SubjectType is a NameID's format as STS reports it: without the prefix of
// SAML 2.0's own formats.
func SubjectType(format string) string {
	return strings.TrimPrefix(format, "urn:oasis:names:tc:SAML:2.0:nameid-format:")
}
