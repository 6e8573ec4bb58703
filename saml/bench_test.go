package saml_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/saml/samltest"
)

// BenchmarkVerify is one login at the ACS: a response with two signatures.
func BenchmarkVerify(b *testing.B) {
	idp := newIdP(b)
	sp := newSP(b, idp)
	for name, sign := range map[string]samltest.Signed{"assertion": samltest.SignAssertion, "both": samltest.SignBoth} {
		encoded := idp.Response(but(func(s *samltest.Spec) { s.Sign = sign }))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sp.Verify(encoded, expected); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRefuse is what somebody without a key can make us do.
func BenchmarkRefuse(b *testing.B) {
	idp := newIdP(b)
	sp := newSP(b, idp)
	for name, encoded := range map[string]string{
		"unsolicited":  idp.Response(but(func(s *samltest.Spec) { s.InResponseTo = "" })),
		"too large":    strings.Repeat("A", 100_001),
		"DOCTYPE":      idp.Response(raw(before("<!DOCTYPE r>"))),
		"width bomb":   base64Of("<a>" + strings.Repeat("<a/>", 18_000) + "</a>"),
		"depth bomb":   base64Of(strings.Repeat("<a>", 24_000)),
		"text bomb":    base64Of("<a>" + strings.Repeat("a&amp;", 12_000) + "</a>"),
		"forged":       idp.Response(tampering(samltest.SetText(subject+"/NameID", "admin"))),
		"XSW3 (count)": idp.Response(but(func(s *samltest.Spec) { s.AfterSigning = samltest.Wrappings()[2].Attack })),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sp.Verify(encoded, expected); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}

// BenchmarkFloor is the least that verifying can cost: one RSA-2048
// verification and the hash of a response.
func BenchmarkFloor(b *testing.B) {
	idp := newIdP(b)
	xml := idp.XML(right())
	sum := sha256.Sum256(xml)
	key := idp.Key().Private
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		sum := sha256.Sum256(xml)
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature); err != nil {
			b.Fatal(err)
		}
	}
}
