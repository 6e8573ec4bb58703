package saml_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml/samltest"
)

var bases = []struct {
	name string
	sign samltest.Signed
}{
	{"assertion signed", samltest.SignAssertion},
	{"response signed", samltest.SignResponse},
	{"both signed", samltest.SignBoth},
}

// TestSignatureWrapping runs XSW1 to XSW8 against each way of signing. Every
// one is refused for what it is, before its signature is looked at.
func TestSignatureWrapping(t *testing.T) {
	for _, wrapping := range samltest.Wrappings() {
		for _, base := range bases {
			t.Run(wrapping.Name+"/"+base.name, func(t *testing.T) {
				one(t, but(func(s *samltest.Spec) {
					s.Sign = base.sign
					s.AfterSigning = wrapping.Attack
				}), "saml_assertion_count")
			})
		}
	}
}

// TestTampering changes one value behind the signature's back.
func TestTampering(t *testing.T) {
	for name, edit := range map[string]samltest.Edit{
		"NameID":       samltest.SetText(subject+"/NameID", samltest.Attacker),
		"Role":         samltest.SetText(attributes+"/Attribute/AttributeValue", research+","+provider),
		"session name": samltest.SetText(attributes+"/Attribute[@Name='"+samltest.SessionNameAttribute+"']/AttributeValue", "admin"),
		"end":          samltest.SetAttr(conditions, "NotOnOrAfter", "2026-03-14T12:06:00Z"),
		"audience":     samltest.SetText(conditions+"/AudienceRestriction/Audience", "https://label.example.com/rolepass"),
		"format":       samltest.SetAttr(subject+"/NameID", "Format", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"),
		"white space":  samltest.SetText(attributes+"/Attribute/AttributeValue", radiology+", "+provider),
		"a new value":  samltest.Insert(attributes+"/Attribute", "<saml:AttributeValue>"+research+","+provider+"</saml:AttributeValue>"),
	} {
		for _, base := range bases {
			t.Run(name+"/"+base.name, func(t *testing.T) {
				one(t, but(func(s *samltest.Spec) {
					s.Sign = base.sign
					s.AfterSigning = edit
				}), "saml_signature")
			})
		}
	}
}

// TestUnsigned has the ways to take a signature away.
func TestUnsigned(t *testing.T) {
	for name, attack := range map[string]struct {
		spec samltest.Spec
		code refusal.Code
	}{
		"nothing is signed":          {but(func(s *samltest.Spec) { s.Sign = samltest.SignNothing }), "saml_unsigned"},
		"both signatures taken away": {tampering(samltest.Remove("./Response/Signature"), samltest.Remove(anAssertion+"/Signature")), "saml_unsigned"},
		"an empty signature":         {tampering(samltest.Remove("./Response/Signature"), samltest.Remove(anAssertion+"/Signature"), samltest.Insert(anAssertion, `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`)), "saml_signed_info"},
		"no SignatureValue":          {tampering(samltest.Remove("./Response/Signature/SignatureValue")), "saml_signed_info"},
		"an empty SignatureValue":    {tampering(samltest.SetText("./Response/Signature/SignatureValue", "")), "saml_signature"},
		"two SignatureValues":        {tampering(samltest.Duplicate("./Response/Signature/SignatureValue", nil)), "saml_signed_info"},
		"two SignedInfos":            {tampering(samltest.Duplicate("./Response/Signature/SignedInfo", nil)), "saml_signed_info"},
		"two KeyInfos":               {tampering(samltest.Duplicate("./Response/Signature/KeyInfo", nil)), "saml_certificate"},
		"two signatures":             {tampering(samltest.Duplicate("./Response/Signature", nil)), "saml_signature_place"},
		"a signature in the subject": {tampering(samltest.Move(anAssertion+"/Signature", subject)), "saml_signature_place"},
		"a signature in a value": {but(func(s *samltest.Spec) {
			s.Sign = samltest.SignAssertion
			s.AfterSigning = samltest.Move(anAssertion+"/Signature", attributes+"/Attribute/AttributeValue")
		}), "saml_signature_place"},
		"a signature in another name": {tampering(samltest.Insert("./Response", `<x:Signature xmlns:x="urn:evil"/>`)), "saml_signature_place"},
		"an Object":                   {tampering(samltest.Insert("./Response/Signature", `<ds:Object/>`)), "saml_structure"},
		"a Manifest":                  {tampering(samltest.Insert("./Response/Signature/SignedInfo", `<ds:Manifest/>`)), "saml_structure"},
		"the assertion's is broken":   {tampering(samltest.SetText(anAssertion+"/Signature/SignatureValue", "AAAA")), "saml_signature"},
		"the response's is broken":    {tampering(samltest.SetText("./Response/Signature/SignatureValue", "AAAA")), "saml_signature"},
		"the digest is emptied":       {tampering(samltest.SetText("./Response/Signature/SignedInfo/Reference/DigestValue", "")), "saml_signature"},
	} {
		t.Run(name, func(t *testing.T) { one(t, attack.spec, attack.code) })
	}
}

// TestWhatSignaturesSay has signatures that the right key made, over a
// SignedInfo that no IdP should write. gosaml2 alone would accept SHA-1, other
// canonical forms and a second reference.
func TestWhatSignaturesSay(t *testing.T) {
	signed := func(change func(*samltest.Signature)) samltest.Spec {
		return but(func(s *samltest.Spec) {
			s.Sign = samltest.SignAssertion
			change(&s.AssertionSignature)
		})
	}
	edited := func(edit func(*etree.Element)) samltest.Spec {
		return signed(func(s *samltest.Signature) { s.EditSignedInfo = edit })
	}
	second := func(info *etree.Element) {
		twin := info.SelectElement("Reference").Copy()
		twin.CreateAttr("URI", "#_other")
		info.AddChild(twin)
	}
	for name, attack := range map[string]struct {
		spec samltest.Spec
		code refusal.Code
	}{
		"RSA-SHA1":          {signed(func(s *samltest.Signature) { s.Method, s.Digest = samltest.RSASHA1, samltest.SHA1 }), "saml_algorithm"},
		"a SHA-1 digest":    {signed(func(s *samltest.Signature) { s.Digest = samltest.SHA1 }), "saml_algorithm"},
		"a SHA-1 signature": {signed(func(s *samltest.Signature) { s.Method = samltest.RSASHA1 }), "saml_algorithm"},
		"HMAC": {edited(func(i *etree.Element) {
			i.SelectElement("SignatureMethod").CreateAttr("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
		}), "saml_algorithm"},
		"HMAC of one bit": {edited(func(i *etree.Element) {
			i.SelectElement("SignatureMethod").CreateElement("ds:HMACOutputLength").SetText("1")
		}), "saml_structure"},
		"ECDSA": {edited(func(i *etree.Element) {
			i.SelectElement("SignatureMethod").CreateAttr("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256")
		}), "saml_algorithm"},
		"no algorithm":                 {edited(func(i *etree.Element) { i.SelectElement("SignatureMethod").RemoveAttr("Algorithm") }), "saml_structure"},
		"inclusive canonical form":     {signed(func(s *samltest.Signature) { s.C14N = samltest.InclusiveC14N }), "saml_canonicalization"},
		"canonical form 1.1":           {signed(func(s *samltest.Signature) { s.C14N = samltest.InclusiveC14N11 }), "saml_canonicalization"},
		"canonical form with comments": {signed(func(s *samltest.Signature) { s.C14N = samltest.ExcC14NWithComments }), "saml_canonicalization"},
		"a transform with comments":    {signed(func(s *samltest.Signature) { s.Transforms = []string{samltest.Enveloped, samltest.ExcC14NWithComments} }), "saml_transform"},
		"XSLT": {signed(func(s *samltest.Signature) {
			s.Transforms = []string{samltest.Enveloped, "http://www.w3.org/TR/1999/REC-xslt-19991116"}
		}), "saml_transform"},
		"XPath besides": {signed(func(s *samltest.Signature) {
			s.Transforms = []string{samltest.Enveloped, samltest.ExcC14N, "http://www.w3.org/TR/1999/REC-xpath-19991116"}
		}), "saml_transform"},
		"transforms the other way round": {signed(func(s *samltest.Signature) { s.Transforms = []string{samltest.ExcC14N, samltest.Enveloped} }), "saml_transform"},
		"canonical form twice":           {signed(func(s *samltest.Signature) { s.Transforms = []string{samltest.ExcC14N, samltest.ExcC14N} }), "saml_transform"},
		"one transform":                  {signed(func(s *samltest.Signature) { s.Transforms = []string{samltest.Enveloped} }), "saml_transform"},
		"no transform":                   {signed(func(s *samltest.Signature) { s.Transforms = []string{} }), "saml_transform"},
		"an empty reference":             {edited(func(i *etree.Element) { i.SelectElement("Reference").CreateAttr("URI", "") }), "saml_reference"},
		"no reference":                   {edited(func(i *etree.Element) { i.SelectElement("Reference").RemoveAttr("URI") }), "saml_structure"},
		"a reference elsewhere":          {signed(func(s *samltest.Signature) { s.URI = "#_elsewhere" }), "saml_reference"},
		"a reference by XPointer":        {edited(func(i *etree.Element) { i.SelectElement("Reference").CreateAttr("URI", "#xpointer(/)") }), "saml_reference"},
		"a reference without its mark": {but(func(s *samltest.Spec) {
			s.Sign, s.AssertionID = samltest.SignAssertion, "_a"
			s.AssertionSignature.URI = "?_a"
		}), "saml_reference"},
		"two references": {edited(second), "saml_reference"},
		"no references":  {edited(func(i *etree.Element) { i.RemoveChild(i.SelectElement("Reference")) }), "saml_reference"},
		"the response's ID": {but(func(s *samltest.Spec) {
			s.Sign, s.ResponseID = samltest.SignAssertion, "_r"
			s.AssertionSignature.URI = "#_r"
		}), "saml_reference"},
	} {
		t.Run(name, func(t *testing.T) { one(t, attack.spec, attack.code) })
	}
}

// TestKeys has signatures by keys that are not the IdP's, or not any more.
func TestKeys(t *testing.T) {
	foreign := newKey(t)
	by := func(key *samltest.Key) func(*samltest.Spec) {
		return func(s *samltest.Spec) { s.AssertionSignature.Key, s.ResponseSignature.Key = key, key }
	}
	t.Run("somebody else's, with its certificate", func(t *testing.T) {
		refused := one(t, but(by(foreign)), "saml_certificate")
		if !strings.Contains(refused.Sentence, "SHA256:") {
			t.Errorf("the sentence names no fingerprint: %s", refused.Sentence)
		}
	})
	t.Run("somebody else's, without", func(t *testing.T) {
		one(t, but(func(s *samltest.Spec) {
			by(foreign)(s)
			s.AssertionSignature.WithoutKeyInfo, s.ResponseSignature.WithoutKeyInfo = true, true
		}), "saml_signature")
	})
	t.Run("somebody else's, with the right certificate", func(t *testing.T) {
		idp := newIdP(t)
		lie := &samltest.Key{Private: foreign.Private, Certificate: idp.Key().Certificate}
		refuse(t, newSP(t, idp), idp.Response(but(by(lie))), expected, "saml_signature")
	})
	t.Run("the assertion somebody else's, the response right", func(t *testing.T) {
		one(t, but(func(s *samltest.Spec) { s.AssertionSignature.Key = foreign }), "saml_certificate")
	})
	t.Run("the same, with the right certificate", func(t *testing.T) {
		idp := newIdP(t)
		lie := &samltest.Key{Private: foreign.Private, Certificate: idp.Key().Certificate}
		refuse(t, newSP(t, idp), idp.Response(but(func(s *samltest.Spec) { s.AssertionSignature.Key = lie })), expected, "saml_signature")
	})
	t.Run("a name instead of a certificate", func(t *testing.T) {
		one(t, but(func(s *samltest.Spec) {
			s.Sign = samltest.SignAssertion
			s.AfterSigning = samltest.Edits(samltest.Remove(anAssertion+"/Signature/KeyInfo/X509Data"), samltest.Insert(anAssertion+"/Signature/KeyInfo", "<ds:KeyName>x</ds:KeyName>"))
		}), "saml_certificate")
	})
	t.Run("a certificate that is none", func(t *testing.T) {
		one(t, but(func(s *samltest.Spec) {
			s.Sign = samltest.SignAssertion
			s.AfterSigning = samltest.SetText(anAssertion+"/Signature/KeyInfo/X509Data/X509Certificate", "%%%")
		}), "saml_certificate")
	})
}

// TestRollover: both keys count while both stand in the metadata, also when
// the signature does not say which it is.
func TestRollover(t *testing.T) {
	next := newKey(t)
	idp := newIdPWith(t, samltest.Options{Announced: []*samltest.Key{next}})
	sp := newSP(t, idp)
	if n := len(sp.IdP.Metadata.Certificates); n != 2 {
		t.Fatalf("the metadata has %d certificates", n)
	}
	for name, key := range map[string]*samltest.Key{"old": idp.Key(), "new": next} {
		for _, without := range []bool{false, true} {
			spec := but(func(s *samltest.Spec) {
				s.AssertionSignature = samltest.Signature{Key: key, WithoutKeyInfo: without}
				s.ResponseSignature = s.AssertionSignature
			})
			t.Run(name, func(t *testing.T) { accept(t, sp, idp.Response(spec), expected) })
		}
	}
	t.Run("neither", func(t *testing.T) {
		third := newKey(t)
		refuse(t, sp, idp.Response(but(func(s *samltest.Spec) {
			s.AssertionSignature = samltest.Signature{Key: third, WithoutKeyInfo: true}
			s.ResponseSignature = s.AssertionSignature
		})), expected, "saml_signature")
	})
}

// TestCertificateValidity: a certificate that is over is refused by name, with
// and without KeyInfo.
func TestCertificateValidity(t *testing.T) {
	for name, valid := range map[string][2]int{"over": {-2, -1}, "not begun": {1, 2}} {
		for _, without := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				key, err := samltest.NewKeyValid(2048, noon.AddDate(0, valid[0], 0), noon.AddDate(0, valid[1], 0))
				if err != nil {
					t.Fatal(err)
				}
				idp := newIdPWith(t, samltest.Options{Key: key})
				refuse(t, newSP(t, idp), idp.Response(but(func(s *samltest.Spec) {
					s.AssertionSignature.WithoutKeyInfo, s.ResponseSignature.WithoutKeyInfo = without, without
				})), expected, "saml_certificate_expired")
			})
		}
	}
}

// TestWrappingsAreEight keeps the list of attacks whole, and each different.
func TestWrappingsAreEight(t *testing.T) {
	idp := newIdP(t)
	var documents []string
	for _, wrapping := range samltest.Wrappings() {
		xml := string(idp.XML(but(func(s *samltest.Spec) {
			s.ResponseID, s.AssertionID = "_r", "_a"
			s.AfterSigning = wrapping.Attack
		})))
		if !strings.Contains(xml, ">"+samltest.Attacker+"<") || !strings.Contains(xml, ">4711<") {
			t.Errorf("%s does not have both the forged and the original assertion", wrapping.Name)
		}
		documents = append(documents, xml)
	}
	slices.Sort(documents)
	if n := len(slices.Compact(documents)); n != 8 {
		t.Errorf("%d different attacks; want 8", n)
	}
}

func newKey(t *testing.T) *samltest.Key {
	t.Helper()
	key, err := samltest.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestForgeries holds the list that all verifiers share against this one.
func TestForgeries(t *testing.T) {
	codes := map[string]refusal.Code{
		"unsigned": "saml_unsigned", "stripped": "saml_unsigned", "foreign key": "saml_certificate",
		"tampered NameID": "saml_signature", "tampered Role": "saml_signature", "tampered time": "saml_signature", "tampered Recipient": "saml_signature",
		"emptied value": "saml_signature", "emptied digest": "saml_signature", "emptied reference": "saml_reference", "HMAC": "saml_algorithm",
		"second assertion": "saml_assertion_count", "entity": "saml_doctype", "second document": "saml_trailing",
		"XSW1": "saml_assertion_count", "XSW2": "saml_assertion_count", "XSW3": "saml_assertion_count", "XSW4": "saml_assertion_count",
		"XSW5": "saml_assertion_count", "XSW6": "saml_assertion_count", "XSW7": "saml_assertion_count", "XSW8": "saml_assertion_count",
	}
	forgeries := samltest.Forgeries(newKey(t))
	if len(forgeries) != len(codes) {
		t.Errorf("%d forgeries and %d codes", len(forgeries), len(codes))
	}
	for _, forgery := range forgeries {
		t.Run(forgery.Name, func(t *testing.T) { one(t, but(forgery.Change), codes[forgery.Name]) })
	}
}
