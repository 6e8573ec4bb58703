package samltest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"math/big"
	"strings"
	"sync"
	"unicode/utf16"
)

// exchanged replaces every occurrence of one text by another.
func exchanged(old, new string) func([]byte) []byte {
	return func(document []byte) []byte {
		if !bytes.Contains(document, []byte(old)) {
			panic("samltest: nothing to replace: " + old)
		}
		return bytes.ReplaceAll(document, []byte(old), []byte(new))
	}
}

// inFrontOf puts a text in front of the first occurrence of another one.
func inFrontOf(mark, text string) func([]byte) []byte {
	return func(document []byte) []byte {
		return bytes.Replace(document, []byte(mark), []byte(text+mark), 1)
	}
}

func blanksTo(n int) func([]byte) []byte {
	return func(document []byte) []byte {
		return append(document, bytes.Repeat([]byte(" "), n-len(document))...)
	}
}

// metadataDocumentVectors are not one IdP's document, or XML about which
// readers differ. Nothing in metadata is signed, and there is no grammar for
// it, so that the scan alone stands before it.
func metadataDocumentVectors() []MetadataVector {
	const (
		one     = "SAML metadata §2.3: which of several IdPs is meant"
		bomb    = "A bound on what is read (federations' metadata have 100 MB)"
		differ  = "CVE-2025-25291/-25292, CVE-2025-66567 (ruby-saml): two parsers differ"
		doctype = "XXE (CWE-611)"
		inRole  = "<md:NameIDFormat>"
		end     = "SAML metadata §2.3.2: validUntil"
	)
	entity := `entityID="` + SceneEntityID + `"`
	named := func(id string) func([]byte) []byte { return exchanged(entity, `entityID="`+id+`"`) }
	until := func(when string) func([]byte) []byte { return exchanged(entity, entity+` validUntil="`+when+`"`) }
	levels := func(n int) func([]byte) []byte {
		return inFrontOf(inRole, strings.Repeat("<md:x>", n)+strings.Repeat("</md:x>", n))
	}
	return []MetadataVector{
		{Name: "nothing", After: "An address that answers nothing", Says: "it is not XML", Change: func([]byte) []byte { return nil }},
		{Name: "UTF-16, the small end first", After: "PowerShell's > writes files so", Says: "it is UTF-16", Change: func(b []byte) []byte { return inUTF16(b, binary.LittleEndian) }},
		{Name: "UTF-16, the large end first", After: "XML 1.0 §4.3.3: byte order marks", Says: "it is UTF-16", Change: func(b []byte) []byte { return inUTF16(b, binary.BigEndian) }},
		{Name: "a web page", After: "A sign-in page in place of the metadata", Says: "it is a web page", Change: func([]byte) []byte { return []byte("<!DOCTYPE html>\n<html><title>Sign in</title></html>") }},
		{Name: "JSON", After: "OpenID's metadata given", Says: "it is not XML", Change: func([]byte) []byte { return []byte(`{"issuer": "x"}`) }},
		{Name: "text in front", After: differ, Says: "it is not XML", Change: inFrontOf("<md:EntityDescriptor", "x")},
		{Name: "1 MiB and a byte", After: bomb, Says: "more than 1048576 bytes", Sibling: blanksTo(1 << 20), Change: blanksTo(1<<20 + 1)},
		{Name: "a document type", After: doctype, Says: "DOCTYPE", Change: inFrontOf("<md:EntityDescriptor", "<!DOCTYPE r>")},
		{Name: "CDATA", After: differ, Says: "CDATA", Change: inFrontOf(inRole, "<md:x><![CDATA[x]]></md:x>")},
		{Name: "a second root", After: differ, Says: "second element", Change: func(d []byte) []byte { return append(d, d...) }},
		{Name: "text behind", After: differ, Says: "outside the document's one element", Change: func(d []byte) []byte { return append(d, 'x') }},
		{Name: "an instruction", After: differ, Says: "processing instruction", Change: inFrontOf(inRole, "<?x?>")},
		{Name: "an instruction in the form of a declaration", After: differ, Says: "processing instruction", Sibling: inFrontOf("<md:EntityDescriptor", `<?xml version="1.0"?>`), Change: exchanged("<?xml ", "<?lmx ")},
		{Name: "cut short", After: "A document that was copied incompletely", Says: "not well-formed", Change: func(d []byte) []byte { return d[:len(d)/2] }},
		{Name: "65 levels", After: "GO-2026-6088 (encoding/xml): depth without a bound", Says: "deeper than 64", Sibling: levels(62), Change: levels(63)},
		{Name: "an attribute twice", After: differ, Says: "twice", Change: exchanged(entity, entity+" "+entity)},
		{Name: "a prefix with two meanings", After: "Namespace confusion (\"The Fragile Lock\", 2025)", Says: "two namespaces", Sibling: inFrontOf(inRole, `<x:a xmlns:x="urn:a"/><x:a xmlns:x="urn:a"/>`), Change: exchanged(`/><x:a xmlns:x="urn:a"`, `/><x:a xmlns:x="urn:b"`), STS: "it reads a prefix as XML does, where it stands"},
		{Name: "the prefix xmlns declared", After: "Namespaces in XML §3", Says: "namespace declaration", Change: exchanged(entity, entity+` xmlns:xmlns="http://www.w3.org/2000/xmlns/"`)},
		{Name: "a relative namespace", After: "Void canonicalization (\"The Fragile Lock\", 2025)", Says: "namespace declaration", Change: exchanged(entity, entity+` xmlns:x="../evil"`)},
		{Name: "an element without a prefix before its colon", After: "CVE-2020-29509/-29511 (encoding/xml)", Says: "colon", Change: inFrontOf(inRole, "<:x/>")},
		{Name: "an attribute without a prefix before its colon", After: "CVE-2020-29510 (encoding/xml)", Says: "colon", Change: exchanged(entity, entity+` :entityID="x"`)},
		{Name: "an attribute whose prefix nobody declared", After: "CVE-2020-29509/-29510 (encoding/xml): names that do not survive", Says: "do not survive", Sibling: exchanged(inRole, `<md:NameIDFormat xmlns:q="urn:q" xmlns:r="urn:r" q:q="1" r:q="2">`), Change: exchanged(` xmlns:r="urn:r"`, "")},
		{Name: "a collection of one", After: one, Says: "EntitiesDescriptor", Change: exchanged("md:EntityDescriptor", "md:EntitiesDescriptor")},
		{Name: "another element", After: "A sign-in page, another protocol's metadata", Says: "not an EntityDescriptor", Change: exchanged("md:EntityDescriptor", "md:AffiliationDescriptor")},
		{Name: "another namespace", After: "Namespace confusion (\"The Fragile Lock\", 2025)", Says: "not an EntityDescriptor", Change: func(d []byte) []byte {
			return exchanged("</md:EntityDescriptor", "</e:EntityDescriptor")(exchanged("<md:EntityDescriptor ", `<e:EntityDescriptor xmlns:e="urn:evil" `)(d))
		}},
		{Name: "no entityID", After: "An issuer of nothing (GO-2026-6909 family)", Says: "entityID", Change: exchanged(entity, "")},
		{Name: "an entityID of 1,025 characters", After: "SAML core §8.3.6: at most 1024", Says: "entityID", Sibling: named(strings.Repeat("a", 1024)), Change: exchanged(`entityID="`, `entityID="a`), STS: "it compares the entityID, and bounds the whole only"},
		{Name: "an entityID from right to left", After: "Trojan Source (CVE-2021-42574)", Says: "entityID", Change: named("https://idp.example.com/\u202esaml"), STS: "it compares the entityID, and shows it to nobody"},
		{Name: "no role of an IdP", After: "A service provider's metadata given", Says: "0 IDPSSODescriptors", Change: exchanged("md:IDPSSODescriptor", "md:SPSSODescriptor")},
		{Name: "a role for SAML 1.1 only", After: "SAML metadata §2.4.1: protocolSupportEnumeration", Says: "0 IDPSSODescriptors", Change: exchanged(`protocolSupportEnumeration="`+ProtocolNS, `protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol`), STS: "it reads no protocols: what is signed must be SAML 2.0"},
		{Name: "two roles of an IdP", After: one, Says: "2 IDPSSODescriptors", Sibling: inFrontOf("</md:EntityDescriptor>", `<md:SPSSODescriptor protocolSupportEnumeration="`+ProtocolNS+`"/>`), Change: exchanged("<md:SPSSODescriptor", "<md:IDPSSODescriptor")},
		{Name: "an end that is a word", After: end, Says: "validUntil", Sibling: until("2026-04-01T00:00:00Z"), Change: exchanged("2026-04-01T00:00:00Z", "tomorrow")},
		{Name: "an end before 1970", After: end, Says: "validUntil", Sibling: until("2026-04-01T00:00:00Z"), Change: exchanged("2026-04-01T00:00:00Z", "1969-12-31T23:59:59Z"), STS: "it reads the time, which is over"},
	}
}

// inUTF16 is a document as UTF-16 with its byte order mark.
func inUTF16(document []byte, order binary.AppendByteOrder) []byte {
	out := order.AppendUint16(nil, 0xfeff)
	for _, unit := range utf16.Encode([]rune(string(document))) {
		out = order.AppendUint16(out, unit)
	}
	return out
}

// metadataEndpointVectors have addresses to which no browser may be sent.
func metadataEndpointVectors() []MetadataVector {
	const script = "CVE-2023-45683 (crewjam/saml): any scheme in a Location"
	list := []MetadataVector{
		{Name: "no redirect binding", After: "SAML bindings §3.4", Says: "HTTP-Redirect", Change: exchanged(redirectBinding, redirectBinding+"-SimpleSign")},
	}
	for _, odd := range []struct{ name, after, says, url string }{
		{"plain http", script, "not https", "http://idp.example.com/sso"},
		{"a loopback look-alike", script, "not https", "http://127.0.0.1.evil.example.com/sso"},
		{"another scheme", script, "not https", "ftp://idp.example.com/sso"},
		{"a script", script, "plain absolute URL", "javascript:alert(1)"},
		{"a relative address", script, "plain absolute URL", "/sso"},
		{"no host", script, "plain absolute URL", "https:///sso"},
		{"somebody in the address", "CVE-2021-21291 family: who@where", "plain absolute URL", "https://a:b@idp.example.com/sso"},
		{"a fragment", "SAML bindings §3.4: the query would stand behind it", "plain absolute URL", "https://idp.example.com/sso#x"},
		{"a line break", "CWE-93: a header of its own", "plain absolute URL", "https://idp.example.com/sso&#10;x"},
		{"a sign of no width", "Trojan Source (CVE-2021-42574)", "plain absolute URL", "https://idp.example.com/sso\u200b"},
		{"an escape that is none", "CVE-2025-25292 (ruby-saml): two readers of one value", "plain absolute URL", "https://idp.example.com/%zz"},
	} {
		list = append(list, MetadataVector{Name: "a sign-on service with " + odd.name, After: odd.after, Says: odd.says, Change: exchanged(SceneSSO, odd.url)})
	}
	out := `<md:SingleLogoutService Binding="` + redirectBinding + `" Location="https://idp.example.com/slo" ResponseLocation="https://idp.example.com/answers"/>`
	logout := inFrontOf("<md:NameIDFormat>", out)
	list = append(list,
		MetadataVector{Name: "a logout service in a script", After: script, Says: "plain absolute URL", Sibling: logout, Change: exchanged("https://idp.example.com/slo", "javascript:alert(1)")},
		MetadataVector{Name: "answers to logouts over plain http", After: script, Says: "not https", Sibling: logout, Change: exchanged("https://idp.example.com/answers", "http://idp.example.com/answers")},
	)
	for i := range list {
		list[i].STS = "it sends nobody anywhere, and reads no services"
	}
	return list
}

// metadataKeyVectors have keys whose signatures must not count.
func metadataKeyVectors() []MetadataVector {
	const strong = "NIST SP 800-131A: RSA from 2,048 bits on"
	own := func() string {
		key, err := processKey()
		if err != nil {
			panic("samltest: " + err.Error())
		}
		return base64Of(key.Certificate.Raw)
	}
	certified := func(der func() []byte) func([]byte) []byte {
		return func(d []byte) []byte { return exchanged(own(), base64Of(der()))(d) }
	}
	text := func(change func(string) string) func([]byte) []byte {
		return func(d []byte) []byte { return exchanged(own(), change(own()))(d) }
	}
	many := func(n int) func([]byte) []byte {
		return func(d []byte) []byte { return inFrontOf("<md:NameIDFormat>", certificates()[n])(d) }
	}
	return []MetadataVector{
		{Name: "no certificate for signing", After: "A key for encryption believed for signatures", Says: "0 signing certificates", Change: exchanged(`use="signing"`, `use="encryption"`)},
		{Name: "17 certificates", After: "A bomb of keys: each costs a verification", Says: "17 signing certificates", Sibling: many(15), Change: many(1), STS: "it bounds the bytes of the whole only"},
		{Name: "a certificate with a sign behind it", After: "CVE-2025-25292 (ruby-saml): two readers of one value", Says: "not base64", Change: text(followed("!"))},
		{Name: "a certificate, cut short", After: "GO-2020-0046 (goxmldsig): nil dereference", Says: "cannot be read", Change: text(func(t string) string { return t[:len(t)/2/4*4] })},
		{Name: "a key of 1,024 bits", After: strong, Says: "1024 bits", Change: certified(func() []byte { return weakKey().Certificate.Raw })},
		{Name: "a key of 2,047 bits", After: strong, Says: "2047 bits", Change: certified(func() []byte { return nearlyKey().Certificate.Raw })},
		{Name: "an elliptic key", After: "An allow-list of RSA (decision 0009)", Says: "ECDSA", Change: certified(ellipticCertificate), STS: "it takes the key, and no signature by it"},
	}
}

var (
	weakKey   = sync.OnceValue(func() *Key { return keyOf(1024) })
	nearlyKey = sync.OnceValue(func() *Key { return keyOf(2047) })
)

func keyOf(bits int) *Key {
	key, err := NewKey(bits)
	if err != nil {
		panic("samltest: " + err.Error())
	}
	return key
}

// certificates are descriptors of so many certificates, all of one key.
var certificates = sync.OnceValue(func() map[int]string {
	all := map[int]string{}
	for i := range 16 {
		template := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), NotBefore: date(2000), NotAfter: date(2100)}
		descriptor := `<md:KeyDescriptor><ds:KeyInfo xmlns:ds="` + SignatureNS + `"><ds:X509Data><ds:X509Certificate>` +
			base64Of(selfSigned(template, &strangerKey().Private.PublicKey, strangerKey().Private)) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
		if i == 15 {
			all[1] = descriptor
		} else {
			all[15] += descriptor
		}
	}
	return all
})

func ellipticCertificate() []byte {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("samltest: " + err.Error())
	}
	return selfSigned(&x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: date(2000), NotAfter: date(2100)}, &private.PublicKey, private)
}

func selfSigned(template *x509.Certificate, public, private any) []byte {
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		panic("samltest: " + err.Error())
	}
	return der
}
