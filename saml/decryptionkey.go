package saml

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// Decryption is the key for which an IdP encrypts its assertions, with the
// certificate that the IdP has of it.
type Decryption struct {
	key         *rsa.PrivateKey
	certificate []byte
}

// ParseDecryption reads a private RSA key (PKCS #8) and its certificate, both
// PEM, in one text. The error never repeats any of it.
func ParseDecryption(text []byte) (*Decryption, error) {
	d := &Decryption{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "PRIVATE KEY":
			parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			key, isRSA := parsed.(*rsa.PrivateKey)
			if err != nil || !isRSA {
				return nil, errors.New("its private key is not an RSA key in PKCS #8")
			}
			d.key = key
		case "CERTIFICATE":
			if d.certificate == nil {
				d.certificate = block.Bytes
			}
		}
	}
	return d, d.whole()
}

// whole wants key and certificate, and that they are of each other.
func (d *Decryption) whole() error {
	if d.key == nil || d.certificate == nil {
		return errors.New("it must have a PRIVATE KEY and its CERTIFICATE, both in PEM")
	}
	certificate, err := x509.ParseCertificate(d.certificate)
	if err != nil {
		return errors.New("its certificate cannot be read")
	}
	if !d.key.PublicKey.Equal(certificate.PublicKey) {
		return errors.New("its certificate is of another key")
	}
	if bits := d.key.N.BitLen(); bits < 2048 {
		return fmt.Errorf("its RSA key has %d bits; at least 2048 are needed", bits)
	}
	return nil
}

// String and its kin keep the key out of logs.
func (d *Decryption) String() string   { return "a decryption key" }
func (d *Decryption) GoString() string { return d.String() }
