package samlsts

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

const (
	exclusiveC14N      = "http://www.w3.org/2001/10/xml-exc-c14n#"
	envelopedSignature = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
)

// signatureMethods and digestMethods are what may be used: SHA-256 and up.
var (
	signatureMethods = map[string]bool{
		dsig.RSASHA256SignatureMethod: true, dsig.RSASHA384SignatureMethod: true, dsig.RSASHA512SignatureMethod: true,
		dsig.ECDSASHA256SignatureMethod: true, dsig.ECDSASHA384SignatureMethod: true, dsig.ECDSASHA512SignatureMethod: true,
	}
	digestMethods = map[string]bool{
		"http://www.w3.org/2001/04/xmlenc#sha256":       true,
		"http://www.w3.org/2001/04/xmldsig-more#sha384": true,
		"http://www.w3.org/2001/04/xmlenc#sha512":       true,
	}
)

// verified is what the IdP signed, read from the canonical form that was
// digested. Response is the unverified element where only the assertion is
// signed: what is read from it can only lead to a refusal.
type verified struct {
	response  *element
	assertion *element
}

// verify checks every signature of the document with the pinned certificates.
// At least one is needed; one that is there and wrong is never overlooked.
func (d *document) verify(certificates []*x509.Certificate, now time.Time) (*verified, error) {
	v := &verified{response: d.response}
	if d.response.only(ds("Signature")) != nil {
		signed, err := d.verifyElement(d.response, certificates, now)
		if err != nil {
			return nil, signatureInvalid(err)
		}
		if err := shape(signed); err != nil {
			return nil, signatureInvalid(err)
		}
		v.response, v.assertion = signed, signed.only(samlName("Assertion"))
	}
	if d.assertion.only(ds("Signature")) != nil {
		signed, err := d.verifyElement(d.assertion, certificates, now)
		if err != nil {
			return nil, signatureInvalid(err)
		}
		v.assertion = signed
	}
	if v.assertion == nil {
		return nil, signatureInvalid(errors.New("neither the response nor the assertion is signed"))
	}
	return v, nil
}

// signatureInvalid is AWS's one message; the reason is for the log.
func signatureInvalid(reason error) *Error {
	e := invalid("Response signature invalid")
	e.Cause = reason
	return e
}

// verifyElement checks the signature directly in el and returns what it
// covers: el as canonicalised, without the signature.
func (d *document) verifyElement(el *element, certificates []*x509.Certificate, now time.Time) (*element, error) {
	id, _ := el.attr("ID")
	if err := acceptable(el.only(ds("Signature")), id); err != nil {
		return nil, err
	}
	target, err := d.locate(el.name)
	if err != nil {
		return nil, err
	}
	err = errors.New("the provider has no certificate")
	for _, certificate := range certificates {
		var signed *etree.Element
		if signed, err = validate(target, certificate, now); err != nil {
			continue
		}
		return reread(signed, el.name, id)
	}
	return nil, err
}

// acceptable restricts a signature to the one form that SAML prescribes (SAML
// core, section 5.4): one reference, to the ID of its parent, enveloped and
// exclusively canonicalised.
func acceptable(signature *element, id string) error {
	if err := signature.matches(signatureModel); err != nil {
		return err
	}
	info := signature.only(ds("SignedInfo"))
	if err := info.matches(signedInfoModel); err != nil {
		return err
	}
	reference := info.only(ds("Reference"))
	if uri, _ := reference.attr("URI"); uri != "#"+id {
		return errors.New("the signature does not refer to the element that it stands in")
	}
	if err := reference.matches(referenceModel); err != nil {
		return err
	}
	if err := transforms(reference.only(ds("Transforms"))); err != nil {
		return err
	}
	return algorithms(info, reference)
}

// transforms allows the two of SAML core, section 5.4.4, in this order.
func transforms(list *element) error {
	want := []string{envelopedSignature, exclusiveC14N}
	if len(list.children) != len(want) {
		return errors.New("the signature has other than the two transforms that SAML allows")
	}
	for i, transform := range list.children {
		algorithm, _ := transform.attr("Algorithm")
		if transform.name != ds("Transform") || algorithm != want[i] {
			return errors.New("the signature has a transform other than enveloped-signature and exc-c14n")
		}
		for _, child := range transform.children {
			if i == 0 || child.name != (name{exclusiveC14N, "InclusiveNamespaces"}) || !child.leaf() {
				return errors.New("a transform has a parameter that it must not have")
			}
		}
	}
	return nil
}

func algorithms(info, reference *element) error {
	for _, rule := range []struct {
		el      *element
		allowed map[string]bool
	}{
		{info.only(ds("CanonicalizationMethod")), map[string]bool{exclusiveC14N: true}},
		{info.only(ds("SignatureMethod")), signatureMethods},
		{reference.only(ds("DigestMethod")), digestMethods},
	} {
		algorithm, _ := rule.el.attr("Algorithm")
		if !rule.allowed[algorithm] || !rule.el.leaf() {
			return fmt.Errorf("%s %.100q is not accepted", rule.el.local, algorithm)
		}
	}
	return nil
}

// locate finds the response or its assertion in goxmldsig's kind of tree, and
// takes it out together with the namespaces that are in scope.
func (d *document) locate(n name) (*etree.Element, error) {
	tree := etree.NewDocument()
	if err := tree.ReadFromBytes(d.raw); err != nil {
		return nil, fmt.Errorf("reading XML: %w", err)
	}
	target := tree.Root()
	if target != nil && n == samlName("Assertion") && d.response != nil {
		target = child(target, n)
	}
	if target == nil || target.Tag != n.local || target.NamespaceURI() != n.space {
		return nil, errors.New("two readers disagree about where the signed element is")
	}
	scope, err := etreeutils.NSBuildParentContext(target)
	if err != nil {
		return nil, fmt.Errorf("reading namespaces: %w", err)
	}
	return etreeutils.NSDetatch(scope, target)
}

func child(parent *etree.Element, n name) *etree.Element {
	var found *etree.Element
	for _, el := range parent.ChildElements() {
		if el.Tag == n.local && el.NamespaceURI() == n.space {
			if found != nil {
				return nil
			}
			found = el
		}
	}
	return found
}

// validate checks the signature in target with one certificate. KeyInfo is
// taken away first: what a message says about its own key proves nothing.
func validate(target *etree.Element, certificate *x509.Certificate, now time.Time) (*etree.Element, error) {
	target = target.Copy()
	signature := child(target, ds("Signature"))
	if signature == nil {
		return nil, errors.New("two readers disagree about where the signature is")
	}
	if info := child(signature, ds("KeyInfo")); info != nil {
		signature.RemoveChild(info)
	}
	return (&dsig.ValidationContext{
		CertificateStore: &dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{certificate}},
		IdAttribute:      dsig.DefaultIdAttr,
		Clock:            dsig.NewFakeClockAt(now),
	}).Validate(target)
}

// reread brings the verified element into our own tree, by its canonical
// bytes, and makes sure that it is the element that was meant.
func reread(signed *etree.Element, want name, id string) (*element, error) {
	canonical, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(signed)
	if err != nil {
		return nil, fmt.Errorf("canonicalising: %w", err)
	}
	el, err := parse(canonical)
	if err != nil {
		return nil, fmt.Errorf("reading what was signed: %w", err)
	}
	if got, _ := el.attr("ID"); el.name != want || got != id {
		return nil, errors.New("another element was signed than the one that the signature stands in")
	}
	return el, nil
}
