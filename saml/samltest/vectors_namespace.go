package samltest

import (
	"bytes"

	"github.com/beevik/etree"
)

// replaceBytes changes the first occurrence in the signed document's bytes.
func replaceBytes(old, new string) func(*Spec) {
	return func(s *Spec) {
		s.Raw = func(raw []byte) []byte {
			if !bytes.Contains(raw, []byte(old)) {
				panic("samltest: nothing to replace: " + old)
			}
			return bytes.Replace(raw, []byte(old), []byte(new), 1)
		}
	}
}

// namespaceVectors use names about whose meaning readers differ.
func namespaceVectors() []Vector {
	const (
		code      = "saml_namespace"
		confusion = "Namespace confusion (\"The Fragile Lock\", 2025)"
		foreign   = "GO-2026-6909 (crewjam/saml): a foreign NameID honoured"
		relative  = "Void canonicalization (\"The Fragile Lock\", 2025): relative namespaces"
		roundTrip = "CVE-2020-29509/-29510/-29511 (encoding/xml): names that do not survive"
	)
	inSubject := func(xml string) func(*Spec) { return replaceBytes("<saml:Subject>", "<saml:Subject>"+xml) }
	inNameID := func(attribute string) func(*Spec) {
		return replaceBytes("<saml:NameID ", "<saml:NameID "+attribute+" ")
	}
	return []Vector{
		{Name: "a NameID of another namespace", After: foreign, Code: code, Change: inSubject(`<e:NameID xmlns:e="urn:evil">admin</e:NameID>`)},
		{Name: "a NameID of no namespace, signed", After: foreign, Code: code, Sibling: responseSigned, Change: Signing(func(d *etree.Document) { find(d, atNameID).Space = "" })},
		{Name: "a NameID of the protocol", After: foreign, Code: "saml_structure", Change: Signing(func(d *etree.Document) { find(d, atNameID).Space = "samlp" })},
		{Name: "a NameID of SAML 1.1", After: foreign, Code: code, Change: inSubject(`<e:NameID xmlns:e="urn:oasis:names:tc:SAML:1.0:assertion">admin</e:NameID>`)},
		{Name: "a namespace with a slash more", After: confusion, Code: code, Change: inSubject(`<e:NameID xmlns:e="urn:oasis:names:tc:SAML:2.0:assertion/">admin</e:NameID>`)},
		{Name: "a namespace in another case", After: confusion, Code: code, Change: inSubject(`<e:NameID xmlns:e="urn:oasis:names:tc:saml:2.0:assertion">admin</e:NameID>`)},
		{Name: "a prefix with two meanings", After: confusion, Code: code, Change: inNameID(`xmlns:saml="urn:evil"`)},
		{Name: "a prefix with two meanings in one tag", After: confusion, Code: code, Change: replaceBytes("<samlp:Status>", `<samlp:Status xmlns:samlp="urn:a" xmlns:samlp="urn:b">`)},
		{Name: "a prefix with two meanings, which is not used", After: confusion, Code: code, Sibling: all(assertionSigned, replaceBytes("<samlp:Status>", `<samlp:Status xmlns:x="urn:a">`)), Change: twoMeanings, STS: "it reads a prefix as XML does, where it stands"},
		{Name: "the default namespace undone", After: confusion, Code: code, Change: inNameID(`xmlns=""`)},
		{Name: "a relative namespace", After: relative, Code: code, Change: inNameID(`xmlns:x="../evil"`), STS: ""},
		{Name: "a namespace of one word", After: relative, Code: code, Change: inNameID(`xmlns:x="1"`)},
		{Name: "a namespace with a blank", After: relative, Code: code, Change: inNameID(`xmlns:x="urn:a b"`)},
		{Name: "the prefix xml declared", After: "Namespaces in XML §3", Code: code, Change: inNameID(`xmlns:xml="http://www.w3.org/XML/1998/namespace"`)},
		{Name: "the prefix xml redefined", After: "Namespaces in XML §3", Code: code, Change: inNameID(`xmlns:xml="urn:evil"`)},
		{Name: "the prefix xmlns declared", After: "Namespaces in XML §3", Code: code, Change: inNameID(`xmlns:xmlns="http://www.w3.org/2000/xmlns/"`)},
		{Name: "the prefix xmlns declared, unsigned", After: "Namespaces in XML §3", Code: code, Sibling: assertionSigned, Change: replaceBytes("<samlp:Status>", `<samlp:Status xmlns:xmlns="http://www.w3.org/2000/xmlns/">`)},
		{Name: "a prefix that nobody declared", After: confusion, Code: code, Change: inSubject(`<evil:x/>`)},
		{Name: "xml:id on the subject", After: "xml:id 1.0: an ID for some readers", Code: code, Change: replaceBytes("<saml:Subject>", `<saml:Subject xml:id="x">`)},
		{Name: "xsi:type on the subject", After: "SAML core §1.3: types that change the meaning", Code: code, Change: replaceBytes("<saml:Subject>", `<saml:Subject xsi:type="saml:SubjectType">`)},
		{Name: "xsi:type on the NameID", After: "Issue 6: xs:type nesting", Code: code, Change: inNameID(`xsi:type="saml:NameIDType"`)},
		{Name: "a foreign attribute on the conditions", After: "Attribute pollution (\"The Fragile Lock\", 2025)", Code: code, Change: replaceBytes("<saml:Conditions ", `<saml:Conditions xmlns:e="urn:evil" e:NotOnOrAfter="2099-01-01T00:00:00Z" `)},
		{Name: "a foreign attribute on the status, unsigned", After: "Attribute pollution (\"The Fragile Lock\", 2025)", Code: code, Sibling: assertionSigned, Change: replaceBytes("<samlp:Status>", `<samlp:Status xmlns:e="urn:evil" e:Value="x">`), STS: "it reads the attributes that it knows"},
		{Name: "a name that begins with a colon, unsigned", After: roundTrip, Code: "saml_xml", Sibling: assertionSigned, Change: replaceBytes("<samlp:Status>", `<samlp:Status :Value="x">`)},
		{Name: "a name that begins with a colon", After: roundTrip, Code: "saml_xml", Change: inNameID(`:Format="x"`)},
		{Name: "a prefix without a name", After: roundTrip, Code: "saml_xml", Change: inNameID(`saml:="x"`)},
		{Name: "an element without a prefix before its colon", After: roundTrip, Code: "saml_xml", Change: inSubject(`<:x/>`)},
		{Name: "an element without a name behind its colon", After: roundTrip, Code: "saml_xml", Change: inSubject(`<saml:/>`)},
		{Name: "an element with two colons", After: roundTrip, Code: "saml_xml", Change: inSubject(`<saml:a:b/>`)},
		{Name: "an attribute with two colons", After: roundTrip, Code: "saml_xml", Change: inNameID(`saml:a:b="x"`)},
		{Name: "an attribute of two spellings", After: "Attribute pollution (\"The Fragile Lock\", 2025)", Code: "saml_xml", Change: replaceBytes("<saml:Subject>", `<saml:Subject xmlns:a="urn:a" xmlns:b="urn:a" a:x="1" b:x="2">`)},
	}
}

// twoMeanings gives one prefix two namespaces, in the part of the response that
// is not signed.
func twoMeanings(s *Spec) {
	replaceBytes("<samlp:Status>", `<samlp:Status xmlns:x="urn:a">`)(s)
	first := s.Raw
	replaceBytes("<samlp:StatusCode ", `<samlp:StatusCode xmlns:x="urn:b" `)(s)
	second := s.Raw
	s.Raw = func(raw []byte) []byte { return second(first(raw)) }
}
