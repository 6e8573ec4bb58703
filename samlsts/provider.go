package samlsts

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

const metadataNS = "urn:oasis:names:tc:SAML:2.0:metadata"

func md(local string) name { return name{metadataNS, local} }

// maxMetadata bounds a metadata file, in bytes. IAM takes 10,000,000
// characters; one IdP's own metadata has a few thousand.
const maxMetadata = 1 << 20

// provider is an IAM SAML provider: one IdP's registered metadata.
type provider struct {
	arn    iamARN
	entity string
	// certificates are the IdP's signing certificates. During a rollover
	// there are several.
	certificates []*x509.Certificate
	// validUntil is the zero time where the metadata states none.
	validUntil time.Time
	// key decrypts assertions; nil where none is registered.
	key *rsa.PrivateKey
}

// readProvider reads one provider of the configuration.
func readProvider(p Provider) (*provider, error) {
	arn, err := parseARN(p.ARN)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", p.ARN, err)
	}
	text, err := os.ReadFile(p.Metadata)
	if err != nil {
		return nil, fmt.Errorf("provider %s: reading metadata: %w", p.ARN, err)
	}
	read, err := parseMetadata(text)
	if err != nil {
		return nil, fmt.Errorf("provider %s: metadata %s: %w", p.ARN, p.Metadata, err)
	}
	read.arn = arn
	if p.DecryptionKeyFile != "" {
		if read.key, err = readDecryptionKey(p.DecryptionKeyFile); err != nil {
			return nil, fmt.Errorf("provider %s: %w", p.ARN, err)
		}
	}
	return read, nil
}

// parseMetadata reads an EntityDescriptor (SAML metadata, section 2.3.2). Its
// own signature is not looked at: an administrator vouches for the file, as
// with IAM.
func parseMetadata(text []byte) (*provider, error) {
	if len(text) > maxMetadata {
		return nil, fmt.Errorf("it has more than %d bytes", maxMetadata)
	}
	root, err := parseFile(text)
	if err != nil {
		return nil, err
	}
	if root.name != md("EntityDescriptor") {
		return nil, errors.New("its root is not an EntityDescriptor; save the metadata of this one IdP, not of a federation")
	}
	p := &provider{}
	if p.entity, _ = root.attr("entityID"); p.entity == "" {
		return nil, errors.New("it has no entityID")
	}
	descriptor := root.only(md("IDPSSODescriptor"))
	if descriptor == nil {
		return nil, errors.New("it has no IDPSSODescriptor, or several; is it the metadata of an identity provider?")
	}
	for _, el := range []*element{root, descriptor} {
		if err := p.until(el); err != nil {
			return nil, err
		}
	}
	return p, p.readKeys(descriptor)
}

// until takes the earlier validUntil.
func (p *provider) until(el *element) error {
	text, stated := el.attr("validUntil")
	if !stated {
		return nil
	}
	at, err := instant(text)
	if err != nil {
		return fmt.Errorf("its validUntil %w", err)
	}
	if p.validUntil.IsZero() || at.Before(p.validUntil) {
		p.validUntil = at
	}
	return nil
}

func (p *provider) readKeys(descriptor *element) error {
	for _, key := range descriptor.all(md("KeyDescriptor")) {
		if use, stated := key.attr("use"); stated && use != "signing" {
			continue
		}
		var err error
		key.walk(func(el *element) {
			if el.name == ds("X509Certificate") && err == nil {
				err = p.addCertificate(el.text)
			}
		})
		if err != nil {
			return err
		}
	}
	if len(p.certificates) == 0 {
		return errors.New("it has no certificate for signing; responses could not be verified")
	}
	return nil
}

func (p *provider) addCertificate(text string) error {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return fmt.Errorf("decoding a certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("reading a certificate: %w", err)
	}
	if key, ok := certificate.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < 2048 {
		return fmt.Errorf("a certificate has an RSA key of %d bits; have the IdP sign with 2048 or more", key.N.BitLen())
	}
	if !slices.ContainsFunc(p.certificates, certificate.Equal) {
		p.certificates = append(p.certificates, certificate)
	}
	return nil
}
