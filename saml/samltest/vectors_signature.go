package samltest

import (
	"github.com/beevik/etree"
)

// signatureVectors take signatures away, move them, or change what they cover.
func signatureVectors() []Vector {
	const (
		unsigned, place, info, bad = "saml_unsigned", "saml_signature_place", "saml_signed_info", "saml_signature"
		exclusion                  = "Signature exclusion (On Breaking SAML, USENIX Security 2012)"
		missing                    = "GO-2020-0046 (goxmldsig): nil dereference on a malformed signature"
	)
	list := []Vector{
		{Name: "nothing is signed", After: exclusion, Code: unsigned, Change: func(s *Spec) { s.Sign = SignNothing }},
		{Name: "both signatures taken away", After: exclusion, Code: unsigned, Change: Tampering(Remove(atResponse+"/Signature"), Remove(atSignature))},
		{Name: "the only signature taken away", After: exclusion, Code: unsigned, Sibling: assertionSigned, Change: Tampering(Remove(atSignature))},
		{Name: "an empty signature", After: missing, Code: info, Sibling: assertionSigned, Change: Tampering(func(d *etree.Document) { find(d, atSignature).Child = nil })},
		{Name: "no SignedInfo", After: missing, Code: info, Change: Tampering(Remove(atInfo))},
		{Name: "two SignedInfos", After: "CVE-2025-29775 (xml-crypto): several SignedInfos", Code: info, Change: Tampering(Duplicate(atInfo, nil))},
		{Name: "no SignatureValue", After: missing, Code: info, Change: Tampering(Remove(atSignature + "/SignatureValue"))},
		{Name: "two SignatureValues", After: "Algorithm confusion: which one counts", Code: info, Change: Tampering(Duplicate(atSignature+"/SignatureValue", nil))},
		{Name: "an empty SignatureValue", After: exclusion, Code: bad, Change: Tampering(SetText(atSignature+"/SignatureValue", ""))},
		{Name: "a short SignatureValue", After: "RFC 8017 §8.2.2: the length of a signature", Code: bad, Change: Tampering(SetText(atSignature+"/SignatureValue", "AAAA"))},
		{Name: "a SignatureValue that is not base64", After: missing, Code: bad, Change: Tampering(SetText(atSignature+"/SignatureValue", "%%%"))},
		{Name: "a broken SignatureValue of the response", After: "A response whose own signature is overlooked", Code: bad, Change: Tampering(SetText(atResponse+"/Signature/SignatureValue", "AAAA"))},
		{Name: "no DigestValue", After: missing, Code: info, Change: Tampering(Remove(atReference + "/DigestValue"))},
		{Name: "two DigestValues", After: "CVE-2025-29774 (xml-crypto): several DigestValues", Code: info, Change: Tampering(Duplicate(atReference+"/DigestValue", nil))},
		{Name: "an empty DigestValue", After: "Void canonicalization (\"The Fragile Lock\", 2025)", Code: bad, Change: Tampering(SetText(atReference+"/DigestValue", ""))},
		{Name: "the digest of nothing", After: "Void canonicalization (\"The Fragile Lock\", 2025)", Code: bad, Change: Tampering(SetText(atReference+"/DigestValue", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="))},
		{Name: "a digest with a comment in it", After: "CVE-2025-29774 (xml-crypto): comments in DigestValue", Code: "saml_comment", Change: Tampering(func(d *etree.Document) { find(d, atReference+"/DigestValue").CreateComment("x") })},
		{Name: "two signatures of the response", After: "CVE-2024-45409 (ruby-saml): the first signature found", Code: place, Change: Tampering(Duplicate(atResponse+"/Signature", nil))},
		{Name: "two signatures of the assertion", After: "CVE-2024-45409 (ruby-saml): the first signature found", Code: place, Change: Tampering(Duplicate(atSignature, nil))},
		{Name: "the response signed twice", After: "CVE-2024-45409 (ruby-saml): the first signature found", Code: place, Sibling: responseSigned, Change: func(s *Spec) { s.ResponseSignature.Twice = true }},
		{Name: "the assertion signed twice", After: "CVE-2024-45409 (ruby-saml): the first signature found", Code: place, Sibling: assertionSigned, Change: func(s *Spec) { s.AssertionSignature.Twice = true }},
		{Name: "a signature in the subject", After: "CVE-2020-15216 (goxmldsig): signatures looked for anywhere", Code: place, Sibling: assertionSigned, Change: Tampering(Move(atSignature, atSubject))},
		{Name: "a signature in an attribute's value", After: "protocol facts: accepted by gosaml2", Code: place, Sibling: assertionSigned, Change: Tampering(Move(atSignature, atRole+"/AttributeValue"))},
		{Name: "a signature in the status", After: "CVE-2020-15216 (goxmldsig): signatures looked for anywhere", Code: place, Sibling: assertionSigned, Change: Tampering(Move(atSignature, atStatus))},
		{Name: "the assertion's signature in the response", After: "A detached signature", Code: "saml_reference", Sibling: assertionSigned, Change: Tampering(Move(atSignature, atResponse))},
		{Name: "a signature of another namespace", After: "Namespace confusion (\"The Fragile Lock\", 2025)", Code: place, Change: Tampering(Insert(atResponse, `<x:Signature xmlns:x="urn:evil"/>`))},
		{Name: "only a signature of another namespace", After: "Namespace confusion (\"The Fragile Lock\", 2025)", Code: place, Sibling: assertionSigned, Change: Tampering(func(d *etree.Document) {
			find(d, atSignature).CreateAttr("xmlns:ds", "urn:evil")
		})},
		{Name: "an Object in the signature", After: "XML Signature §4.5: Object holds anything", Code: "saml_structure", Change: Tampering(Insert(atSignature, `<ds:Object/>`))},
		{Name: "a Manifest in an Object", After: "XML Signature §5.1: Manifest", Code: "saml_structure", Change: Tampering(Insert(atSignature, `<ds:Object><ds:Manifest/></ds:Object>`))},
		{Name: "text in SignedInfo", After: "CVE-2023-34205 (moov-io/signedxml): raw and canonical form", Code: "saml_structure", Change: Tampering(func(d *etree.Document) { find(d, atInfo).CreateText("x") })},
	}
	return append(list, tamperingVectors()...)
}

// tamperingVectors change one value behind the signature's back, for each way
// to sign: what the key did not sign is not read.
func tamperingVectors() []Vector {
	var list []Vector
	for _, t := range []struct {
		name string
		edit Edit
	}{
		{"NameID", SetText(atNameID, Attacker)},
		{"NameID's format", SetAttr(atNameID, "Format", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")},
		{"role", SetText(atRole+"/AttributeValue", SceneOtherRole+","+SceneProvider)},
		{"role, by a blank", SetText(atRole+"/AttributeValue", SceneRole+", "+SceneProvider)},
		{"roles, by one more", Insert(atRole, "<saml:AttributeValue>"+SceneOtherRole+","+SceneProvider+"</saml:AttributeValue>")},
		{"session name", SetText(atSessionName+"/AttributeValue", Attacker)},
		{"end", SetAttr(atConditions, "NotOnOrAfter", "2026-03-14T12:06:00.000Z")},
		{"confirmation's end", SetAttr(atData, "NotOnOrAfter", "2026-03-14T12:06:00.000Z")},
		{"audience", SetText(atRestriction+"/Audience", SceneSP)},
		{"moment of authentication", SetAttr(atAuthn, "AuthnInstant", "2026-03-14T11:59:59.000Z")},
		{"assertion's IssueInstant", SetAttr(atAssertion, "IssueInstant", "2026-03-14T12:00:01.000Z")},
	} {
		for _, base := range bases {
			list = append(list, Vector{Name: "another " + t.name + ", " + base.name, After: "CVE-2025-54419 (node-saml): what is read was not signed", Code: "saml_signature", Sibling: base.sign, Change: Tampering(t.edit)})
		}
	}
	return list
}
