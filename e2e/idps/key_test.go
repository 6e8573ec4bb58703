//go:build idps

package idps

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/rolepass/rolepass/saml/samltest"
)

// keyPair is a key in the file that Rolepass and the token service read, and its
// certificate as Keycloak takes it.
type keyPair struct{ file, certificate string }

// newKeyPair writes a new key below the hospital.
func (h *hospital) newKeyPair(name string) (keyPair, error) {
	key, err := samltest.NewKey(2048)
	if err != nil {
		return keyPair{}, err
	}
	text, err := key.MarshalPEM()
	if err != nil {
		return keyPair{}, err
	}
	secrets.KeepFile(text)
	file := filepath.Join(h.dir, name+".pem")
	return keyPair{file, base64.StdEncoding.EncodeToString(key.Certificate.Raw)}, os.WriteFile(file, text, 0o600)
}

// encryptionCertificate is one that nobody here has the key of.
func encryptionCertificate(t *testing.T) string {
	t.Helper()
	key, err := samltest.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(key.Certificate.Raw)
}
