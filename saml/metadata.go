package saml

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rolepass/rolepass/refusal"
)

const (
	redirectBinding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	postBinding     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

// Metadata is what an IdP publishes about itself, as far as a sign-in needs
// it (SAML metadata §2.4.3).
type Metadata struct {
	// EntityID is the Issuer of everything that the IdP says.
	EntityID string
	// SSO is the SingleSignOnService for the HTTP-Redirect binding: https,
	// or http on a loopback address.
	SSO string
	// SSOPost is the one for the HTTP-POST binding; empty if there is none.
	SSOPost string
	// SLO and SLOPost are the SingleLogoutService for either binding, SLOAnswer
	// and SLOPostAnswer where its answers go. Empty if there is none.
	SLO, SLOAnswer         string
	SLOPost, SLOPostAnswer string
	// Certificates are the signing certificates, several during a rollover.
	// Their keys are pinned; nobody else's signature on them counts.
	Certificates []*x509.Certificate
	// ValidUntil is the zero time when the document states none.
	ValidUntil time.Time
	// WantAuthnRequestsSigned is what the IdP states. Keycloak states true
	// whatever the client's own setting is, so that it is worth a warning
	// and no more.
	WantAuthnRequestsSigned bool
	// ByteOrderMark is true when the document began with one. IAM refuses
	// such a file.
	ByteOrderMark bool
}

const (
	maxMetadata     = 1 << 20
	maxCertificates = 16
	minRSABits      = 2048
)

var metadataLimits = limits{depth: 64, elements: 8192, attributes: 64, comments: true}

// ParseMetadata reads the metadata of one IdP. It wants the EntityDescriptor
// of that IdP, not a federation's collection, and checks no signature on the
// document: where it came from must be trusted.
func ParseMetadata(document []byte) (*Metadata, error) {
	m, err := parseMetadata(document)
	if err != nil {
		return nil, fmt.Errorf("reading the IdP's metadata: %w", err)
	}
	return m, nil
}

func parseMetadata(document []byte) (*Metadata, error) {
	if len(document) > maxMetadata {
		return nil, fmt.Errorf("it has more than %d bytes; use the metadata of this one IdP and application, not a federation's", maxMetadata)
	}
	if bytes.HasPrefix(document, []byte("\xff\xfe")) || bytes.HasPrefix(document, []byte("\xfe\xff")) {
		return nil, errors.New("it is UTF-16, as PowerShell writes files: save it as UTF-8 without a byte order mark")
	}
	document, mark := bytes.CutPrefix(document, []byte("\ufeff"))
	document = bytes.TrimLeft(document, " \t\r\n")
	if len(document) == 0 || document[0] != '<' {
		return nil, errors.New("it is not XML; if it was fetched, look at what that address really answers")
	}
	if webPage(document) {
		return nil, errors.New("it is a web page, such as a sign-in page, and no metadata: take the address of the XML itself, or the file from the IdP's administration")
	}
	root, refused := scan(document, metadataLimits)
	if refused == nil {
		refused = stable(document)
	}
	if refused != nil {
		return nil, sentence(refused)
	}
	switch root.name {
	case md("EntityDescriptor"):
	case md("EntitiesDescriptor"):
		return nil, errors.New("it is an EntitiesDescriptor, a collection; use the EntityDescriptor of this one IdP")
	default:
		return nil, fmt.Errorf("it is a %q and not an EntityDescriptor; a sign-in page or another kind of metadata was given", shown(root.name.Local))
	}
	m, err := entity(root)
	if err != nil {
		return nil, err
	}
	m.ByteOrderMark = mark
	return m, nil
}

// webPage says that a document begins as HTML does, which is often no XML and has
// a DOCTYPE: what the reader of XML says of it would lead nobody to the address.
func webPage(document []byte) bool {
	for _, begin := range []string{"<!doctype html", "<html"} {
		if len(document) >= len(begin) && strings.EqualFold(string(document[:len(begin)]), begin) {
			return true
		}
	}
	return false
}

// sentence takes the code off a refusal: metadata is refused to an operator,
// in one place.
func sentence(refused *refusal.Refusal) error {
	if refused.Cause != nil {
		return fmt.Errorf("%s (%w)", refused.Sentence, refused.Cause)
	}
	return errors.New(refused.Sentence)
}

func entity(root *element) (*Metadata, error) {
	m := &Metadata{EntityID: root.attr("entityID")}
	if m.EntityID == "" || len(m.EntityID) > 1024 || strings.ContainsFunc(m.EntityID, unprintable) {
		return nil, errors.New("its entityID is empty, longer than 1024 characters or unprintable")
	}
	roles := slices.DeleteFunc(root.all(md("IDPSSODescriptor")), func(e *element) bool {
		return !slices.Contains(strings.Fields(e.attr("protocolSupportEnumeration")), protocolNS)
	})
	if len(roles) != 1 {
		return nil, fmt.Errorf("it has %d IDPSSODescriptors for SAML 2.0 and must have one; is it a service provider's metadata?", len(roles))
	}
	idp := roles[0]
	for _, step := range []func(*element, *Metadata) error{validUntil, signOn, signOut, certificates, wantSigned} {
		if err := step(idp, m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// validUntil takes the earlier end of the two that may be stated.
func validUntil(idp *element, m *Metadata) error {
	var at instants
	for _, e := range []*element{idp.parent, idp} {
		until := at.read(e, "validUntil")
		if !until.IsZero() && (m.ValidUntil.IsZero() || until.Before(m.ValidUntil)) {
			m.ValidUntil = until
		}
	}
	if at.refused != nil {
		return sentence(at.refused)
	}
	return nil
}

func signOn(idp *element, m *Metadata) error {
	var err error
	if m.SSOPost, _, err = service(idp, "SingleSignOnService", postBinding); err != nil {
		return err
	}
	if m.SSO, _, err = service(idp, "SingleSignOnService", redirectBinding); err != nil || m.SSO != "" {
		return err
	}
	return errors.New("it has no SingleSignOnService for the HTTP-Redirect binding; switch that binding on at the IdP")
}

// signOut reads the single logout services, which may be missing.
func signOut(idp *element, m *Metadata) error {
	var err error
	if m.SLO, m.SLOAnswer, err = service(idp, "SingleLogoutService", redirectBinding); err != nil {
		return err
	}
	m.SLOPost, m.SLOPostAnswer, err = service(idp, "SingleLogoutService", postBinding)
	return err
}

// service is the first address of a service for a binding, and where answers
// to it go.
func service(idp *element, name, binding string) (location, answers string, err error) {
	for _, e := range idp.all(md(name)) {
		if e.attr("Binding") != binding {
			continue
		}
		location, answers = e.attr("Location"), e.attr("ResponseLocation")
		if answers == "" {
			answers = location
		}
		for _, address := range []string{location, answers} {
			if err := endpoint(name, address); err != nil {
				return "", "", err
			}
		}
		return location, answers, nil
	}
	return "", "", nil
}

// endpoint accepts an absolute https URL, or http on a loopback address: the
// browser is sent there, so that nothing like javascript: may pass.
func endpoint(name, location string) error {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || strings.ContainsFunc(location, unprintable) {
		return fmt.Errorf("its %s %q is not a plain absolute URL", name, shown(location))
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("its %s %q is not https; plain http is for loopback addresses only", name, shown(location))
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// certificates takes every signing certificate that is good enough. One that
// is not is left out, so that nothing signed with it counts, as long as there
// is another.
func certificates(idp *element, m *Metadata) error {
	var weak error
	for _, e := range signingKeys(idp) {
		certificate, err := certificate(e.content())
		if err != nil {
			return err
		}
		if err := strong(certificate); err != nil {
			weak = err
		} else if !slices.ContainsFunc(m.Certificates, certificate.Equal) {
			m.Certificates = append(m.Certificates, certificate)
		}
	}
	switch n := len(m.Certificates); {
	case n == 0 && weak != nil:
		return weak
	case n == 0 || n > maxCertificates:
		return fmt.Errorf("it has %d signing certificates; one to %d are accepted", n, maxCertificates)
	}
	return nil
}

// signingKeys are the certificates for signing; a key without a use is for
// everything.
func signingKeys(idp *element) []*element {
	var found []*element
	for _, descriptor := range idp.all(md("KeyDescriptor")) {
		if use := descriptor.attr("use"); use != "" && use != "signing" {
			continue
		}
		for _, data := range descriptor.child(ds("KeyInfo")).all(ds("X509Data")) {
			found = append(found, data.all(ds("X509Certificate"))...)
		}
	}
	return found
}

func certificate(encoded string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(unfolded(encoded))
	if err != nil {
		return nil, fmt.Errorf("one of its certificates is not base64: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("one of its certificates cannot be read: %w", err)
	}
	return certificate, nil
}

// strong refuses keys whose signatures we would not take.
func strong(certificate *x509.Certificate) error {
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("the certificate %s has a key of the kind %s; let the IdP sign with RSA", fingerprint(certificate.Raw), certificate.PublicKeyAlgorithm)
	}
	if key.N.BitLen() < minRSABits {
		return fmt.Errorf("the certificate %s has an RSA key of %d bits; at least %d are needed", fingerprint(certificate.Raw), key.N.BitLen(), minRSABits)
	}
	return nil
}

func wantSigned(idp *element, m *Metadata) error {
	value := idp.attr("WantAuthnRequestsSigned")
	m.WantAuthnRequestsSigned = value == "true" || value == "1"
	return nil
}

// Ends is when nobody can sign in any more with this metadata, and what ends then: its
// validUntil, or the end of the last of its certificates, whichever is first.
func (m *Metadata) Ends() (end time.Time, what string) {
	for _, c := range m.Certificates {
		if c.NotAfter.After(end) {
			end, what = c.NotAfter, "its last signing certificate"
		}
	}
	if !m.ValidUntil.IsZero() && m.ValidUntil.Before(end) {
		end, what = m.ValidUntil, "its validUntil"
	}
	return end, what
}

// current refuses metadata whose time is over.
func (m *Metadata) current(now time.Time) *refusal.Refusal {
	if m.ValidUntil.IsZero() || now.Before(m.ValidUntil) {
		return nil
	}
	return forbidden("saml_metadata_expired", "The IdP's metadata was valid until %s only (validUntil); fetch it again, here and for IAM.", stamp(m.ValidUntil))
}
