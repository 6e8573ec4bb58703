package samlsts

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// encryptedModel is responseModel with an encrypted assertion.
var encryptedModel = []part{
	{samlName("Issuer"), 0, 1}, {ds("Signature"), 0, 1}, {samlp("Extensions"), 0, 1},
	{samlp("Status"), 1, 1}, {samlName("EncryptedAssertion"), 1, 1},
}

// encryptedShape refuses every arrangement around an encrypted assertion but the
// one that IdPs send.
func encryptedShape(response *element) error {
	if err := response.matches(encryptedModel); err != nil {
		return err
	}
	found := make(map[string]int)
	response.walk(func(el *element) { found[el.local]++ })
	if found["Response"] != 1 || found["Assertion"] != 0 || found["EncryptedAssertion"] != 1 || found["Signature"] != len(response.all(ds("Signature"))) {
		return errors.New("there is more than one encrypted assertion in the response, or a signature out of place")
	}
	if version, _ := response.attr("Version"); version != "2.0" {
		return errors.New("the Version of Response is not 2.0")
	}
	return uniqueIDs(response, response)
}

// decrypted verifies a response whose assertion is encrypted: the response as
// it was sent, where that is signed, and then the assertion, which must be
// signed itself. What anybody could have encrypted proves nothing.
func (d *document) decrypted(key *rsa.PrivateKey, certificates []*x509.Certificate, now time.Time) (*verified, error) {
	v := &verified{response: d.response}
	if d.response.only(ds("Signature")) != nil {
		signed, err := d.verifyElement(d.response, certificates, now)
		if err != nil {
			return nil, signatureInvalid(err)
		}
		if err := encryptedShape(signed); err != nil {
			return nil, signatureInvalid(err)
		}
		v.response = signed
	}
	plain, err := unseal(v.response.only(samlName("EncryptedAssertion")), key)
	if err != nil {
		return nil, invalid("Invalid SAML response: %s", err)
	}
	inner, err := sealedAssertion(plain, d.response)
	if err != nil {
		return nil, invalid("Invalid SAML response: encrypted: %s", err)
	}
	if v.assertion, err = inner.verifyElement(inner.assertion, certificates, now); err != nil {
		return nil, signatureInvalid(err)
	}
	return v, nil
}

// sealedAssertion reads what was encrypted: one assertion, a document by itself.
func sealedAssertion(plain []byte, response *element) (*document, error) {
	root, err := parse(plain)
	if err != nil {
		return nil, err
	}
	if root.name != samlName("Assertion") {
		return nil, errors.New("it is not an Assertion")
	}
	if _, err := root.follow(assertionModel); err != nil {
		return nil, err
	}
	found := make(map[string]int)
	root.walk(func(el *element) { found[el.local]++ })
	for local, want := range map[string]int{"Response": 0, "Assertion": 1, "EncryptedAssertion": 0, "Signature": 1, "Subject": 1, "Conditions": 1} {
		if found[local] != want {
			return nil, fmt.Errorf("it has %d elements %s, not %d", found[local], local, want)
		}
	}
	if version, _ := root.attr("Version"); version != "2.0" {
		return nil, errors.New("the Version of Assertion is not 2.0")
	}
	both := &element{children: []*element{response, root}}
	return &document{raw: plain, assertion: root}, uniqueIDs(both, response, root)
}
