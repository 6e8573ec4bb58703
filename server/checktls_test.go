package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rolepass/rolepass/config"
)

// A Go client in Envoy's place: what Envoy itself does is in e2e/envoytest.
func TestOnlyEnvoyAsksBeyondThisMachine(t *testing.T) {
	dir := t.TempDir()
	ours, other := newAuthority(t, dir, "ours"), newAuthority(t, dir, "other")
	files := ours.issue(t, dir, "rolepass.internal")
	l, err := Door(t.Context(), &config.Config{
		Listen:   config.Listen{Network: "tcp", Address: "127.0.0.1:0"},
		CheckTLS: &config.CheckTLS{Certificate: files + ".crt", PrivateKey: files + ".key", CA: filepath.Join(dir, "ours.pem"), Name: "rolepass.internal", EnvoyName: "envoy.internal"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if conn.(*tls.Conn).HandshakeContext(t.Context()) == nil {
				_, _ = conn.Write([]byte("x"))
			}
			_ = conn.Close()
		}
	}()
	pool := x509.NewCertPool()
	pool.AddCert(ours.cert)
	asks := func(change func(*tls.Config), from *authority, names ...string) bool {
		c := &tls.Config{RootCAs: pool, ServerName: "rolepass.internal", NextProtos: []string{"h2"}}
		if from != nil {
			pair, err := tls.LoadX509KeyPair(from.issue(t, t.TempDir(), names...)+".crt", filepath.Join(from.last, names[0]+".key"))
			if err != nil {
				t.Fatal(err)
			}
			c.Certificates = []tls.Certificate{pair}
		}
		change(c)
		conn, err := tls.Dial("tcp", l.Addr().String(), c)
		if err != nil {
			return false
		}
		defer conn.Close()
		n, err := conn.Read(make([]byte, 1))
		return n == 1 && err == nil && conn.ConnectionState().NegotiatedProtocol == "h2"
	}
	same := func(*tls.Config) {}
	if !asks(same, ours, "envoy.internal") || !asks(same, ours, "also.internal", "envoy.internal") {
		t.Error("Envoy itself is refused")
	}
	for name, asked := range map[string]bool{
		"nobody":            asks(same, nil),
		"another name":      asks(same, ours, "grafana.internal"),
		"a longer name":     asks(same, ours, "envoy.internal.evil.test"),
		"another case":      asks(same, ours, "Envoy.internal"),
		"any name":          asks(same, ours, "*.internal"),
		"another authority": asks(same, other, "envoy.internal"),
		"TLS 1.1":           asks(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, ours, "envoy.internal"),
	} {
		if asked {
			t.Errorf("%s may ask", name)
		}
	}
	// A renewed certificate is shown without a restart.
	renewed := other.issue(t, dir, "rolepass.internal")
	if renewed != files || asks(same, ours, "envoy.internal") {
		t.Error("the certificate on disk is not the one that is shown")
	}
}

// Files that cannot be read stop the start, and not the first Check.
func TestWithoutItsCertificateItDoesNotListen(t *testing.T) {
	l, err := Door(t.Context(), &config.Config{
		Listen: config.Listen{Network: "tcp", Address: "127.0.0.1:0"}, CheckTLS: &config.CheckTLS{Certificate: "absent", PrivateKey: "absent", CA: "absent"}})
	if err == nil {
		_ = l.Close()
		t.Error("it listens")
	}
}

// authority issues certificates for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	last string // the directory of what was issued last
}

func newAuthority(t *testing.T, dir, name string) *authority {
	t.Helper()
	a := &authority{cert: &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}}
	a.sign(t, filepath.Join(dir, name), a)
	if err := os.Rename(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".pem")); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue writes NAME.crt and NAME.key for the names, and gives the path of NAME.
func (a *authority) issue(t *testing.T, dir string, names ...string) string {
	t.Helper()
	a.last = dir
	leaf := &authority{cert: &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}}
	leaf.sign(t, filepath.Join(dir, names[0]), a)
	return filepath.Join(dir, names[0])
}

// sign makes the key and has the certificate signed by the issuer.
func (a *authority) sign(t *testing.T, file string, issuer *authority) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a.key = key
	der, err := x509.CreateCertificate(rand.Reader, a.cert, issuer.cert, &key.PublicKey, issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{file + ".crt": {Type: "CERTIFICATE", Bytes: der}, file + ".key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
