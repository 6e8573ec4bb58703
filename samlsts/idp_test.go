package samlsts_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

const (
	entity    = "https://idp.example.com/saml"
	acs       = "https://label.example.com/rolepass/saml/acs"
	corp      = "arn:aws:iam::111122223333:saml-provider/corp"
	other     = "arn:aws:iam::111122223333:saml-provider/other"
	foreign   = "arn:aws:iam::999900001111:saml-provider/corp"
	twin      = "arn:aws:iam::111122223333:saml-provider/twin"
	radiology = "arn:aws:iam::111122223333:role/team/radiology"
	research  = "arn:aws:iam::111122223333:role/research"
	awsNames  = "https://aws.amazon.com/SAML/Attributes/"
	success   = "urn:oasis:names:tc:SAML:2.0:status:Success"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// key is one signing key with its certificate.
type key struct {
	private *rsa.PrivateKey
	der     []byte
}

func newKey(bits int) (key, error) {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return key{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	return key{private, der}, err
}

var (
	idpKey      = sync.OnceValues(func() (key, error) { return newKey(2048) })
	strangerKey = sync.OnceValues(func() (key, error) { return newKey(2048) })
)

func must[T any](t testing.TB, get func() (T, error)) T {
	t.Helper()
	value, err := get()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// spec is what the IdP says in one response; said is what a good one says.
type spec struct {
	responseID, assertionID string
	issuer, status          string
	issued, responseIssued  time.Time
	nameID                  string // the element
	confirmation            string // the element
	conditions              string // the element
	authn                   string // the element
	attributes              []string
	sign                    string // both, assertion, response, nothing
	key                     *key
	method                  string
	unprefixed              bool                 // the signature declares its namespace as the default
	inclusive               string               // PrefixList of exc-c14n
	odd                     func(*etree.Element) // changes a signature before its SignedInfo is signed
	before, after           func(*etree.Document)
	raw                     func(string) string
}

func attribute(name string, values ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<saml:Attribute Name=%q>`, name)
	for _, v := range values {
		fmt.Fprintf(&b, `<saml:AttributeValue>%s</saml:AttributeValue>`, v)
	}
	return b.String() + `</saml:Attribute>`
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

func confirmation(recipient string, until time.Time) string {
	return fmt.Sprintf(`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="_q" NotOnOrAfter=%q Recipient=%q/></saml:SubjectConfirmation>`, stamp(until), recipient)
}

func conditions(from, until time.Time, audiences ...string) string {
	list := ""
	for _, a := range audiences {
		list += "<saml:Audience>" + a + "</saml:Audience>"
	}
	return fmt.Sprintf(`<saml:Conditions NotBefore=%q NotOnOrAfter=%q><saml:AudienceRestriction>%s</saml:AudienceRestriction></saml:Conditions>`, stamp(from), stamp(until), list)
}

func authn(more string) string {
	return `<saml:AuthnStatement AuthnInstant="2026-03-01T11:59:00Z"` + more + `><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`
}

func said() *spec {
	return &spec{
		responseID: "_response", assertionID: "_assertion", issuer: entity, status: success,
		issued: noon.Add(-time.Second), responseIssued: noon.Add(-time.Second),
		nameID:       `<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">4711</saml:NameID>`,
		confirmation: confirmation(acs, noon.Add(5*time.Minute)),
		conditions:   conditions(noon.Add(-time.Minute), noon.Add(5*time.Minute), "https://label.example.com", "urn:amazon:webservices"),
		authn:        authn(""),
		attributes: []string{
			attribute(awsNames+"Role", radiology+","+corp, research+","+corp),
			attribute(awsNames+"RoleSessionName", "ada@example.com"),
			attribute("mail", "ada@example.com"),
		},
		sign: "both", method: dsig.RSASHA256SignatureMethod,
	}
}

// issue writes the response as an IdP would, in base64.
func (s *spec) issue(t testing.TB) string {
	t.Helper()
	text := fmt.Sprintf(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID=%q Version="2.0" IssueInstant=%q Destination=%q InResponseTo="_q"><saml:Issuer>%s</saml:Issuer><samlp:Status><samlp:StatusCode Value=%q/></samlp:Status><saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID=%q Version="2.0" IssueInstant=%q><saml:Issuer>%s</saml:Issuer><saml:Subject>%s%s</saml:Subject>%s%s<saml:AttributeStatement>%s</saml:AttributeStatement></saml:Assertion></samlp:Response>`,
		s.responseID, stamp(s.responseIssued), acs, s.issuer, s.status, s.assertionID, stamp(s.issued), s.issuer, s.nameID, s.confirmation, s.conditions, s.authn, strings.Join(s.attributes, ""))
	doc := etree.NewDocument()
	if err := doc.ReadFromString(text); err != nil {
		t.Fatalf("building a response: %v", err)
	}
	if s.before != nil {
		s.before(doc)
	}
	if s.sign == "both" || s.sign == "assertion" {
		s.signElement(t, doc.Root().SelectElement("Assertion"))
	}
	if s.sign == "both" || s.sign == "response" {
		s.signElement(t, doc.Root())
	}
	if s.after != nil {
		s.after(doc)
	}
	doc.WriteSettings.CanonicalText, doc.WriteSettings.CanonicalAttrVal = true, true
	raw, err := doc.WriteToString()
	if err != nil {
		t.Fatalf("writing a response: %v", err)
	}
	if s.raw != nil {
		raw = s.raw(raw)
	}
	return base64.StdEncoding.EncodeToString([]byte(raw))
}

// signElement puts an enveloped signature behind the Issuer.
func (s *spec) signElement(t testing.TB, el *etree.Element) {
	t.Helper()
	k := s.key
	if k == nil {
		own := must(t, idpKey)
		k = &own
	}
	ctx, err := dsig.NewSigningContext(k.private, [][]byte{k.der})
	if err != nil {
		t.Fatal(err)
	}
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(s.inclusive)
	if s.unprefixed {
		ctx.Prefix = ""
	}
	if err := ctx.SetSignatureMethod(s.method); err != nil {
		t.Fatal(err)
	}
	signature, err := ctx.ConstructSignature(el.Copy(), true) // canonicalising changes what it is given
	if err != nil {
		t.Fatalf("signing: %v", err)
	}
	if s.odd != nil {
		s.odd(signature)
		resign(t, ctx, signature)
	}
	at := 0
	if issuer := el.SelectElement("Issuer"); issuer != nil {
		at = issuer.Index() + 1
	}
	el.InsertChildAt(at, signature)
}

// resign signs SignedInfo as it is now.
func resign(t testing.TB, ctx *dsig.SigningContext, signature *etree.Element) {
	t.Helper()
	info := signature.SelectElement("SignedInfo").Copy()
	info.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
	canonical, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(info)
	if err != nil {
		t.Fatal(err)
	}
	value, err := ctx.SignString(string(canonical))
	if err != nil {
		t.Fatal(err)
	}
	signature.SelectElement("SignatureValue").SetText(base64.StdEncoding.EncodeToString(value))
}

// metadata is the IdP's EntityDescriptor with these keys.
func metadata(entity string, keys ...key) string {
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`, base64.StdEncoding.EncodeToString(k.der))
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<!-- saved from the IdP -->
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID=%q><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">%s<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>`, entity, b.String())
}
