package config_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"crypto/ecdsa"
	"crypto/elliptic"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/saml/samltest"
)

// end is when what the tests below read ends.
var end = time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)

// TestWhatEndsIsSaid: before, near and after the end of an IdP's certificate, of
// its validUntil, and of the certificate for Check.
func TestWhatEndsIsSaid(t *testing.T) {
	key, err := samltest.NewKeyValid(2048, end.AddDate(-1, 0, 0), end)
	if err != nil {
		t.Fatal(err)
	}
	ends, err := samltest.New(samltest.Options{EntityID: "https://idp.test", SSOURL: "https://idp.test/sso", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	lasting, err := samltest.New(samltest.Options{EntityID: "https://idp.test", SSOURL: "https://idp.test/sso"})
	if err != nil {
		t.Fatal(err)
	}
	valid := strings.Replace(string(lasting.Metadata()), "<md:EntityDescriptor ", `<md:EntityDescriptor validUntil="`+end.Format(time.RFC3339)+`" `, 1)
	fromFile := strings.Replace(minimal, "http://127.0.0.1:9003/metadata", "idp.xml", 1)
	withTLS := strings.Replace(fromFile, "keys: keys", "keys: keys\nlisten: 192.0.2.1:9001\ncheck_tls: {certificate: check.crt, private_key: check.key, ca: check.crt, name: r.test, envoy_name: e.test}", 1)
	for name, c := range map[string]struct{ text, metadata, says string }{
		"the IdP's certificate": {fromFile, string(ends.Metadata()), ":3: idps[0].metadata: "},
		"validUntil":            {fromFile, valid, "its validUntil"},
		"Check's certificate":   {withTLS, string(lasting.Metadata()), "check_tls.certificate"},
	} {
		dir := home(t)
		write(t, dir, "idp.xml", c.metadata, 0o600)
		checkCertificate(t, dir)
		read, err := load(t, dir, c.text, config.Everything)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, at := range []struct {
			now          time.Time
			over, ending int
		}{{end.AddDate(0, 0, -15), 0, 0}, {end.AddDate(0, 0, -14), 0, 1}, {end.Add(-time.Second), 0, 1}, {end, 1, 0}, {end.AddDate(1, 0, 0), 1, 0}} {
			over, ending := read.Endings(at.now)
			if len(over) != at.over || len(ending) != at.ending || !strings.Contains(append(over, ending...).Error(), c.says) && at.over+at.ending > 0 {
				t.Errorf("%s, at %v: over %v, ending %v", name, at.now, over, ending)
			}
		}
	}
}

// checkCertificate writes one for r.test that ends at end.
func checkCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"r.test"}, NotBefore: end.AddDate(-1, 0, 0), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "check.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o600)
	write(t, dir, "check.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), 0o600)
}
