package saml

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolepass/rolepass/refusal"
)

const (
	enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	excC14N   = "http://www.w3.org/2001/10/xml-exc-c14n#"
)

// signatureMethods and digestMethods are what a signature may be made with.
// SHA-1 is out. ECDSA is out because goxmldsig 1.6.1 reads its values as
// ASN.1, where XML signatures have the two numbers side by side (RFC 6931
// §2.3.6): what an IdP really signs with ECDSA would never verify.
var (
	signatureMethods = map[string]bool{
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": true,
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": true,
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": true,
	}
	digestMethods = map[string]bool{
		"http://www.w3.org/2001/04/xmlenc#sha256":       true,
		"http://www.w3.org/2001/04/xmldsig-more#sha384": true,
		"http://www.w3.org/2001/04/xmlenc#sha512":       true,
	}
)

// signatures are the signatures of a response that has the right shape: the
// response's own and the assertion's, at least one of them.
type signatures struct {
	response  *element
	assertion *element
}

func signaturesOf(root *element) signatures {
	return signatures{
		response:  root.child(ds("Signature")),
		assertion: root.child(saml("Assertion"), ds("Signature")),
	}
}

func (s signatures) each() []*element {
	var all []*element
	for _, signature := range []*element{s.response, s.assertion} {
		if signature != nil {
			all = append(all, signature)
		}
	}
	return all
}

// signaturePlaces finds signatures by their local name, wherever they stand:
// one inside an attribute value verifies as well as one in its place.
func signaturePlaces(root *element) *refusal.Refusal {
	count, misplaced := 0, false
	root.walk(func(e *element) bool {
		if e.name.Local == "Signature" {
			count++
			owner := e.parent == root || e.parent != nil && e.parent.name == saml("Assertion")
			misplaced = misplaced || !owner || e.name != ds("Signature")
		}
		return true
	})
	switch {
	case count == 0:
		return forbidden("saml_unsigned", "Neither the response nor the assertion is signed; let the IdP sign both (Entra: Sign SAML response and assertion; AD FS: MessageAndAssertion; Keycloak: Sign documents and Sign assertions).")
	case misplaced:
		return forbidden("saml_signature_place", "A signature stands somewhere other than directly in the response or the assertion; no IdP puts one there.")
	}
	return nil
}

// soundlySigned checks what each signature says about itself: what it is for
// and with which algorithms it was made.
func soundlySigned(root *element) *refusal.Refusal {
	for _, signature := range signaturesOf(root).each() {
		for _, rule := range []func(*element) *refusal.Refusal{reference, algorithms, transforms} {
			if refused := rule(signature); refused != nil {
				return refused
			}
		}
	}
	return nil
}

func reference(signature *element) *refusal.Refusal {
	owner := signature.parent
	uri := signature.child(ds("SignedInfo"), ds("Reference")).attr("URI")
	if uri != "#"+owner.attr("ID") {
		return forbidden("saml_reference", "The signature in %s is for %q and not for the element that it stands in.", owner.path(), shown(uri))
	}
	return nil
}

func algorithms(signature *element) *refusal.Refusal {
	info := signature.child(ds("SignedInfo"))
	method := info.child(ds("SignatureMethod")).attr("Algorithm")
	digest := info.child(ds("Reference"), ds("DigestMethod")).attr("Algorithm")
	if !signatureMethods[method] {
		return unacceptable(method)
	}
	if !digestMethods[digest] {
		return unacceptable(digest)
	}
	return nil
}

func unacceptable(algorithm string) *refusal.Refusal {
	return forbidden("saml_algorithm", "The signature uses %q; set the application's signing algorithm at the IdP to RSA with SHA-256 (signature and digest).", shown(algorithm))
}

func transforms(signature *element) *refusal.Refusal {
	info := signature.child(ds("SignedInfo"))
	if method := info.child(ds("CanonicalizationMethod")).attr("Algorithm"); method != excC14N {
		return forbidden("saml_canonicalization", "The signature is over canonical form %q; set the IdP's canonicalization to exclusive (%s).", shown(method), excC14N)
	}
	list := info.child(ds("Reference"), ds("Transforms")).all(ds("Transform"))
	if list[0].attr("Algorithm") != enveloped || list[1].attr("Algorithm") != excC14N {
		return forbidden("saml_transform", "The signature's transforms are %q and %q; enveloped-signature and exclusive canonicalization are accepted, in that order.",
			shown(list[0].attr("Algorithm")), shown(list[1].attr("Algorithm")))
	}
	return nil
}

// pinned checks that each signature that names a certificate names one of the
// metadata's, and that it is valid. The key that verifies is the metadata's in
// any case; this is for the sentence.
func pinned(root *element, trusted []*x509.Certificate, now time.Time) *refusal.Refusal {
	for _, signature := range signaturesOf(root).each() {
		named := trusted
		if info := signature.child(ds("KeyInfo")); info != nil {
			certificate, refused := match(info, trusted)
			if refused != nil {
				return refused
			}
			named = []*x509.Certificate{certificate}
		}
		valid := func(c *x509.Certificate) bool { return validAt(c, now) }
		if !slices.ContainsFunc(named, valid) {
			return forbidden("saml_certificate_expired",
				"The IdP signed with a certificate that is valid from %s to %s only; renew it at the IdP, then its metadata here and at IAM (aws iam update-saml-provider).",
				named[0].NotBefore.Format(time.DateOnly), named[0].NotAfter.Format(time.DateOnly))
		}
	}
	return nil
}

// candidates are the sets of certificates to verify with, one after the
// other. goxmldsig takes a signature without KeyInfo only when there is one
// certificate, so each of several gets its turn.
func candidates(root *element, trusted []*x509.Certificate) [][]*x509.Certificate {
	for _, signature := range signaturesOf(root).each() {
		if signature.child(ds("KeyInfo")) == nil && len(trusted) > 1 {
			sets := make([][]*x509.Certificate, len(trusted))
			for i := range trusted {
				sets[i] = trusted[i : i+1]
			}
			return sets
		}
	}
	return [][]*x509.Certificate{trusted}
}

func match(info *element, trusted []*x509.Certificate) (*x509.Certificate, *refusal.Refusal) {
	first := info.child(ds("X509Data"), ds("X509Certificate"))
	if first == nil {
		return nil, forbidden("saml_certificate", "The signature names its key without a certificate; let the IdP put its X.509 certificate into KeyInfo.")
	}
	der, err := base64.StdEncoding.DecodeString(unfolded(first.content()))
	if err != nil {
		return nil, malformed("saml_certificate", "The certificate in the signature's KeyInfo is not base64.")
	}
	i := slices.IndexFunc(trusted, func(c *x509.Certificate) bool { return string(c.Raw) == string(der) })
	if i < 0 {
		return nil, forbidden("saml_certificate",
			"The response is signed with the certificate %s, and the IdP's metadata has only %s. Either the IdP changed its key (refresh the metadata here and at IAM) or the metadata is another application's (each application may have its own certificate; Entra's metadata URL needs ?appid=).",
			fingerprint(der), fingerprints(trusted))
	}
	return trusted[i], nil
}

func fingerprints(certificates []*x509.Certificate) string {
	var all []string
	for _, certificate := range certificates {
		all = append(all, fingerprint(certificate.Raw))
	}
	return strings.Join(all, ", ")
}

// fingerprint is the SHA-256 of a certificate, as openssl x509 -fingerprint
// -sha256 shows it, shortened to the first eight bytes.
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return fmt.Sprintf("SHA256:% X", sum[:8])
}
