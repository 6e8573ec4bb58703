package saml_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/saml/samltest"
)

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
