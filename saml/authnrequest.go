package saml

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// AuthnRequestOptions are what differs from login to login.
type AuthnRequestOptions struct {
	// ForceAuthn asks the IdP to make the person prove again who they are.
	ForceAuthn bool
	// RelayState comes back with the response, unsigned: it may be a random
	// name for something that we keep, never the thing itself. At most 80
	// bytes (SAML bindings §3.4.3). Empty: none.
	RelayState string
}

// maxRelayState is SAML's bound; IdPs cut off what is longer.
const maxRelayState = 80

// authnRequest is deliberately small. It has no RequestedAuthnContext, which
// fails people who came by another method than the one asked for (Entra
// AADSTS75011), and no NameIDPolicy, which fails where no rule issues the
// format asked for.
type authnRequest struct {
	XMLName      xml.Name `xml:"samlp:AuthnRequest"`
	SAMLP        string   `xml:"xmlns:samlp,attr"`
	SAML         string   `xml:"xmlns:saml,attr"`
	ID           string   `xml:"ID,attr"`
	Version      string   `xml:"Version,attr"`
	IssueInstant string   `xml:"IssueInstant,attr"`
	Destination  string   `xml:"Destination,attr"`
	ForceAuthn   bool     `xml:"ForceAuthn,attr,omitempty"`
	ACS          string   `xml:"AssertionConsumerServiceURL,attr"`
	Binding      string   `xml:"ProtocolBinding,attr"`
	Issuer       string   `xml:"saml:Issuer"`
}

// AuthnRequest asks the IdP to sign somebody in. It gives the request's ID,
// which the answer must name, and the address to which the browser is
// redirected (HTTP-Redirect binding, SAML bindings §3.4, unsigned).
func (sp *ServiceProvider) AuthnRequest(options AuthnRequestOptions) (id, location string, err error) {
	if refused := sp.configured(); refused != nil {
		return "", "", refused
	}
	if refused := sp.IdP.Metadata.current(sp.now()); refused != nil {
		return "", "", refused
	}
	if len(options.RelayState) > maxRelayState {
		return "", "", fmt.Errorf("asking the IdP to sign in: the RelayState has %d bytes, more than %d", len(options.RelayState), maxRelayState)
	}
	if id, err = sp.newID(); err != nil {
		return "", "", fmt.Errorf("asking the IdP to sign in: %w", err)
	}
	request, err := sp.deflated(id, options.ForceAuthn)
	if err != nil {
		return "", "", fmt.Errorf("asking the IdP to sign in: %w", err)
	}
	return id, redirect(sp.IdP.Metadata.SSO, request, options.RelayState), nil
}

// newID has 160 random bits, which is what SAML core §1.3.4 asks for, behind
// a letter, because an XML ID begins with none of the digits.
func (sp *ServiceProvider) newID() (string, error) {
	var random [20]byte
	if _, err := io.ReadFull(sp.rand(), random[:]); err != nil {
		return "", fmt.Errorf("reading random bytes: %w", err)
	}
	return "id-" + hex.EncodeToString(random[:]), nil
}

func (sp *ServiceProvider) deflated(id string, forceAuthn bool) ([]byte, error) {
	raw, err := xml.Marshal(authnRequest{
		SAMLP: protocolNS, SAML: assertionNS,
		ID: id, Version: "2.0", IssueInstant: stamp(sp.now()),
		Destination: sp.IdP.Metadata.SSO, ForceAuthn: forceAuthn,
		ACS: sp.ACS, Binding: postBinding, Issuer: sp.EntityID,
	})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// redirect appends to a query that the address may already have, as Google's
// (idpid=) does.
func redirect(sso string, request []byte, relayState string) string {
	separator := "?"
	if strings.Contains(sso, "?") {
		separator = "&"
	}
	query := "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(request))
	if relayState != "" {
		query += "&RelayState=" + url.QueryEscape(relayState)
	}
	return sso + separator + query
}
