//go:build idps

package idps

import (
	"encoding/base64"
	"testing"

	"github.com/rolepass/rolepass/saml/samltest"
)

// encryptionCertificate is one that nobody here has the key of.
func encryptionCertificate(t *testing.T) string {
	t.Helper()
	key, err := samltest.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(key.Certificate.Raw)
}
