package samltest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/beevik/etree"
)

// SceneDecryption is the key for which the scene's IdP encrypts, where the
// service provider has one.
var SceneDecryption = sync.OnceValue(func() *Key {
	key, err := NewKey(2048)
	if err != nil {
		panic("samltest: " + err.Error())
	}
	return key
})

func encrypted(change func(*Encryption)) func(*Spec) {
	return func(s *Spec) {
		how := Encryption{For: SceneDecryption()}
		if change != nil {
			change(&how)
		}
		s.Encrypt = &how
	}
}

// encryptedVectors are for a service provider with a key to decrypt with,
// except for the first ones: without a key is the rule.
func encryptedVectors() []Vector {
	const (
		cbc  = "How to Break XML Encryption (CCS 2011); GO-2026-4760 (gosaml2): CBC"
		pkcs = "Bleichenbacher 1998: PKCS #1 v1.5 as an oracle"
		none = "SAML core §2.3.4; STS needs the very same assertion"
		wrap = "XML Encryption wrapping (CCS 2012)"
		ssrf = "XML Encryption §3.2.2: a reference instead of the value"
		bare = "CVE-2025-46572 (passport-wsfed): what was decrypted was not verified"
	)
	list := []Vector{
		{Name: "for a service provider without a key", After: none, Code: "saml_encrypted", Change: encrypted(nil)},
		{Name: "nothing, instead of the assertion", After: none, Code: "saml_encrypted", Sibling: responseSigned, Change: Signing(Remove(atAssertion), Insert(atResponse, `<saml:EncryptedAssertion/>`))},
		{Name: "nothing, besides the assertion", After: none, Code: "saml_encrypted", Change: Signing(Insert(atResponse, `<saml:EncryptedAssertion/>`))},
	}
	keyed := func(name, after, code string, change func(*Encryption)) {
		list = append(list, Vector{Name: name, After: after, Code: code, Decrypts: true, Sibling: encrypted(nil), Change: encrypted(change)})
	}
	for _, uri := range []string{AES128CBC, AES256CBC, EncryptionNS + "aes192-cbc", EncryptionNS + "tripledes-cbc", "", "http://www.w3.org/2001/04/xmlenc#aes256-gcm"} {
		keyed("content "+uri, cbc, "saml_encryption_algorithm", func(e *Encryption) { e.Content = named(uri) })
	}
	for _, t := range []struct{ transport, digest, mgf string }{
		{PKCS1v15, "", ""}, {OAEPMGF1P, "", Encryption11NS + "mgf1sha256"}, {OAEP, "http://www.w3.org/2001/04/xmldsig-more#md5", ""}, {OAEP, SHA256, Encryption11NS + "mgf1md5"}, {EncryptionNS + "kw-aes256", "", ""}, {EncryptionNS + "dh", "", ""},
	} {
		keyed("transport "+t.transport+" "+t.digest+" "+t.mgf, pkcs, "saml_encryption_algorithm", func(e *Encryption) { e.Transport, e.Digest, e.MGF = t.transport, t.digest, t.mgf })
	}
	value := func(path string, change func([]byte) []byte) func(*Encryption) {
		return func(e *Encryption) { e.Edit = cipherValue(path, change) }
	}
	for _, n := range []int{0, 1, 11, 12, 13, 15, 16, 27, 28, 29, 31, 32, 48, 63, 64} {
		keyed(fmt.Sprintf("%d bytes of ciphertext", n), "GO-2026-4760 (gosaml2): short ciphertexts panic", "saml_decryption", value(atText, func(b []byte) []byte { return b[:n] }))
	}
	for _, n := range []int{0, 1, 255, 257} {
		keyed(fmt.Sprintf("a wrapped key of %d bytes", n), pkcs, "saml_decryption", value(atKey, func(b []byte) []byte { return append(b, 0)[:n] }))
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[(at+len(b))%len(b)] ^= 1; return b }
	}
	keyed("another first byte", cbc, "saml_decryption", value(atText, flip(0)))
	keyed("another byte within", cbc, "saml_decryption", value(atText, flip(100)))
	keyed("another last byte", cbc, "saml_decryption", value(atText, flip(-1)))
	keyed("another byte of the key", pkcs, "saml_decryption", value(atKey, flip(5)))
	keyed("a ciphertext that is not base64", cbc, "saml_decryption", func(e *Encryption) { e.Edit = func(s *etree.Element) { s.FindElement(atText).SetText("%%%") } })
	keyed("a key of another length", pkcs, "saml_decryption", func(e *Encryption) {
		e.Edit = func(s *etree.Element) {
			s.FindElement("./EncryptedData/EncryptionMethod").CreateAttr("Algorithm", AES128GCM)
		}
	})
	keyed("for somebody else", "The IdP has another certificate", "saml_decryption", func(e *Encryption) { e.For = strangerKey() })
	keyed("for somebody else, by name", "The IdP has another certificate", "saml_encryption_certificate", func(e *Encryption) { e.Edit = certified(strangerKey()) })

	plain := func(name, after, code string, change func([]byte) []byte) {
		keyed("within: "+name, after, code, func(e *Encryption) { e.Plain = change })
	}
	text := func(t string) func([]byte) []byte { return func([]byte) []byte { return []byte(t) } }
	changed := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) }
	}
	plain("no XML", bare, "saml_trailing", text("x"))
	plain("nothing", bare, "saml_xml", text(""))
	plain("a document type", bare, "saml_doctype", func(b []byte) []byte { return append([]byte("<!DOCTYPE a>"), b...) })
	plain("a comment", bare, "saml_comment", changed("4711", "47<!---->11"))
	plain("two assertions", wrap, "saml_trailing", func(b []byte) []byte { return append(b, b...) })
	plain("a response", wrap, "saml_assertion_count", func(b []byte) []byte {
		return []byte(`<samlp:Response xmlns:samlp="` + ProtocolNS + `">` + string(b) + `</samlp:Response>`)
	})
	plain("another name", bare, "saml_signature", changed("4711", Attacker))
	plain("a bomb of levels", "A bomb that is encrypted", "saml_depth", text(strings.Repeat(`<a xmlns="urn:a">`, 500)+strings.Repeat("</a>", 500)))
	plain("an encrypted assertion again", wrap, "saml_encrypted", changed("<saml:Subject>", "<saml:EncryptedAssertion/><saml:Subject>"))
	keyed("the assertion unsigned in it", bare, "saml_unsigned", func(e *Encryption) { e.Plain = withoutSignature })

	edited := func(name, after, code string, edit func(*etree.Element)) {
		keyed(name, after, code, func(e *Encryption) { e.Edit = edit })
	}
	edited("a reference for the ciphertext", ssrf, "saml_structure", func(s *etree.Element) {
		data := s.FindElement("./EncryptedData/CipherData")
		data.Child = nil
		data.CreateElement("xenc:CipherReference").CreateAttr("URI", "https://evil.example.com/")
	})
	edited("a retrieval method", ssrf, "saml_structure", func(s *etree.Element) { s.FindElement("./EncryptedData/KeyInfo").CreateElement("ds:RetrievalMethod") })
	edited("two keys", wrap, "saml_encryption", duplicateIn("./EncryptedData/KeyInfo/EncryptedKey"))
	edited("no key", wrap, "saml_encryption", removeIn("./EncryptedData/KeyInfo/EncryptedKey"))
	edited("a key in the key", wrap, "saml_encryption", func(s *etree.Element) {
		key := s.FindElement("./EncryptedData/KeyInfo/EncryptedKey")
		key.CreateElement("ds:KeyInfo").AddChild(key.Copy())
	})
	edited("the type of content", wrap, "saml_encryption", func(s *etree.Element) { s.SelectElement("EncryptedData").CreateAttr("Type", EncryptionNS+"Content") })
	edited("no type", wrap, "saml_structure", func(s *etree.Element) { s.SelectElement("EncryptedData").RemoveAttr("Type") })
	edited("a label of OAEP", wrap, "saml_structure", func(s *etree.Element) {
		s.FindElement("./EncryptedData/KeyInfo/EncryptedKey/EncryptionMethod").CreateElement("xenc:OAEPparams")
	})
	return slices.Concat(list, methodVectors(wrap), besideVectors(wrap))
}

// methodVectors have one element or attribute too many, or too few, in what
// says how an assertion was encrypted. What there is twice is twice the same.
func methodVectors(after string) []Vector {
	const (
		code   = "saml_encryption"
		key    = "./EncryptedData/KeyInfo/EncryptedKey"
		method = key + "/EncryptionMethod"
	)
	how := func(e *Encryption) { e.Transport, e.Digest, e.MGF = OAEP, SHA1, Encryption11NS+"mgf1sha1" }
	with := func(name, code string, edit func(*etree.Element)) Vector {
		return Vector{Name: name, After: after, Code: code, Decrypts: true,
			Sibling: encrypted(how), Change: encrypted(func(e *Encryption) { how(e); e.Edit = edit })}
	}
	var list []Vector
	for _, part := range []struct{ name, path string }{
		{"EncryptedData", "./EncryptedData"}, {"method", "./EncryptedData/EncryptionMethod"}, {"KeyInfo", "./EncryptedData/KeyInfo"},
		{"CipherData", "./EncryptedData/CipherData"}, {"CipherValue", "./EncryptedData/CipherData/CipherValue"},
		{"method of the key", method}, {"CipherData of the key", key + "/CipherData"},
	} {
		list = append(list, with("no "+part.name, code, removeIn(part.path)), with("two of "+part.name, code, duplicateIn(part.path)))
	}
	for _, part := range []struct{ name, path string }{{"digests", method + "/DigestMethod"}, {"masks", method + "/MGF"}} {
		list = append(list, with("two "+part.name, code, duplicateIn(part.path)),
			with("one of the "+part.name+" without its name", "saml_structure", func(s *etree.Element) { s.FindElement(part.path).RemoveAttr("Algorithm") }))
	}
	return append(list,
		with("a method without its name", "saml_structure", func(s *etree.Element) { s.FindElement(method).RemoveAttr("Algorithm") }),
		with("two KeyInfos of the key", code, func(s *etree.Element) {
			for range 2 {
				s.FindElement(key).CreateElement("ds:KeyInfo").CreateElement("ds:KeyName").SetText("k")
			}
		}),
		with("two certificates beside the key", code, func(s *etree.Element) {
			certified(SceneDecryption())(s)
			data := s.FindElement(key + "/KeyInfo/X509Data")
			data.Parent().AddChild(data.Copy())
		}))
}

// besideVectors have something besides the one encrypted assertion.
func besideVectors(after string) []Vector {
	v := func(name, code string, change func(*Spec)) Vector {
		return Vector{Name: name, After: after, Code: code, Decrypts: true, Sibling: encrypted(nil), Change: change}
	}
	login := func(name, code string, change func(*Spec)) Vector {
		of := v(name, code, change)
		of.STS = "it knows of no logins"
		return of
	}
	return []Vector{
		v("two encrypted assertions", "saml_assertion_count", Tampering(Duplicate(atResponse+"/EncryptedAssertion", nil))),
		v("a plain assertion besides", "saml_assertion_count", Tampering(Insert(atResponse, `<saml:Assertion/>`))),
		v("a plain assertion in Extensions", "saml_assertion_count", Tampering(Insert(atResponse, `<samlp:Extensions><saml:Assertion/></samlp:Extensions>`))),
		v("an encrypted one in Extensions", "saml_encrypted", Tampering(Insert(atResponse, `<samlp:Extensions><saml:EncryptedAssertion/></samlp:Extensions>`))),
		login("the response unsolicited", "saml_unsolicited", func(s *Spec) { s.InResponseTo = Absent }),
		login("another login", "saml_in_response_to", func(s *Spec) { s.InResponseTo = "id-another" }),
		login("the assertion answers another", "saml_in_response_to", Signing(SetAttr(atData, "InResponseTo", "id-another"))),
		v("another recipient", "saml_recipient", func(s *Spec) { s.Recipient = "https://elsewhere.example.com/" }),
		v("the response's signature broken", "saml_signature", Tampering(SetText(atResponse+"/Signature/SignatureValue", "AAAA"))),
		v("the response tampered with", "saml_signature", Tampering(SetAttr(atResponse, "Consent", "x"))),
		v("the assertion's key a stranger's", "saml_signature", func(s *Spec) { s.AssertionSignature.Key = disguised() }),
	}
}

const (
	atText = "./EncryptedData/CipherData/CipherValue"
	atKey  = "./EncryptedData/KeyInfo/EncryptedKey/CipherData/CipherValue"
)

// named keeps an empty algorithm from meaning the default.
func named(uri string) string {
	if uri == "" {
		return " "
	}
	return uri
}

func cipherValue(path string, change func([]byte) []byte) func(*etree.Element) {
	return func(s *etree.Element) {
		e := s.FindElement(path)
		raw, err := base64.StdEncoding.DecodeString(e.Text())
		if err != nil {
			panic("samltest: " + err.Error())
		}
		e.SetText(base64.StdEncoding.EncodeToString(change(raw)))
	}
}

// certified names a certificate beside the wrapped key.
func certified(key *Key) func(*etree.Element) {
	return func(s *etree.Element) {
		info := s.FindElement("./EncryptedData/KeyInfo/EncryptedKey").CreateElement("ds:KeyInfo")
		info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64Of(key.Certificate.Raw))
	}
}

func duplicateIn(path string) func(*etree.Element) {
	return func(s *etree.Element) {
		e := s.FindElement(path)
		e.Parent().AddChild(e.Copy())
	}
}

func removeIn(path string) func(*etree.Element) {
	return func(s *etree.Element) {
		e := s.FindElement(path)
		e.Parent().RemoveChild(e)
	}
}

func withoutSignature(plain []byte) []byte {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(plain); err != nil {
		panic("samltest: " + err.Error())
	}
	doc.Root().RemoveChild(doc.Root().SelectElement("Signature"))
	out, err := doc.WriteToBytes()
	if err != nil {
		panic("samltest: " + err.Error())
	}
	return out
}
