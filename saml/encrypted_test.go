package saml_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// encryptedAs is a right response with an encrypted assertion.
func encryptedAs(change func(*samltest.Encryption)) samltest.Spec {
	how := samltest.Encryption{For: samltest.SceneDecryption()}
	change(&how)
	return but(func(s *samltest.Spec) { s.Encrypt = &how })
}

// TestEncryptedAssertions: with the key, what is authenticated and wrapped by
// OAEP is read as if it had been plain.
func TestEncryptedAssertions(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	sp.Decryption = sceneDecryption(t)
	for name, change := range map[string]func(*samltest.Encryption){
		"Keycloak's and Okta's": func(*samltest.Encryption) {},
		"AES-128":               func(e *samltest.Encryption) { e.Content = samltest.AES128GCM },
		"SHA-1 by name":         func(e *samltest.Encryption) { e.Digest = samltest.SHA1 },
		"OAEP with SHA-256": func(e *samltest.Encryption) {
			e.Transport, e.Digest, e.MGF = samltest.OAEP, samltest.SHA256, samltest.Encryption11NS+"mgf1sha256"
		},
		"OAEP with SHA-256 and the old mask": func(e *samltest.Encryption) { e.Transport, e.Digest = samltest.OAEP, samltest.SHA256 },
		"OAEP with SHA-512": func(e *samltest.Encryption) {
			e.Transport, e.Digest, e.MGF = samltest.OAEP, samltest.SHA512, samltest.Encryption11NS+"mgf1sha512"
		},
		"the name of the key": func(e *samltest.Encryption) {
			e.Edit = func(s *etree.Element) {
				s.FindElement("./EncryptedData/KeyInfo/EncryptedKey").CreateElement("ds:KeyInfo").CreateElement("ds:KeyName").SetText("k")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec := encryptedAs(change)
			a := accept(t, sp, idp.Response(spec), expected)
			if a.Principal.NameID != "4711" || len(a.Roles) != 1 {
				t.Errorf("read %+v with %v", a.Principal, a.Roles)
			}
		})
	}
	t.Run("plain all the same", func(t *testing.T) { accept(t, sp, idp.Response(right()), expected) })
	t.Run("only the assertion signed", func(t *testing.T) {
		spec := encryptedAs(func(*samltest.Encryption) {})
		spec.Sign = samltest.SignAssertion
		accept(t, sp, idp.Response(spec), expected)
	})
}

// TestDecryptionIsNoOracle: whatever keeps a ciphertext from being opened,
// what is said about it is the same, so that nobody learns from it.
func TestDecryptionIsNoOracle(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	sp.Decryption = sceneDecryption(t)
	said, tried := "", 0
	for _, v := range samltest.Catalogue() {
		if v.Code != "saml_decryption" {
			continue
		}
		tried++
		spec, _ := v.Refused()
		refused := refuse(t, sp, idp.Response(spec), expected, "saml_decryption")
		if text := fmt.Sprint(refused.Code, refused.Class, refused.Sentence, refused.Cause); said == "" {
			said = text
		} else if said != text {
			t.Errorf("%s: %q, and of others %q", v.Name, text, said)
		}
	}
	if tried < 20 {
		t.Errorf("%d broken ciphertexts were tried", tried)
	}
}

// TestADecryptionKey reads what an operator may give, and says what is wrong
// with the rest; neither shows the key.
func TestADecryptionKey(t *testing.T) {
	whole, err := samltest.SceneDecryption().MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	other, err := newKey(t).MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	small, err := samltest.NewKey(1024)
	if err != nil {
		t.Fatal(err)
	}
	short, err := small.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(whole, []byte("-----BEGIN CERTIFICATE"))
	for name, c := range map[string]struct {
		text []byte
		says string
	}{
		"nothing":                   {nil, "PRIVATE KEY"},
		"only the key":              {whole[:at], "CERTIFICATE"},
		"only the certificate":      {whole[at:], "PRIVATE KEY"},
		"another's certificate":     {append(bytes.Clone(whole[:at]), other[bytes.Index(other, []byte("-----BEGIN CERTIFICATE")):]...), "of another key"},
		"a key of 1024 bits":        {short, "1024 bits"},
		"a key that is cut":         {bytes.Replace(whole, []byte("\n"), []byte("\nAAAA\n"), 1), "PKCS #8"},
		"a certificate that is cut": {bytes.Replace(whole, []byte("CERTIFICATE-----\n"), []byte("CERTIFICATE-----\nAAAA\n"), 1), "certificate cannot be read"},
	} {
		if _, err := saml.ParseDecryption(c.text); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	key := sceneDecryption(t)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", key)
	if shown := fmt.Sprintf("%v %+v %#v %s", key, key, key, key) + log.String(); len(shown) > 300 || strings.Contains(shown, "[") {
		t.Errorf("shown is %s", shown)
	}
}

// TestStrangersCostNoDecryption: what answers no login of ours is refused for
// that, before its key is unwrapped.
func TestStrangersCostNoDecryption(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	sp.Decryption = sceneDecryption(t)
	spec := encryptedAs(func(e *samltest.Encryption) {
		e.Edit = func(s *etree.Element) { s.FindElement("./EncryptedData/CipherData/CipherValue").SetText("AAAA") }
	})
	spec.InResponseTo = "id-another"
	_, err := sp.Verify(idp.Response(spec), expected)
	if refused, ok := errors.AsType[*refusal.Refusal](err); !ok || refused.Code != "saml_in_response_to" {
		t.Errorf("%v", err)
	}
}
