package samltest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"sync"
	"time"
)

// Key is an RSA key with the self-signed certificate that IdPs publish.
type Key struct {
	Private     *rsa.PrivateKey
	Certificate *x509.Certificate
}

// processKey is the key of every IdP that asks for none of its own: making
// one takes a noticeable part of a second.
var processKey = sync.OnceValues(func() (*Key, error) { return NewKey(2048) })

// NewKey makes a key of so many bits. Its certificate is valid from 2000 to
// 2100, so that a test may live at any time.
func NewKey(bits int) (*Key, error) {
	return NewKeyValid(bits, date(2000), date(2100))
}

func date(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }

// NewKeyValid is NewKey with the validity of the certificate.
func NewKeyValid(bits int, notBefore, notAfter time.Time) (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("making the test IdP's key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("making the test IdP's key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "samltest"},
		NotBefore:    notBefore,
		NotAfter:     notAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, fmt.Errorf("making the test IdP's certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("making the test IdP's certificate: %w", err)
	}
	return &Key{Private: private, Certificate: certificate}, nil
}

// MarshalPEM is the private key (PKCS #8) followed by the certificate.
func (k *Key) MarshalPEM() ([]byte, error) {
	private, err := x509.MarshalPKCS8PrivateKey(k.Private)
	if err != nil {
		return nil, fmt.Errorf("writing the test IdP's key: %w", err)
	}
	var out bytes.Buffer
	for _, block := range []*pem.Block{
		{Type: "PRIVATE KEY", Bytes: private},
		{Type: "CERTIFICATE", Bytes: k.Certificate.Raw},
	} {
		if err := pem.Encode(&out, block); err != nil {
			return nil, fmt.Errorf("writing the test IdP's key: %w", err)
		}
	}
	return out.Bytes(), nil
}

// ParseKey reads what MarshalPEM wrote.
func ParseKey(data []byte) (*Key, error) {
	var key Key
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if err := key.take(block); err != nil {
			return nil, fmt.Errorf("reading the test IdP's key: %w", err)
		}
	}
	if key.Private == nil || key.Certificate == nil {
		return nil, errors.New("reading the test IdP's key: a PRIVATE KEY and a CERTIFICATE block are needed")
	}
	if !key.Private.PublicKey.Equal(key.Certificate.PublicKey) {
		return nil, errors.New("reading the test IdP's key: the certificate is for another key")
	}
	return &key, nil
}

func (k *Key) take(block *pem.Block) error {
	switch block.Type {
	case "PRIVATE KEY":
		private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return err
		}
		rsaKey, ok := private.(*rsa.PrivateKey)
		if !ok {
			return fmt.Errorf("the key is a %T, not RSA", private)
		}
		k.Private = rsaKey
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return err
		}
		k.Certificate = certificate
	}
	return nil
}

// KeyFile reads the key at path, or makes one and writes it there with mode
// 0600, so that an IdP keeps its key over restarts.
func KeyFile(path string) (*Key, error) {
	data, err := os.ReadFile(path)
	if err == nil {
		return ParseKey(data)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the test IdP's key: %w", err)
	}
	key, err := NewKey(2048)
	if err != nil {
		return nil, err
	}
	if data, err = key.MarshalPEM(); err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return nil, fmt.Errorf("keeping the test IdP's key: %w", err)
	}
	return key, nil
}

func base64Of(der []byte) string { return base64.StdEncoding.EncodeToString(der) }
