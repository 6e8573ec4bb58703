package samltest

import (
	"bytes"

	"github.com/beevik/etree"
)

// Forgery is a response that no verifier may take for the IdP's word, however
// it reads XML. Change applies it to the Spec of a right one. The same list
// is held against every verifier in the tree, so that two readers that share
// no code are tried with the same tricks.
type Forgery struct {
	Name   string
	Story  string
	Change func(*Spec)
}

// Forgeries are the attacks of an outsider who holds a response that the IdP
// really signed, or none at all. foreign is a key that nobody trusts.
func Forgeries(foreign *Key) []Forgery {
	list := []Forgery{
		{"unsigned", "nothing is signed", func(s *Spec) { s.Sign = SignNothing }},
		{"stripped", "both signatures were taken away", after(Remove("./Response/Signature"), Remove("./Response/Assertion/Signature"))},
		{"foreign key", "somebody else signed, and says so in KeyInfo", func(s *Spec) { s.AssertionSignature.Key, s.ResponseSignature.Key = foreign, foreign }},
		{"tampered NameID", "the name was changed after signing", after(SetText(".//Subject/NameID", Attacker))},
		{"tampered Role", "a role was added after signing", after(Duplicate(".//Attribute[@Name='"+RoleAttribute+"']/AttributeValue", func(e *etree.Element) {
			e.SetText("arn:aws:iam::111122223333:role/admin,arn:aws:iam::111122223333:saml-provider/corp")
		}))},
		{"tampered time", "the end was put off after signing", after(SetAttr(".//Conditions", "NotOnOrAfter", "2099-01-01T00:00:00Z"))},
		{"tampered Recipient", "the recipient was changed after signing", after(SetAttr(".//SubjectConfirmationData", "Recipient", "https://elsewhere.example.com/"))},
		{"emptied value", "the signature value is empty", after(SetText("./Response/Signature/SignatureValue", ""), SetText("./Response/Assertion/Signature/SignatureValue", ""))},
		{"emptied digest", "the digest is empty", after(SetText("./Response/Signature/SignedInfo/Reference/DigestValue", ""), SetText("./Response/Assertion/Signature/SignedInfo/Reference/DigestValue", ""))},
		{"emptied reference", "the signature is for whatever is the document", after(SetAttr("./Response/Signature/SignedInfo/Reference", "URI", ""), SetAttr("./Response/Assertion/Signature/SignedInfo/Reference", "URI", ""))},
		{"HMAC", "the public key is to be taken for a shared secret", after(
			SetAttr("./Response/Signature/SignedInfo/SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
			SetAttr("./Response/Assertion/Signature/SignedInfo/SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"))},
		{"second assertion", "an unsigned assertion follows the signed one", after(Duplicate("./Response/Assertion", func(e *etree.Element) {
			e.RemoveChild(e.SelectElement("Signature"))
			forge(e)
		}))},
		{"entity", "the name is an entity of a DOCTYPE", func(s *Spec) {
			s.AfterSigning = SetText(".//Subject/NameID", "ENTITY")
			s.Raw = func(raw []byte) []byte {
				raw = bytes.Replace(raw, []byte(">ENTITY<"), []byte(">&who;<"), 1)
				return append([]byte(`<!DOCTYPE r [<!ENTITY who "`+Attacker+`">]>`), raw...)
			}
		}},
		{"second document", "a forged response follows the signed one", func(s *Spec) {
			s.Raw = func(raw []byte) []byte {
				evil := bytes.Replace(raw, []byte("</saml:NameID>"), []byte(Attacker+"</saml:NameID>"), 1)
				return append(evil, raw...)
			}
		}},
	}
	for _, wrapping := range Wrappings() {
		list = append(list, Forgery{wrapping.Name, wrapping.Story, func(s *Spec) { s.AfterSigning = wrapping.Attack }})
	}
	return list
}

func after(edits ...Edit) func(*Spec) {
	return func(s *Spec) { s.AfterSigning = Edits(edits...) }
}
