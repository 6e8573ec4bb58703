package samltest

import (
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // SHA-1 is what a downgrade asks for.
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"fmt"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Algorithms of XML signatures.
const (
	RSASHA1   = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
	RSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	RSASHA384 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
	RSASHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"

	SHA1   = "http://www.w3.org/2000/09/xmldsig#sha1"
	SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
	SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
	SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"

	Enveloped            = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	ExcC14N              = "http://www.w3.org/2001/10/xml-exc-c14n#"
	ExcC14NWithComments  = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
	InclusiveC14N        = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	InclusiveC14N11      = "http://www.w3.org/2006/12/xml-c14n11"
	inclusiveNamespaces  = "ec:InclusiveNamespaces"
	exclusiveC14NElement = "http://www.w3.org/2001/10/xml-exc-c14n#"
)

// Signature says how an element is signed. The zero value is RSA-SHA256 over
// exclusive canonical XML with the IdP's key and its certificate in KeyInfo.
type Signature struct {
	// Key signs. Default: the IdP's.
	Key *Key
	// Method, Digest and C14N are algorithm URIs.
	Method string
	Digest string
	C14N   string
	// Transforms default to enveloped-signature and C14N.
	Transforms []string
	// PrefixList becomes the InclusiveNamespaces of the canonicalization.
	PrefixList string
	// URI is the reference. Default: "#" and the ID of the element.
	URI string
	// WithoutKeyInfo leaves KeyInfo out.
	WithoutKeyInfo bool
	// Unprefixed declares the namespace of XML signatures as the default one.
	Unprefixed bool
	// EditKeyInfo adds to KeyInfo what a product writes there.
	EditKeyInfo func(*etree.Element)
	// EditSignedInfo changes SignedInfo before its value is computed.
	EditSignedInfo func(*etree.Element)
	// Twice signs what was signed once more: the second signature, which comes
	// first, covers the first one.
	Twice bool
}

var hashes = map[string]crypto.Hash{
	RSASHA1: crypto.SHA1, RSASHA256: crypto.SHA256, RSASHA384: crypto.SHA384, RSASHA512: crypto.SHA512,
	SHA1: crypto.SHA1, SHA256: crypto.SHA256, SHA384: crypto.SHA384, SHA512: crypto.SHA512,
}

// Sign puts an enveloped signature into the element, where the schema wants
// it: behind the Issuer. It returns the Signature element.
func (idp *IdP) Sign(element *etree.Element, how Signature) *etree.Element {
	how = how.withDefaults(idp, element)
	info := signedInfo(element, how)
	if how.EditSignedInfo != nil {
		how.EditSignedInfo(info)
	}
	signature := etree.NewElement("ds:Signature")
	signature.CreateAttr("xmlns:ds", SignatureNS)
	signature.AddChild(info)
	if how.Unprefixed {
		withoutPrefix(signature)
	}
	prefix := signature.Space
	value := signature.CreateElement("SignatureValue")
	value.Space = prefix
	value.SetText(signatureValue(signature, how))
	if !how.WithoutKeyInfo {
		info := signature.CreateElement("ds:KeyInfo")
		info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(how.Key.Certificate.Raw))
		if how.EditKeyInfo != nil {
			how.EditKeyInfo(info)
		}
	}
	if how.Unprefixed {
		withoutPrefix(signature)
	}
	element.InsertChildAt(behindIssuer(element), signature)
	if how.Twice {
		how.Twice = false
		return idp.Sign(element, how)
	}
	return signature
}

// withoutPrefix makes the namespace of a signature the default one in it.
func withoutPrefix(signature *etree.Element) {
	signature.RemoveAttr("xmlns:ds")
	signature.CreateAttr("xmlns", SignatureNS)
	for _, e := range append(signature.FindElements(".//*"), signature) {
		if e.Space == "ds" {
			e.Space = ""
		}
	}
}

func (how Signature) withDefaults(idp *IdP, element *etree.Element) Signature {
	if how.Key == nil {
		how.Key = idp.key
	}
	or(&how.Method, RSASHA256)
	or(&how.Digest, SHA256)
	or(&how.C14N, ExcC14N)
	if how.Transforms == nil {
		how.Transforms = []string{Enveloped, how.C14N}
	}
	or(&how.URI, "#"+element.SelectAttrValue("ID", ""))
	return how
}

func signedInfo(element *etree.Element, how Signature) *etree.Element {
	info := etree.NewElement("ds:SignedInfo")
	info.CreateElement("ds:CanonicalizationMethod").CreateAttr("Algorithm", how.C14N)
	info.CreateElement("ds:SignatureMethod").CreateAttr("Algorithm", how.Method)
	reference := info.CreateElement("ds:Reference")
	reference.CreateAttr("URI", how.URI)
	transforms := reference.CreateElement("ds:Transforms")
	for _, algorithm := range how.Transforms {
		transform := transforms.CreateElement("ds:Transform")
		transform.CreateAttr("Algorithm", algorithm)
		if algorithm == ExcC14N && how.PrefixList != "" {
			inclusive := transform.CreateElement(inclusiveNamespaces)
			inclusive.CreateAttr("xmlns:ec", exclusiveC14NElement)
			inclusive.CreateAttr("PrefixList", how.PrefixList)
		}
	}
	reference.CreateElement("ds:DigestMethod").CreateAttr("Algorithm", how.Digest)
	digest := digestOf(how.Digest, canonical(element, how.C14N, how.PrefixList))
	reference.CreateElement("ds:DigestValue").SetText(base64.StdEncoding.EncodeToString(digest))
	return info
}

func signatureValue(signature *etree.Element, how Signature) string {
	info := signature.SelectElement("SignedInfo")
	value, err := rsa.SignPKCS1v15(nil, how.Key.Private, hashes[how.Method], digestOf(how.Method, canonical(info, how.C14N, "")))
	if err != nil {
		panic(fmt.Sprintf("samltest: signing: %v", err))
	}
	return base64.StdEncoding.EncodeToString(value)
}

func digestOf(algorithm string, data []byte) []byte {
	h, known := hashes[algorithm]
	if !known {
		panic("samltest: no such algorithm: " + algorithm)
	}
	sum := h.New()
	sum.Write(data)
	return sum.Sum(nil)
}

// canonical is the element in canonical form; the element stays as it is.
func canonical(element *etree.Element, algorithm, prefixList string) []byte {
	out, err := canonicalizer(algorithm, prefixList).Canonicalize(detached(element))
	if err != nil {
		panic(fmt.Sprintf("samltest: canonicalizing: %v", err))
	}
	return out
}

func canonicalizer(algorithm, prefixList string) dsig.Canonicalizer {
	switch algorithm {
	case ExcC14NWithComments:
		return dsig.MakeC14N10ExclusiveWithCommentsCanonicalizerWithPrefixList(prefixList)
	case InclusiveC14N:
		return dsig.MakeC14N10RecCanonicalizer()
	case InclusiveC14N11:
		return dsig.MakeC14N11Canonicalizer()
	default:
		return dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(prefixList)
	}
}

// detached copies an element and declares on it every namespace that its
// ancestors declare, so that it means the same on its own.
func detached(element *etree.Element) *etree.Element {
	out := element.Copy()
	for parent := element.Parent(); parent != nil; parent = parent.Parent() {
		for _, attr := range parent.Attr {
			declaration := attr.Space == "xmlns" || attr.Space == "" && attr.Key == "xmlns"
			if declaration && out.SelectAttr(attr.FullKey()) == nil {
				out.CreateAttr(attr.FullKey(), attr.Value)
			}
		}
	}
	return out
}

func behindIssuer(element *etree.Element) int {
	if issuer := element.SelectElement("Issuer"); issuer != nil {
		return issuer.Index() + 1
	}
	return 0
}
