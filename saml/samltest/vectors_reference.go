package samltest

import "github.com/beevik/etree"

// signedBy is an assertion-signed response whose signature is made in another
// way by the right key.
func signedBy(change func(*Signature)) func(*Spec) {
	return func(s *Spec) { change(&s.AssertionSignature) }
}

// saying changes SignedInfo before the right key signs it.
func saying(edit func(info *etree.Element)) func(*Spec) {
	return signedBy(func(s *Signature) { s.EditSignedInfo = edit })
}

// referenceVectors have signatures that are good, and good for something else
// than the element that is read.
func referenceVectors() []Vector {
	const code = "saml_reference"
	second := func(uri string, front bool) func(*etree.Element) {
		return func(info *etree.Element) {
			reference := info.SelectElement("Reference")
			twin := reference.Copy()
			twin.CreateAttr("URI", uri)
			if front {
				info.InsertChildAt(reference.Index(), twin)
			} else {
				info.AddChild(twin)
			}
		}
	}
	uri := func(value string) func(*Spec) {
		return all(fixedIDs, saying(func(info *etree.Element) { info.SelectElement("Reference").CreateAttr("URI", value) }))
	}
	list := []Vector{
		{Name: "a second reference", After: "CVE-2026-33487 (goxmldsig): the wrong Reference validated", Code: code, Change: saying(second("#_other", false))},
		{Name: "a second reference in front", After: "CVE-2026-33487 (goxmldsig): the wrong Reference validated", Code: code, Change: saying(second("#_other", true))},
		{Name: "the same reference twice", After: "CVE-2026-33487 (goxmldsig)", Code: code, Change: saying(func(info *etree.Element) { info.AddChild(info.SelectElement("Reference").Copy()) })},
		{Name: "no reference", After: "CVE-2025-25291 (ruby-saml): nothing digested", Code: code, Change: saying(func(info *etree.Element) { info.RemoveChild(info.SelectElement("Reference")) })},
		{Name: "another element's ID", After: "CVE-2024-45409 (ruby-saml)", Code: code, Change: uri("#_r")},
		{Name: "an ID that nothing has", After: "CVE-2024-45409 (ruby-saml)", Code: code, Change: uri("#_elsewhere")},
		{Name: "the whole document", After: "XML Signature §4.4.3.2: an empty URI", Code: code, Change: uri("")},
		{Name: "only a fragment mark", After: "XML Signature §4.4.3.2", Code: code, Change: uri("#")},
		{Name: "the ID without its mark", After: "XML Signature §4.4.3.2: a relative URI", Code: code, Change: uri("_a")},
		{Name: "another mark", After: "XML Signature §4.4.3.2: a query", Code: code, Change: uri("?_a")},
		{Name: "XPointer to the root", After: "XML Signature §4.4.3.3", Code: code, Change: uri("#xpointer(/)")},
		{Name: "XPointer to the ID", After: "XML Signature §4.4.3.3", Code: code, Change: uri("#xpointer(id('_a'))")},
		{Name: "a document elsewhere", After: "CVE-2025-46572 (passport-wsfed): what is signed lies elsewhere", Code: code, Change: uri("https://evil.example.com/#_a")},
		{Name: "a file", After: "Server-side request forgery by Reference", Code: code, Change: uri("file:///etc/passwd")},
		{Name: "the ID in another case", After: "XML 1.0 §2.3: names are case-sensitive", Code: code, Change: uri("#_A")},
		{Name: "the ID and a blank", After: "CVE-2025-25292 (ruby-saml): two readers of one value", Code: code, Change: uri("#_a ")},
		{Name: "the ID, percent-encoded", After: "CVE-2025-25292 (ruby-saml): two readers of one value", Code: code, Change: uri("#%5Fa")},
		{Name: "no URI", After: "XML Signature §4.4.3: a reference that the application knows", Code: "saml_structure", Change: saying(func(info *etree.Element) { info.SelectElement("Reference").RemoveAttr("URI") })},
		{Name: "a Manifest instead", After: "XML Signature §5.1", Code: "saml_structure", Change: saying(func(info *etree.Element) { info.CreateElement("ds:Manifest") })},
	}
	for i := range list {
		list[i].Sibling = all(assertionSigned, fixedIDs)
	}
	return append(list, Vector{Name: "the response's signature, for the assertion", After: "CVE-2024-45409 (ruby-saml)", Code: code, Sibling: all(responseSigned, fixedIDs), Change: func(s *Spec) { s.ResponseSignature.URI = "#_a" }})
}
