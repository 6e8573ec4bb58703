package saml

import (
	"encoding/xml"

	"github.com/rolepass/rolepass/refusal"
)

// XML Encryption.
const (
	encryptionNS   = "http://www.w3.org/2001/04/xmlenc#"
	encryption11NS = "http://www.w3.org/2009/xmlenc11#"

	anElement = encryptionNS + "Element"
	oaepMGF1P = encryptionNS + "rsa-oaep-mgf1p"
	oaep      = encryption11NS + "rsa-oaep"
)

func xenc(local string) xml.Name   { return xml.Name{Space: encryptionNS, Local: local} }
func xenc11(local string) xml.Name { return xml.Name{Space: encryption11NS, Local: local} }

// sealedGrammar is what may stand in an EncryptedAssertion: one key, wrapped
// for us, and one text, encrypted with it. Nothing may point elsewhere.
var sealedGrammar = language{
	saml("EncryptedAssertion"): {children: []part{{xenc("EncryptedData"), 1, 1, "saml_encryption"}}},
	xenc("EncryptedData"): {attrs: []string{"Type"}, children: []part{
		{xenc("EncryptionMethod"), 1, 1, "saml_encryption"}, {ds("KeyInfo"), 1, 1, "saml_encryption"}, {xenc("CipherData"), 1, 1, "saml_encryption"}}},
	xenc("EncryptedKey"): {children: []part{
		{xenc("EncryptionMethod"), 1, 1, "saml_encryption"}, {ds("KeyInfo"), 0, 1, "saml_encryption"}, {xenc("CipherData"), 1, 1, "saml_encryption"}}},
	xenc("EncryptionMethod"): {attrs: []string{"Algorithm"}, children: []part{
		{ds("DigestMethod"), 0, 1, "saml_encryption"}, {xenc11("MGF"), 0, 1, "saml_encryption"}}},
	ds("DigestMethod"): {attrs: []string{"Algorithm"}},
	xenc11("MGF"):      {attrs: []string{"Algorithm"}},
	ds("KeyInfo"): {children: []part{
		{xenc("EncryptedKey"), 0, 1, "saml_encryption"}, {ds("KeyName"), 0, 4, "saml_encryption"}, {ds("X509Data"), 0, 1, "saml_encryption"}}},
	ds("KeyName"):         {text: true},
	ds("X509Data"):        {children: []part{{ds("X509Certificate"), 1, 1, "saml_encryption"}}},
	ds("X509Certificate"): {text: true},
	xenc("CipherData"):    {children: []part{{xenc("CipherValue"), 1, 1, "saml_encryption"}}},
	xenc("CipherValue"):   {text: true},
}

// sealed is an EncryptedAssertion, taken apart.
type sealed struct {
	content, transport encryption
	key, text          string
	certificate        *element
}

// encryption is an EncryptionMethod.
type encryption struct{ algorithm, digest, mgf string }

// encrypted is the response's EncryptedAssertion, or nil.
func encrypted(root *element) *element {
	if root.name != samlp("Response") {
		return nil
	}
	return root.child(saml("EncryptedAssertion"))
}

// unseal takes an EncryptedAssertion apart. It must be the only assertion of
// the response: what stands beside it is not looked for in the dark.
func unseal(root, e *element) (*sealed, *refusal.Refusal) {
	if n := len(root.all(saml("EncryptedAssertion"))); n != 1 || root.child(saml("Assertion")) != nil {
		return nil, forbidden("saml_assertion_count", "The response has %d encrypted assertions or a plain one besides; exactly one is accepted.", n)
	}
	if refused := sealedGrammar.follows(e); refused != nil {
		return nil, refused
	}
	data := e.child(xenc("EncryptedData"))
	key := data.child(ds("KeyInfo"), xenc("EncryptedKey"))
	if key == nil || key.child(ds("KeyInfo"), xenc("EncryptedKey")) != nil || data.attr("Type") != anElement {
		return nil, malformed("saml_encryption", "The encrypted assertion must be an EncryptedData of the type Element, with the one EncryptedKey in its KeyInfo.")
	}
	return &sealed{
		content:     encryptionOf(data),
		transport:   encryptionOf(key),
		key:         key.child(xenc("CipherData"), xenc("CipherValue")).content(),
		text:        data.child(xenc("CipherData"), xenc("CipherValue")).content(),
		certificate: key.child(ds("KeyInfo"), ds("X509Data"), ds("X509Certificate")),
	}, nil
}

func encryptionOf(e *element) encryption {
	m := e.child(xenc("EncryptionMethod"))
	return encryption{m.attr("Algorithm"), m.child(ds("DigestMethod")).attr("Algorithm"), m.child(xenc11("MGF")).attr("Algorithm")}
}
