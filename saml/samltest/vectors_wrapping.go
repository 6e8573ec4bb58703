package samltest

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// wrappingVectors keep a signature good for one reader's eyes while another
// reads a forged assertion.
func wrappingVectors() []Vector {
	var list []Vector
	for _, base := range bases {
		for _, w := range Wrappings() {
			list = append(list, Vector{Name: w.Name + ", " + base.name, After: "On Breaking SAML (USENIX Security 2012), " + w.Name,
				Code: "saml_assertion_count", Sibling: base.sign, Change: Tampering(w.Attack)})
		}
		for _, h := range hidingPlaces {
			list = append(list, Vector{Name: "the original in " + h.name + ", " + base.name, After: h.after, Code: "saml_assertion_count", Sibling: base.sign, Change: Tampering(hide(h.place))})
		}
	}
	return slices.Concat(list, secondAssertions(), metadataWrappings())
}

// metadataWrappings have the signature of another document that the IdP
// signed and that everybody may read, and a forged assertion.
func metadataWrappings() []Vector {
	const after = "CVE-2024-6800 (GHES): signed metadata in a response"
	with := func(name, code string, place func(response, metadata *etree.Element)) Vector {
		return Vector{Name: "the signed metadata " + name, After: after, Code: code, Change: all(func(s *Spec) { s.Sign = SignNothing }, Tampering(func(d *etree.Document) {
			forge(theAssertion(d))
			place(d.Root(), signedMetadata())
		}))}
	}
	return []Vector{
		with("in Extensions", "saml_signature_place", func(response, metadata *etree.Element) {
			response.CreateElement("samlp:Extensions").AddChild(metadata)
		}),
		with("lends its signature and its ID", "saml_signature", func(response, metadata *etree.Element) {
			response.CreateAttr("ID", metadata.SelectAttrValue("ID", ""))
			response.InsertChildAt(1, metadata.SelectElement("Signature"))
		}),
		with("in its own signature", "saml_namespace", func(response, metadata *etree.Element) {
			signature := metadata.SelectElement("Signature")
			metadata.RemoveChild(signature)
			signature.CreateElement("ds:Object").AddChild(metadata)
			response.CreateAttr("ID", metadata.SelectAttrValue("ID", ""))
			response.InsertChildAt(1, signature)
		}),
	}
}

// signedMetadata is the scene's metadata, with a signature by its key.
func signedMetadata() *etree.Element {
	idp, err := Scene()
	if err != nil {
		panic("samltest: " + err.Error())
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(idp.Metadata()); err != nil {
		panic("samltest: " + err.Error())
	}
	doc.Root().CreateAttr("ID", "_metadata")
	idp.Sign(doc.Root(), Signature{})
	return doc.Root()
}

// hidingPlaces are where a signed assertion can be put while a forged one
// takes its place.
var hidingPlaces = []struct {
	name, after string
	place       func(evil *etree.Element) *etree.Element
}{
	{"Advice", "CVE-2025-47949 (samlify): a variant of XSW4", func(evil *etree.Element) *etree.Element { return evil.CreateElement("saml:Advice") }},
	{"Extensions", "CVE-2024-6800 (GHES): a variant of XSW7", func(evil *etree.Element) *etree.Element { return before(evil, "samlp:Extensions") }},
	{"the StatusDetail", "CVE-2024-45409 (ruby-saml): whatever was signed, wherever it stands", func(evil *etree.Element) *etree.Element {
		return evil.Parent().SelectElement("Status").CreateElement("samlp:StatusDetail")
	}},
	{"an AttributeValue", "CVE-2025-54369 (node-saml)", func(evil *etree.Element) *etree.Element {
		return evil.FindElement("./AttributeStatement/Attribute/AttributeValue")
	}},
	{"an element of another namespace", "Namespace confusion (\"The Fragile Lock\", 2025)", func(evil *etree.Element) *etree.Element {
		other := before(evil, "x:Box")
		other.CreateAttr("xmlns:x", "urn:evil")
		return other
	}},
}

func before(e *etree.Element, tag string) *etree.Element {
	sibling := etree.NewElement(tag)
	e.Parent().InsertChildAt(e.Index(), sibling)
	return sibling
}

// hide puts a forged assertion where the original was, and the original, as it
// was signed, into another place.
func hide(place func(*etree.Element) *etree.Element) Edit {
	return func(doc *etree.Document) {
		original := theAssertion(doc)
		evil := forged(original)
		original.Parent().InsertChildAt(original.Index(), evil)
		original.Parent().RemoveChild(original)
		place(evil).AddChild(original)
	}
}

// secondAssertions are responses in which there is more than one assertion to
// read, or one that is not where one belongs.
func secondAssertions() []Vector {
	const count = "saml_assertion_count"
	second := func(e *etree.Element) { e.CreateAttr("ID", "_second") }
	return []Vector{
		{Name: "two assertions, both signed", After: "CVE-2022-41912 (crewjam/saml)", Code: count, Change: Signing(Duplicate(atAssertion, second))},
		{Name: "two assertions, the second unsigned", After: "CVE-2022-41912 (crewjam/saml)", Code: count, Sibling: assertionSigned, Change: Tampering(Duplicate(atAssertion, func(e *etree.Element) {
			e.RemoveChild(e.SelectElement("Signature"))
			forge(e)
		}))},
		{Name: "two assertions, the first unsigned", After: "CVE-2022-41912 (crewjam/saml)", Code: count, Sibling: assertionSigned, Change: Tampering(func(doc *etree.Document) {
			original := theAssertion(doc)
			original.Parent().InsertChildAt(original.Index(), forged(original))
		})},
		{Name: "the same assertion twice", After: "CVE-2022-41912 (crewjam/saml)", Code: count, Sibling: assertionSigned, Change: Tampering(Duplicate(atAssertion, nil))},
		{Name: "a forged assertion with the original's ID", After: "CVE-2024-45409 (ruby-saml)", Code: count, Sibling: assertionSigned, Change: Tampering(Duplicate(atAssertion, func(e *etree.Element) { e.FindElement("./Subject/NameID").SetText(Attacker) }))},
		{Name: "an assertion in Advice", After: "SAML core §2.3.3: Advice may hold assertions", Code: count, Change: Signing(Insert(atAssertion, `<saml:Advice><saml:Assertion/></saml:Advice>`))},
		{Name: "an assertion in Extensions", After: "XSW7 without a forgery", Code: count, Change: Signing(Insert(atResponse, `<samlp:Extensions><saml:Assertion/></samlp:Extensions>`))},
		{Name: "an assertion of SAML 1.1 besides", After: "Namespace confusion (\"The Fragile Lock\", 2025)", Code: count, Change: Signing(Insert(atResponse, `<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:1.0:assertion"/>`))},
		{Name: "an assertion of no known namespace", After: "GO-2026-6909 (crewjam/saml): names without namespaces", Code: count, Change: Signing(Insert(atResponse, `<e:Assertion xmlns:e="urn:evil"/>`))},
		{Name: "the only assertion in Extensions", After: "OWASP SAML cheat sheet: absolute paths", Code: count, Change: Signing(Insert(atResponse, `<samlp:Extensions/>`), Move(atAssertion, atResponse+"/Extensions"))},
		{Name: "the only assertion of SAML 1.1", After: "Namespace confusion (\"The Fragile Lock\", 2025)", Code: count, Sibling: responseSigned, Change: Signing(Remove(atAssertion), Insert(atResponse, `<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:1.0:assertion"/>`))},
		{Name: "no assertion", After: "A response that says Success and nothing else", Code: "saml_no_assertion", Sibling: responseSigned, Change: Signing(Remove(atAssertion))},
		{Name: "another kind of response", After: "SAML core §3.5: ArtifactResponse", Code: "saml_root", Change: Signing(func(d *etree.Document) { d.Root().Tag = "ArtifactResponse" })},
		{Name: "an assertion on its own", After: "CVE-2021-21239 (pysaml2): a root that is no response", Code: "saml_root", Sibling: assertionSigned, Change: Tampering(func(d *etree.Document) {
			assertion := theAssertion(d)
			d.SetRoot(assertion)
		})},
		{Name: "a response in a response", After: "XSW1 without a forgery", Code: count, Sibling: responseSigned, Change: Tampering(func(d *etree.Document) { d.Root().AddChild(d.Root().Copy()) })},
		{Name: "a forged response before the signed one", After: "A second root (protocol facts: accepted by gosaml2)", Code: "saml_trailing", Change: func(s *Spec) {
			s.Raw = func(raw []byte) []byte {
				evil := strings.Replace(string(raw), "</saml:NameID>", Attacker+"</saml:NameID>", 1)
				return append([]byte(evil), raw...)
			}
		}},
		{Name: "a forged response behind the signed one", After: "A second root (protocol facts: accepted by gosaml2)", Code: "saml_trailing", Change: func(s *Spec) {
			s.Raw = func(raw []byte) []byte {
				evil := strings.Replace(string(raw), "</saml:NameID>", Attacker+"</saml:NameID>", 1)
				return append(raw, evil...)
			}
		}},
	}
}
