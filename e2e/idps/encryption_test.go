//go:build idps

package idps

import (
	"context"
	"errors"
	"net/http"
	"testing"
)

// How Keycloak says that something is encrypted.
const (
	xmlenc   = "http://www.w3.org/2001/04/xmlenc#"
	xmlenc11 = "http://www.w3.org/2009/xmlenc11#"
)

// encrypting has Keycloak encrypt for a certificate, with these settings beside
// its defaults, and stops that again.
func (h *hospital) encrypting(t *testing.T, certificate string, more map[string]string, do func()) {
	t.Helper()
	settings := map[string]string{"saml.encrypt": "true", "saml.encryption.certificate": certificate}
	back := map[string]string{"saml.encrypt": "false"}
	for name, value := range more {
		settings[name], back[name] = value, ""
	}
	if err := h.keycloak.sets(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.keycloak.sets(context.Background(), back); err != nil {
			t.Error(err)
		}
	}()
	do()
}

// withKey runs Rolepass with a key for what Keycloak encrypts.
func (h *hospital) withKey(t *testing.T, key keyPair, do func()) {
	t.Helper()
	err := h.WithIdPs(t.Context(), func(name string, settings map[string]any) {
		if name == "keycloak" {
			settings["decryption_key_file"] = key.file
		}
	}, do)
	if err != nil {
		t.Fatal(err)
	}
}

// isRefused signs in and gives whether that is refused for this reason.
func (h *hospital) isRefused(t *testing.T, code string) {
	t.Helper()
	before := h.saidSoFar(t)
	b := opensBrowser(t)
	got := b.sends(h.proves(b, h.chooses(b, "keycloak"), people[0]), nil)
	if got.StatusCode != http.StatusForbidden {
		t.Fatalf("the ACS answers %s", got.Status)
	}
	h.readsNothing(b)
	h.saidAfter(t, before, code)
}

// An encrypted assertion that we have no key for could be read by nobody: it is
// refused, and the log says which switch to turn.
func TestAnEncryptedAssertionIsRefusedWithAReason(t *testing.T) {
	h := running(t)
	h.encrypting(t, encryptionCertificate(t), nil, func() { h.isRefused(t, "saml_encrypted") })
}

// With the key, here and at the token service, an encrypted assertion is as good
// as a plain one: by Keycloak's defaults, and by the other ciphers that are
// authenticated.
func TestAnEncryptedAssertionIsReadWithTheKey(t *testing.T) {
	h := running(t)
	h.withKey(t, h.shared, func() {
		for name, how := range map[string]map[string]string{
			"by its defaults": nil,
			"AES-128, OAEP with SHA-1": {"saml.encryption.algorithm": xmlenc11 + "aes128-gcm", "saml.encryption.keyAlgorithm": xmlenc + "rsa-oaep-mgf1p",
				"saml.encryption.digestMethod": "http://www.w3.org/2000/09/xmldsig#sha1", "saml.encryption.maskGenerationFunction": ""},
			"OAEP with SHA-512": {"saml.encryption.keyAlgorithm": xmlenc11 + "rsa-oaep", "saml.encryption.digestMethod": xmlenc + "sha512",
				"saml.encryption.maskGenerationFunction": xmlenc11 + "mgf1sha512"},
		} {
			t.Run(name, func(t *testing.T) {
				h.encrypting(t, h.shared.certificate, how, func() {
					b := opensBrowser(t)
					form := h.proves(b, h.chooses(b, "keycloak"), people[0])
					if plain := responseOf(t, form); !plain.has("EncryptedAssertion") || plain.has("Assertion") {
						t.Fatal("Keycloak has not encrypted: this test shows nothing")
					}
					if entered := b.sends(form, nil); entered.StatusCode != http.StatusSeeOther {
						t.Fatalf("the ACS answers %s: %.300s\n%s", entered.Status, entered.body, tail(h.Demo.Logs["audit"]))
					}
					h.reads(b)
				})
			})
		}
		t.Run("plain all the same", func(t *testing.T) {
			b := opensBrowser(t)
			h.signsIn(b, people[0])
			h.reads(b)
		})
	})
}

// What has been an oracle elsewhere is refused before a key is used, though the
// key is there.
func TestCBCAndOldKeyTransportAreRefused(t *testing.T) {
	h := running(t)
	h.withKey(t, h.shared, func() {
		for name, how := range map[string]map[string]string{
			"AES-256 in CBC": {"saml.encryption.algorithm": xmlenc + "aes256-cbc"},
			"AES-128 in CBC": {"saml.encryption.algorithm": xmlenc + "aes128-cbc"},
			"PKCS #1 v1.5":   {"saml.encryption.keyAlgorithm": xmlenc + "rsa-1_5"},
		} {
			t.Run(name, func(t *testing.T) {
				h.encrypting(t, h.shared.certificate, how, func() { h.isRefused(t, "saml_encryption_algorithm") })
			})
		}
	})
}

// STS gets the response as Keycloak sent it. Where it has not the same key, it
// refuses what Rolepass could read, and nobody is signed in.
func TestTheTokenServiceNeedsTheSameKey(t *testing.T) {
	h := running(t)
	ours, err := h.newKeyPair("ours-alone")
	if err != nil {
		t.Fatal(err)
	}
	h.withKey(t, ours, func() {
		h.encrypting(t, ours.certificate, nil, func() { h.isRefused(t, "sts_refused") })
		calls, err := h.Exchanges()
		if err != nil {
			t.Fatal(errors.Join(err, errors.New("the token service's log")))
		}
		if last := calls[len(calls)-1]; last.Code != "InvalidIdentityToken" || last.AccessKeyID != "" {
			t.Errorf("the token service answers %+v", last)
		}
	})
}
