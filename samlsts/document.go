package samlsts

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// Namespaces of a SAML 2.0 response.
const (
	protocolNS  = "urn:oasis:names:tc:SAML:2.0:protocol"
	assertionNS = "urn:oasis:names:tc:SAML:2.0:assertion"
	signatureNS = "http://www.w3.org/2000/09/xmldsig#"
)

const statusSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success"

// maxEncoded is AWS's limit for SAMLAssertion, in characters of base64.
const maxEncoded = 100_000

func samlp(local string) name    { return name{protocolNS, local} }
func samlName(local string) name { return name{assertionNS, local} }
func ds(local string) name       { return name{signatureNS, local} }

// document is a response as it was received: nothing in it is verified. It
// serves to find the signatures and to refuse odd shapes early.
type document struct {
	raw      []byte
	response *element
	// assertion is nil while it is encrypted.
	assertion *element
}

// decode reads the parameter SAMLAssertion: standard base64 of the response,
// as the IdP posted it. Line ends in it are ignored, nothing else is. Whether
// the assertion may be encrypted is the provider's.
func decode(encoded string, mayEncrypt bool) (*document, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, invalid("Invalid base64 SAMLResponse")
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	root, err := parse(raw)
	if err != nil {
		return nil, invalid("Invalid SAML response: %s", err)
	}
	if err := succeeded(root); err != nil {
		return nil, err
	}
	shaped := shape
	if len(root.all(samlName("EncryptedAssertion"))) > 0 {
		if !mayEncrypt {
			return nil, invalid("Invalid SAML response: the assertion is encrypted; this provider has no key to decrypt it")
		}
		shaped = encryptedShape
	}
	if err := shaped(root); err != nil {
		return nil, invalid("Invalid SAML response: %s", err)
	}
	return &document{raw: raw, response: root, assertion: root.only(samlName("Assertion"))}, nil
}

// succeeded looks at the IdP's own verdict. It comes first, because a response
// that reports a failure has no assertion.
func succeeded(root *element) error {
	if root.name != samlp("Response") {
		return invalid("Invalid SAML response: the root element is not a Response of SAML 2.0")
	}
	status := root.only(samlp("Status"))
	if status == nil {
		return invalid("Invalid SAML response: there is not exactly one Status")
	}
	code := status.only(samlp("StatusCode"))
	if code == nil {
		return invalid("Invalid SAML response: there is not exactly one StatusCode")
	}
	if value, _ := code.attr("Value"); value != statusSuccess {
		return refuse(http.StatusForbidden, "IDPRejectedClaim", "The identity provider reported that authentication failed")
	}
	return nil
}

// part is one kind of child in a content model.
type part struct {
	name     name
	min, max int
}

// Content models, in the order of saml-schema-protocol-2.0 and
// saml-schema-assertion-2.0, reduced to what a response for AWS needs.
var (
	responseModel = []part{
		{samlName("Issuer"), 0, 1}, {ds("Signature"), 0, 1}, {samlp("Extensions"), 0, 1},
		{samlp("Status"), 1, 1}, {samlName("Assertion"), 1, 1},
	}
	assertionModel = []part{
		{samlName("Issuer"), 1, 1}, {ds("Signature"), 0, 1}, {samlName("Subject"), 1, 1}, {samlName("Conditions"), 1, 1},
	}
	signatureModel = []part{
		{ds("SignedInfo"), 1, 1}, {ds("SignatureValue"), 1, 1}, {ds("KeyInfo"), 0, 1},
	}
	signedInfoModel = []part{
		{ds("CanonicalizationMethod"), 1, 1}, {ds("SignatureMethod"), 1, 1}, {ds("Reference"), 1, 1},
	}
	referenceModel = []part{
		{ds("Transforms"), 1, 1}, {ds("DigestMethod"), 1, 1}, {ds("DigestValue"), 1, 1},
	}
)

// follow matches the children of e with a model and returns those after it.
func (e *element) follow(model []part) ([]*element, error) {
	rest := e.children
	for _, p := range model {
		n := 0
		for n < len(rest) && n < p.max && rest[n].name == p.name {
			n++
		}
		if n < p.min {
			return nil, fmt.Errorf("%.60s has no %s where one belongs", e.local, p.name.local)
		}
		rest = rest[n:]
	}
	return rest, nil
}

// matches is follow where nothing may come after.
func (e *element) matches(model []part) error {
	rest, err := e.follow(model)
	if err == nil && len(rest) > 0 {
		return fmt.Errorf("%.60s has a child %.60s that does not belong there", e.local, rest[0].local)
	}
	return err
}

// shape refuses every arrangement of elements but the one that IdPs send: one
// assertion, directly in the response, each ID once, signatures only directly
// in what they sign. Signature wrapping needs another arrangement.
func shape(response *element) error {
	if err := response.matches(responseModel); err != nil {
		return err
	}
	assertion := response.only(samlName("Assertion"))
	if _, err := assertion.follow(assertionModel); err != nil {
		return err
	}
	if err := census(response, assertion); err != nil {
		return err
	}
	for _, el := range []*element{response, assertion} {
		if version, _ := el.attr("Version"); version != "2.0" {
			return fmt.Errorf("the Version of %s is not 2.0", el.local)
		}
	}
	return uniqueIDs(response, response, assertion)
}

// census counts the elements that may stand in one place only, whatever their
// namespace is.
func census(response, assertion *element) error {
	found := make(map[string]int)
	response.walk(func(el *element) { found[el.local]++ })
	placed := len(response.all(ds("Signature"))) + len(assertion.all(ds("Signature")))
	for _, rule := range []struct {
		local string
		want  int
	}{{"Response", 1}, {"Assertion", 1}, {"EncryptedAssertion", 0}, {"Signature", placed}, {"Subject", 1}, {"Conditions", 1}} {
		if found[rule.local] != rule.want {
			return fmt.Errorf("it has %d elements %s, and %d in the place where one belongs", found[rule.local], rule.local, rule.want)
		}
	}
	return nil
}

var ncName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// uniqueIDs requires an ID on response and assertion, the owners, and refuses to
// see any value twice, whichever way the attribute is spelled.
func uniqueIDs(within *element, owners ...*element) error {
	seen := make(map[string]bool)
	var err error
	within.walk(func(el *element) {
		onThis := 0
		for _, a := range el.attributes {
			if !strings.EqualFold(a.local, "id") {
				continue
			}
			if onThis++; onThis > 1 || seen[a.value] {
				err = errors.New("an ID is given twice")
			}
			seen[a.value] = true
		}
	})
	for _, el := range owners {
		if id, _ := el.attr("ID"); !ncName.MatchString(id) {
			err = fmt.Errorf("the ID of %s is missing or not a name", el.local)
		}
	}
	return err
}
