package samltest

import "github.com/beevik/etree"

// algorithmVectors have signatures whose SignedInfo names something that may
// not be used. The right key signed it, so that nothing else is wrong.
func algorithmVectors() []Vector {
	var list []Vector
	add := func(code, after, where string, uris ...string) {
		for _, uri := range uris {
			list = append(list, Vector{Name: where + " " + uri, After: after, Code: code, Change: saying(func(info *etree.Element) {
				info.FindElement(where).CreateAttr("Algorithm", uri)
			})})
		}
	}
	add("saml_algorithm", "SHA-1 and older: chosen-prefix collisions", "SignatureMethod",
		RSASHA1, "http://www.w3.org/2001/04/xmldsig-more#rsa-md5", "http://www.w3.org/2001/04/xmldsig-more#rsa-ripemd160",
		"http://www.w3.org/2000/09/xmldsig#dsa-sha1")
	add("saml_algorithm", "HMAC confusion: the public key as a shared secret", "SignatureMethod",
		"http://www.w3.org/2000/09/xmldsig#hmac-sha1", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
		"http://www.w3.org/2001/04/xmldsig-more#hmac-sha384", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512",
		"http://www.w3.org/2001/04/xmldsig-more#hmac-md5")
	add("saml_algorithm", "An allow-list of RSA (decision 0009)", "SignatureMethod",
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha224", "http://www.w3.org/2007/05/xmldsig-more#rsa-pss",
		"http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519")
	add("saml_algorithm", "An algorithm that is none", "SignatureMethod",
		"", "none", "rsa-sha256", "HTTP://www.w3.org/2001/04/xmldsig-more#rsa-sha256", RSASHA256+" ", RSASHA256+"\n")
	add("saml_algorithm", "SHA-1 and older: chosen-prefix collisions", "Reference/DigestMethod",
		SHA1, "http://www.w3.org/2001/04/xmldsig-more#md5", "http://www.w3.org/2001/04/xmlenc#ripemd160", "http://www.w3.org/2001/04/xmldsig-more#sha224")
	add("saml_algorithm", "An algorithm that is none", "Reference/DigestMethod", "", "none", "http://www.w3.org/2001/04/xmlenc#SHA256", RSASHA256)
	add("saml_canonicalization", "Comments in what is signed (CVE-2017-11427 and its family)", "CanonicalizationMethod",
		ExcC14NWithComments, InclusiveC14N+"#WithComments")
	add("saml_canonicalization", "Another canonical form: what is signed depends on what stands around it", "CanonicalizationMethod",
		InclusiveC14N, InclusiveC14N11, "", "http://www.w3.org/TR/1999/REC-xslt-19991116", "http://www.w3.org/2010/xml-c14n2")
	add("saml_transform", "Comments in what is signed (CVE-2017-11427 and its family)", "Reference/Transforms/Transform[2]", ExcC14NWithComments)
	add("saml_transform", "A transform that takes things away (XML Signature Best Practices)", "Reference/Transforms/Transform[2]",
		"http://www.w3.org/TR/1999/REC-xslt-19991116", "http://www.w3.org/TR/1999/REC-xpath-19991116", "http://www.w3.org/2002/06/xmldsig-filter2",
		"http://www.w3.org/2000/09/xmldsig#base64", InclusiveC14N, "")
	add("saml_transform", "A transform that takes things away (XML Signature Best Practices)", "Reference/Transforms/Transform[1]",
		ExcC14N, "http://www.w3.org/TR/1999/REC-xpath-19991116", "")
	list = append(list, transformVectors()...)
	for _, twice := range []struct{ path, code string }{
		{"CanonicalizationMethod", "saml_canonicalization"}, {"SignatureMethod", "saml_algorithm"},
		{"Reference/DigestMethod", "saml_algorithm"}, {"Reference/DigestValue", "saml_signed_info"},
	} {
		list = append(list, Vector{Name: twice.path + " twice, both signed", After: "Algorithm confusion: which one counts", Code: twice.code, Change: saying(func(info *etree.Element) {
			e := info.FindElement(twice.path)
			e.Parent().InsertChildAt(e.Index(), e.Copy())
		})})
	}
	for i := range list {
		if list[i].Sibling == nil {
			list[i].Sibling = assertionSigned
		}
	}
	return list
}

// transformVectors have other than the two transforms, or give them more to do.
func transformVectors() []Vector {
	with := func(transforms ...string) func(*Spec) {
		return signedBy(func(s *Signature) { s.Transforms = transforms })
	}
	const after = "SAML core §5.4.4: enveloped-signature and exc-c14n only"
	return []Vector{
		{Name: "the transforms the other way round", After: after, Code: "saml_transform", Change: with(ExcC14N, Enveloped)},
		{Name: "one transform", After: after, Code: "saml_transform", Change: with(Enveloped)},
		{Name: "no transform", After: after, Code: "saml_transform", Change: with([]string{}...)},
		{Name: "three transforms", After: after, Code: "saml_transform", Change: with(Enveloped, ExcC14N, ExcC14N)},
		{Name: "XPath besides", After: "XPath transforms hide and cost (CVE-2014-5267 family)", Code: "saml_transform", Change: with(Enveloped, ExcC14N, "http://www.w3.org/TR/1999/REC-xpath-19991116")},
		{Name: "no Transforms", After: after, Code: "saml_transform", Change: saying(func(i *etree.Element) {
			r := i.SelectElement("Reference")
			r.RemoveChild(r.SelectElement("Transforms"))
		})},
		{Name: "two Transforms", After: after, Code: "saml_transform", Change: saying(func(i *etree.Element) {
			r := i.SelectElement("Reference")
			r.InsertChildAt(0, r.SelectElement("Transforms").Copy())
		})},
		{Name: "two prefix lists", After: "Exclusive XML Canonicalization §3: one InclusiveNamespaces", Code: "saml_transform", Sibling: all(assertionSigned, prefixed), Change: saying(func(i *etree.Element) {
			transform := i.FindElement("Reference/Transforms/Transform[2]")
			transform.AddChild(transform.SelectElement("InclusiveNamespaces").Copy())
		}), STS: "it passes over a second list that is like the first"},
		{Name: "a prefix list of nothing", After: "GO-2020-0046 (goxmldsig): nil dereference", Code: "saml_structure", Sibling: all(assertionSigned, prefixed), Change: saying(func(i *etree.Element) {
			i.FindElement("Reference/Transforms/Transform[2]/InclusiveNamespaces").RemoveAttr("PrefixList")
		})},
		{Name: "a second Transforms that takes nothing away", After: "Algorithm confusion: which one counts", Code: "saml_transform", Change: saying(func(i *etree.Element) {
			second := i.FindElement("Reference/Transforms").Copy()
			for _, transform := range second.ChildElements() {
				transform.CreateAttr("Algorithm", ExcC14N)
			}
			i.SelectElement("Reference").InsertChildAt(1, second)
		})},
		{Name: "a prefix list without its value", After: "GO-2020-0046 (goxmldsig): nil dereference", Code: "saml_structure", Sibling: all(assertionSigned, saying(func(i *etree.Element) { prefixList(i).CreateAttr("PrefixList", "") })), Change: saying(func(i *etree.Element) { prefixList(i) }), STS: "a list without its value is an empty one to it"},
		{Name: "a signature by RSA with SHA-1", After: "protocol facts: SHA-1 accepted (gosaml2)", Code: "saml_algorithm", Change: signedBy(func(s *Signature) { s.Method = RSASHA1 })},
		{Name: "a digest by SHA-1", After: "protocol facts: SHA-1 accepted (gosaml2)", Code: "saml_algorithm", Change: signedBy(func(s *Signature) { s.Digest = SHA1 })},
		{Name: "a canonical form with comments", After: "CVE-2017-11427 and its family: comments signed too", Code: "saml_canonicalization", Change: signedBy(func(s *Signature) { s.C14N = ExcC14NWithComments })},
		{Name: "an inclusive canonical form", After: "SAML core §5.4.3: exclusive canonicalization", Code: "saml_canonicalization", Change: signedBy(func(s *Signature) { s.C14N = InclusiveC14N })},
		{Name: "a canonicalization without its name", After: "GO-2020-0046 (goxmldsig): nil dereference", Code: "saml_structure", Change: saying(func(i *etree.Element) { i.SelectElement("CanonicalizationMethod").RemoveAttr("Algorithm") })},
		{Name: "a digest without its name", After: "GO-2020-0046 (goxmldsig): nil dereference", Code: "saml_structure", Change: saying(func(i *etree.Element) { i.FindElement("Reference/DigestMethod").RemoveAttr("Algorithm") })},
		{Name: "a transform without its name", After: "GO-2020-0046 (goxmldsig): nil dereference", Code: "saml_structure", Change: saying(func(i *etree.Element) { i.FindElement("Reference/Transforms/Transform[1]").RemoveAttr("Algorithm") })},
		{Name: "an XPath in a transform", After: "XPath transforms hide and cost", Code: "saml_structure", Change: saying(func(i *etree.Element) {
			i.FindElement("Reference/Transforms/Transform[1]").CreateElement("ds:XPath").SetText("not(ancestor-or-self::saml:NameID)")
		})},
		{Name: "a style sheet in a transform", After: "XSLT in a signature runs code (CVE-2023-40683 family)", Code: "saml_namespace", Change: saying(func(i *etree.Element) {
			sheet := i.FindElement("Reference/Transforms/Transform[1]").CreateElement("xsl:stylesheet")
			sheet.CreateAttr("xmlns:xsl", "http://www.w3.org/1999/XSL/Transform")
		})},
		{Name: "a parameter of the digest", After: "XML Signature §4.4.3.5", Code: "saml_structure", Change: saying(func(i *etree.Element) { i.FindElement("Reference/DigestMethod").CreateElement("ds:XPath") })},
		{Name: "an HMAC of one bit", After: "CVE-2009-0217: HMACOutputLength", Code: "saml_structure", Change: saying(func(i *etree.Element) {
			i.SelectElement("SignatureMethod").CreateElement("ds:HMACOutputLength").SetText("1")
		})},
		{Name: "no SignatureMethod", After: "GO-2020-0046 (goxmldsig): nil dereference", Code: "saml_algorithm", Change: Tampering(Remove(atInfo + "/SignatureMethod"))},
		{Name: "two SignatureMethods", After: "Algorithm confusion: which one counts", Code: "saml_algorithm", Change: Tampering(Duplicate(atInfo+"/SignatureMethod", nil))},
		{Name: "no DigestMethod", After: "GO-2020-0046 (goxmldsig): nil dereference", Code: "saml_algorithm", Change: Tampering(Remove(atReference + "/DigestMethod"))},
		{Name: "two DigestMethods", After: "Algorithm confusion: which one counts", Code: "saml_algorithm", Change: Tampering(Duplicate(atReference+"/DigestMethod", nil))},
		{Name: "no CanonicalizationMethod", After: "Void canonicalization (\"The Fragile Lock\", 2025)", Code: "saml_canonicalization", Change: Tampering(Remove(atInfo + "/CanonicalizationMethod"))},
		{Name: "two CanonicalizationMethods", After: "Algorithm confusion: which one counts", Code: "saml_canonicalization", Change: Tampering(Duplicate(atInfo+"/CanonicalizationMethod", nil))},
		{Name: "a method without its name", After: "GO-2020-0046 (goxmldsig): nil dereference", Code: "saml_structure", Change: saying(func(i *etree.Element) { i.SelectElement("SignatureMethod").RemoveAttr("Algorithm") })},
	}
}

// prefixList adds an InclusiveNamespaces to the canonicalization.
func prefixList(info *etree.Element) *etree.Element {
	list := info.FindElement("Reference/Transforms/Transform[2]").CreateElement(inclusiveNamespaces)
	list.CreateAttr("xmlns:ec", exclusiveC14NElement)
	return list
}

func prefixed(s *Spec) { s.AssertionSignature.PrefixList = "xs" }
