package saml

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// opened is a response with its decrypted assertion in the place of the
// encrypted one, as gosaml2 is to see it. Where the response is signed, its
// signature is verified here and what is given is made of the signed bytes;
// the assertion's own signature is gosaml2's to verify. So gosaml2 needs no
// key, and its ciphers, which are an oracle or two, are never used.
func opened(raw, plain []byte, signed bool, certificates []*x509.Certificate, at time.Time) (string, *library) {
	document, assertion := etree.NewDocument(), etree.NewDocument()
	if err := errors.Join(document.ReadFromBytes(raw), assertion.ReadFromBytes(plain)); err != nil {
		return "", &library{forged: true, cause: err}
	}
	response := document.Root()
	if signed {
		verified, err := (&dsig.ValidationContext{
			CertificateStore: &dsig.MemoryX509CertificateStore{Roots: certificates},
			IdAttribute:      dsig.DefaultIdAttr,
			Clock:            dsig.NewFakeClockAt(at),
		}).Validate(response)
		if err != nil {
			return "", &library{forged: true, cause: err}
		}
		response = verified
	}
	sealed := response.SelectElement("EncryptedAssertion")
	if sealed == nil {
		return "", &library{forged: true, cause: errors.New("two readers differ about where the encrypted assertion is")}
	}
	response.InsertChildAt(sealed.Index(), assertion.Root().Copy())
	response.RemoveChild(sealed)
	document.SetRoot(response)
	document.WriteSettings.CanonicalText, document.WriteSettings.CanonicalAttrVal = true, true
	text, err := document.WriteToBytes()
	if err != nil {
		return "", &library{forged: true, cause: err}
	}
	return base64.StdEncoding.EncodeToString(text), nil
}
