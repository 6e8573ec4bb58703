package saml

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// SigningKey is a key of ours, with which requests and logout messages are
// signed, and the certificate by which IdPs know it. It never prints itself.
type SigningKey struct {
	Certificate *x509.Certificate
	private     *rsa.PrivateKey
}

// Format shows the certificate's fingerprint, whatever the verb.
func (k SigningKey) Format(f fmt.State, _ rune) {
	if k.Certificate != nil {
		_, _ = io.WriteString(f, "SAML key "+fingerprint(k.Certificate.Raw))
	}
}

// LogValue shows the certificate's fingerprint.
func (k SigningKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

const (
	signingBits = 3072
	// signingLife is how long a certificate of ours is valid. IdPs pin it, so
	// its end is a reminder to roll over and nothing else.
	signingLife = 5 * 365 * 24 * time.Hour
	// keySuffix ends the name of every file with a key of ours.
	keySuffix = ".pem"
)

// NewSigningKey writes a new key with its certificate into a directory, which
// it makes if need be, and gives the file's name. Names sort by time: the new
// key signs once the older ones are gone.
func NewSigningKey(dir string, now time.Time, random io.Reader) (string, error) {
	private, err := rsa.GenerateKey(random, signingBits)
	if err != nil {
		return "", fmt.Errorf("making a SAML key: %w", err)
	}
	serial := make([]byte, 16)
	if _, err := io.ReadFull(random, serial); err != nil {
		return "", fmt.Errorf("making a SAML key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), Subject: pkix.Name{CommonName: "Rolepass SAML"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(signingLife), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	certificate, err := x509.CreateCertificate(random, template, template, &private.PublicKey, private)
	if err != nil {
		return "", fmt.Errorf("making a SAML key's certificate: %w", err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", fmt.Errorf("making a SAML key: %w", err)
	}
	text := slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the directory of SAML keys: %w", err)
	}
	name := filepath.Join(dir, now.UTC().Format("20060102T150405.000000000Z")+keySuffix)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("writing a SAML key: %w", err)
	}
	_, err = file.Write(text)
	return name, errors.Join(err, file.Close())
}

// LoadSigningKeys reads every *.pem file of a directory, oldest first. The
// oldest signs and all are published, so that an IdP can learn a new key
// before anything is signed with it: add a key, let the IdP read our metadata,
// delete the old one.
func LoadSigningKeys(dir string) ([]*SigningKey, error) {
	entries, err := os.ReadDir(dir) // sorted by name: the oldest is the first
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing SAML keys: %w", err)
	}
	var keys []*SigningKey
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), keySuffix) {
			continue
		}
		name := filepath.Join(dir, entry.Name())
		key, err := readSigningKey(name)
		if err != nil {
			return nil, fmt.Errorf("reading SAML key %s: %w", name, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("no *%s file in %s: run `rolepass keys saml %s`", keySuffix, dir, dir)
	}
	return keys, nil
}

func readSigningKey(name string) (*SigningKey, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("it may be read by others (mode %04o): run `chmod 600 %s`", info.Mode().Perm(), name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parseSigningKey(text)
}

func parseSigningKey(text []byte) (*SigningKey, error) {
	key := &SigningKey{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, err
			}
			key.Certificate = certificate
		case "PRIVATE KEY":
			private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, errors.New("its PRIVATE KEY block is not PKCS #8")
			}
			key.private, _ = private.(*rsa.PrivateKey)
		}
	}
	switch {
	case key.private == nil || key.Certificate == nil:
		return nil, errors.New("it must hold a CERTIFICATE and a PRIVATE KEY block, RSA in PKCS #8")
	case !key.private.PublicKey.Equal(key.Certificate.PublicKey):
		return nil, errors.New("its certificate is for another key")
	}
	return key, strong(key.Certificate)
}

// sign signs bytes with RSA and SHA-256 (PKCS #1 v1.5), as XML signatures and
// the HTTP-Redirect binding have it.
func (k *SigningKey) sign(content []byte) ([]byte, error) {
	sum := sha256.Sum256(content)
	return rsa.SignPKCS1v15(nil, k.private, crypto.SHA256, sum[:])
}

// signedXML puts an enveloped signature behind the Issuer of a message, where
// SAML's schema wants it.
func (k *SigningKey) signedXML(document []byte) ([]byte, error) {
	root, err := etreeRoot(bytes.Clone(document))
	if err != nil {
		return nil, err
	}
	context, err := signingContext(k)
	if err != nil {
		return nil, err
	}
	signature, err := context.ConstructSignature(root, true)
	if err != nil {
		return nil, err
	}
	root.InsertChildAt(1, signature)
	return etreeBytes(root)
}
