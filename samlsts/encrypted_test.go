package samlsts_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/samlsts"
)

// encrypting is a right response of the scene whose assertion is encrypted.
func encrypting(change func(*samltest.Spec, *samltest.Encryption)) samltest.Spec {
	how := samltest.Encryption{For: samltest.SceneDecryption()}
	for _, v := range samltest.Catalogue() {
		if v.Code == "saml_encrypted" { // its sibling is right, and plain
			spec, _ := v.Accepted()
			change(&spec, &how)
			spec.Encrypt = &how
			return spec
		}
	}
	panic("the catalogue has no vector of encryption")
}

// keyFile writes a key as an operator has it, with its certificate.
func keyFile(t *testing.T, key *samltest.Key) string {
	t.Helper()
	text, err := key.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, text)
}

func writeFile(t *testing.T, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "decryption.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// An encrypted assertion is accepted where the provider has the key for which
// it was encrypted, and by no other provider.
func TestOnlyTheSameKeyOpensAnAssertion(t *testing.T) {
	idp, err := samltest.Scene()
	if err != nil {
		t.Fatal(err)
	}
	r, now := newReaders(t, idp), samltest.SceneNow()
	for name, change := range map[string]func(*samltest.Spec, *samltest.Encryption){
		"response and assertion signed": func(*samltest.Spec, *samltest.Encryption) {},
		"only the assertion signed":     func(s *samltest.Spec, _ *samltest.Encryption) { s.Sign = samltest.SignAssertion },
		"as Keycloak does": func(_ *samltest.Spec, e *samltest.Encryption) {
			e.Transport, e.Digest, e.MGF = samltest.OAEP, samltest.SHA256, samltest.Encryption11NS+"mgf1sha256"
		},
		"by AES-128": func(_ *samltest.Spec, e *samltest.Encryption) { e.Content = samltest.AES128GCM },
	} {
		t.Run(name, func(t *testing.T) {
			r.keyed.t, r.plain.t = t, t
			encoded := idp.Response(encrypting(change))
			if said := r.keyed.hears(encoded, now); said == nil || said.subject != "4711" {
				t.Errorf("with the key: %+v (%s)", said, r.keyed.last().Why)
			}
			if said := r.plain.hears(encoded, now); said != nil || !strings.Contains(r.plain.last().Message, "no key to decrypt it") {
				t.Errorf("without a key: %+v, %s", said, r.plain.last().Message)
			}
		})
	}
	t.Run("for another key", func(t *testing.T) {
		other, err := samltest.NewKey(2048)
		if err != nil {
			t.Fatal(err)
		}
		r.keyed.t = t
		encoded := idp.Response(encrypting(func(_ *samltest.Spec, e *samltest.Encryption) { e.For = other }))
		if said := r.keyed.hears(encoded, now); said != nil || !strings.Contains(r.keyed.last().Message, "cannot be decrypted") || len(r.keyed.orders) > 0 {
			t.Errorf("with another key: %+v, %s", said, r.keyed.last().Message)
		}
	})
}

// Whatever keeps a ciphertext from being opened, the caller reads the same.
func TestTheEndpointIsNoOracle(t *testing.T) {
	idp, err := samltest.Scene()
	if err != nil {
		t.Fatal(err)
	}
	r := newReaders(t, idp)
	said, tried := map[string]bool{}, 0
	for _, v := range samltest.Catalogue() {
		if v.Code != "saml_decryption" {
			continue
		}
		tried++
		spec, now := v.Refused()
		if r.keyed.hears(idp.Response(spec), now) != nil {
			t.Errorf("%s: accepted", v.Name)
		}
		last := r.keyed.last()
		said[last.Code+last.Message+last.Why] = true
	}
	if tried < 20 || len(said) != 1 {
		t.Errorf("%d ciphertexts are answered in %d ways: %v", tried, len(said), said)
	}
}

func TestDecryptionKeyProblems(t *testing.T) {
	whole, err := os.ReadFile(keyFile(t, samltest.SceneDecryption()))
	if err != nil {
		t.Fatal(err)
	}
	small, err := samltest.NewKey(1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"none there":           filepath.Join(t.TempDir(), "none.pem"),
		"empty":                writeFile(t, nil),
		"only the certificate": writeFile(t, whole[bytes.Index(whole, []byte("-----BEGIN CERTIFICATE")):]),
		"a key that is cut":    writeFile(t, bytes.Replace(whole, []byte("\n"), []byte("\nAAAA\n"), 1)),
		"a key of 1024 bits":   keyFile(t, small),
	} {
		cfg := configure(t)
		cfg.Providers[0].DecryptionKeyFile = file
		_, err := samlsts.New(cfg)
		if err == nil || !strings.Contains(err.Error(), "decryption_key_file") || !strings.Contains(err.Error(), corp) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg := configure(t)
	cfg.Providers[0].DecryptionKeyFile = keyFile(t, samltest.SceneDecryption())
	if _, err := samlsts.New(cfg); err != nil {
		t.Errorf("a right key: %v", err)
	}
}
