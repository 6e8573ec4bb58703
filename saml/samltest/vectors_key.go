package samltest

import (
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"
)

// strangerKey is a key that nobody in the scene trusts.
var strangerKey = sync.OnceValue(func() *Key {
	key, err := NewKey(2048)
	if err != nil {
		panic("samltest: " + err.Error())
	}
	return key
})

// disguised is the stranger's key under the scene's own certificate.
func disguised() *Key {
	own, err := processKey()
	if err != nil {
		panic("samltest: " + err.Error())
	}
	return &Key{Private: strangerKey().Private, Certificate: own.Certificate}
}

// keyVectors have signatures by keys that are not the IdP's, and keys that a
// message names for itself.
func keyVectors() []Vector {
	const selfSigned = "CVE-2023-48703 (go-saml): the key in KeyInfo believed"
	withoutKeyInfo := func(s *Spec) { s.AssertionSignature.WithoutKeyInfo, s.ResponseSignature.WithoutKeyInfo = true, true }
	by := func(key func() *Key) func(*Spec) {
		return func(s *Spec) { s.AssertionSignature.Key, s.ResponseSignature.Key = key(), key() }
	}
	info := func(edit func(*etree.Element)) func(*Spec) {
		return Tampering(func(d *etree.Document) { edit(find(d, atSignature+"/KeyInfo")) })
	}
	list := []Vector{
		{Name: "a stranger's, with its certificate", After: selfSigned, Code: "saml_certificate", Change: by(strangerKey)},
		{Name: "a stranger's, without a certificate", After: selfSigned, Code: "saml_signature", Sibling: withoutKeyInfo, Change: by(strangerKey)},
		{Name: "a stranger's, under the right certificate", After: selfSigned, Code: "saml_signature", Change: by(disguised)},
		{Name: "the assertion's a stranger's", After: "GHSA-479m (gosaml2 0.11.0): nested signatures unverified", Code: "saml_certificate", Change: func(s *Spec) { s.AssertionSignature.Key = strangerKey() }},
		{Name: "the assertion's a stranger's, in disguise", After: "GHSA-479m (gosaml2 0.11.0): nested signatures unverified", Code: "saml_signature", Change: func(s *Spec) { s.AssertionSignature.Key = disguised() }},
		{Name: "the response's a stranger's", After: "A response whose own signature is overlooked", Code: "saml_certificate", Change: func(s *Spec) { s.ResponseSignature.Key = strangerKey() }},
		{Name: "the response's a stranger's, in disguise", After: "A response whose own signature is overlooked", Code: "saml_signature", Change: func(s *Spec) { s.ResponseSignature.Key = disguised() }},
		{Name: "a certificate that is none", After: selfSigned, Code: "saml_certificate", Sibling: assertionSigned, Change: Tampering(SetText(atSignature+"/KeyInfo/X509Data/X509Certificate", "%%%")), STS: stsIgnoresKeyInfo},
		{Name: "a certificate, cut short", After: selfSigned, Code: "saml_certificate", Sibling: assertionSigned, Change: Tampering(SetText(atSignature+"/KeyInfo/X509Data/X509Certificate", "MIIC")), STS: stsIgnoresKeyInfo},
		{Name: "a stranger's certificate over a good signature", After: selfSigned, Code: "saml_certificate", Sibling: assertionSigned, STS: stsIgnoresKeyInfo, Change: Tampering(func(d *etree.Document) {
			find(d, atSignature+"/KeyInfo/X509Data/X509Certificate").SetText(base64Of(strangerKey().Certificate.Raw))
		})},
		{Name: "a name instead of a certificate", After: selfSigned, Code: "saml_certificate", Sibling: assertionSigned, STS: stsIgnoresKeyInfo,
			Change: Tampering(Remove(atSignature+"/KeyInfo/X509Data"), Insert(atSignature+"/KeyInfo", "<ds:KeyName>x</ds:KeyName>"))},
		{Name: "the IdP's, under a certificate that is over", After: "AB44: an expired IdP certificate", Code: "saml_certificate_expired", Late: 75 * 365 * 24 * time.Hour},
		{Name: "two KeyInfos", After: "protocol facts: which one counts", Code: "saml_certificate", Sibling: assertionSigned, Change: Tampering(Duplicate(atSignature+"/KeyInfo", nil))},
		{Name: "two X509Data", After: "protocol facts: which one counts", Code: "saml_certificate", Sibling: assertionSigned, STS: stsIgnoresKeyInfo, Change: Tampering(Duplicate(atSignature+"/KeyInfo/X509Data", nil))},
		{Name: "an X509Data of nothing", After: "GO-2020-0046 (goxmldsig): nil dereference", Code: "saml_certificate", Sibling: assertionSigned, STS: stsIgnoresKeyInfo, Change: info(func(k *etree.Element) { k.SelectElement("X509Data").Child = nil })},
		{Name: "nine certificates", After: "A chain of certificates costs", Code: "saml_certificate", Sibling: assertionSigned, STS: stsIgnoresKeyInfo, Change: info(func(k *etree.Element) {
			data := k.SelectElement("X509Data")
			for range 8 {
				data.AddChild(data.SelectElement("X509Certificate").Copy())
			}
		})},
	}
	for _, odd := range []struct{ name, xml string }{
		{"nine names of subjects", strings.Repeat(`<ds:X509SubjectName>CN=x</ds:X509SubjectName>`, 9)},
		{"nine serial numbers", strings.Repeat(`<ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName><ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial>`, 9)},
		{"nine key identifiers", strings.Repeat(`<ds:X509SKI>AA==</ds:X509SKI>`, 9)},
		{"a serial number without a name", `<ds:X509IssuerSerial><ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial>`},
		{"a serial number without a number", `<ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName></ds:X509IssuerSerial>`},
		{"two names for one serial number", `<ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName><ds:X509IssuerName>CN=x</ds:X509IssuerName><ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial>`},
		{"one serial number twice", `<ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName><ds:X509SerialNumber>1</ds:X509SerialNumber><ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial>`},
	} {
		list = append(list, Vector{Name: odd.name + " beside the certificate", After: "XML Signature §4.4.4.2: X509Data may hold many things", Code: "saml_certificate", Sibling: assertionSigned, STS: stsIgnoresKeyInfo,
			Change: info(func(k *etree.Element) { graft(k.SelectElement("X509Data"), odd.xml) })})
	}
	for _, odd := range []struct{ name, xml, code string }{
		{"a retrieval method", `<ds:RetrievalMethod URI="https://evil.example.com/key"/>`, "saml_structure"},
		{"a DSA key", `<ds:KeyValue><ds:DSAKeyValue/></ds:KeyValue>`, "saml_structure"},
		{"an RSA key of nothing", `<ds:KeyValue><ds:RSAKeyValue/></ds:KeyValue>`, "saml_certificate"},
		{"an RSA key without an exponent", `<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AA==</ds:Modulus></ds:RSAKeyValue></ds:KeyValue>`, "saml_certificate"},
		{"a key of no value", `<ds:KeyValue/>`, "saml_certificate"},
		{"two key values", strings.Repeat(`<ds:KeyValue>`+rsaKey+`</ds:KeyValue>`, 2), "saml_certificate"},
		{"two RSA keys", `<ds:KeyValue>` + rsaKey + rsaKey + `</ds:KeyValue>`, "saml_certificate"},
		{"an RSA key without a modulus", `<ds:KeyValue><ds:RSAKeyValue><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>`, "saml_certificate"},
		{"an RSA key of two moduli", `<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AA==</ds:Modulus><ds:Modulus>AA==</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>`, "saml_certificate"},
		{"an RSA key of two exponents", `<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AA==</ds:Modulus><ds:Exponent>AQAB</ds:Exponent><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>`, "saml_certificate"},
		{"five names", `<ds:KeyName/><ds:KeyName/><ds:KeyName/><ds:KeyName/><ds:KeyName/>`, "saml_certificate"},
		{"a revocation list", `<ds:X509Data><ds:X509CRL/></ds:X509Data>`, "saml_certificate"},
		{"a key of PGP", `<ds:PGPData/>`, "saml_structure"},
		{"a security token", `<o:SecurityTokenReference xmlns:o="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"/>`, "saml_namespace"},
	} {
		list = append(list, Vector{Name: odd.name + " in KeyInfo", After: "XML Signature §4.4.4: what KeyInfo may point to", Code: odd.code, Sibling: assertionSigned, STS: stsIgnoresKeyInfo, Change: info(func(k *etree.Element) { graft(k, odd.xml) })})
	}
	return list
}

const rsaKey = `<ds:RSAKeyValue><ds:Modulus>AA==</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue>`

// graft puts elements of XML Signature into another one.
func graft(into *etree.Element, xml string) {
	fragment := etree.NewDocument()
	if err := fragment.ReadFromString(`<r xmlns:ds="` + SignatureNS + `">` + xml + `</r>`); err != nil {
		panic("samltest: " + err.Error())
	}
	for _, e := range fragment.Root().ChildElements() {
		into.AddChild(e)
	}
}

// stsIgnoresKeyInfo: no signature covers KeyInfo, and a verifier that has the
// key already need not read it.
const stsIgnoresKeyInfo = "it does not read KeyInfo, and the signature is by the pinned key"
