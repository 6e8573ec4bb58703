package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/saml/samltest"
)

// TestADecryptionKeyIsReadAtLoad: a key that cannot be used stops the start,
// and the sentence shows nothing of it.
func TestADecryptionKeyIsReadAtLoad(t *testing.T) {
	key, err := samltest.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		says string
	}{
		"right":                {string(text), 0o600, ""},
		"read by everybody":    {string(text), 0o644, "may be read by everybody"},
		"only the private key": {strings.Split(string(text), "-----BEGIN CERT")[0], 0o600, "its CERTIFICATE"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "key.pem")
			if err := os.WriteFile(file, []byte(c.text), c.mode); err != nil {
				t.Fatal(err)
			}
			document := "public_url: https://label.example.com\nidps:\n  - name: corp\n    metadata: https://idp.example.com/metadata\n    audience: [urn:amazon:webservices]\n    decryption_key_file: " + file + "\n"
			loaded, err := config.Parse("rolepass.yaml", []byte(document), config.ForAssertion)
			switch {
			case c.says == "" && (err != nil || loaded.IdPs[0].Decryption == nil):
				t.Errorf("%v", err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%v; want it to say %q", err, c.says)
			}
		})
	}
}
