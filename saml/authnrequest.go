package saml

import (
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
)

// AuthnRequestOptions are what differs from login to login.
type AuthnRequestOptions struct {
	// ForceAuthn asks the IdP to make the person prove again who they are.
	ForceAuthn bool
	// IsPassive asks the IdP to ask the person nothing: it says no where it
	// would have to.
	IsPassive bool
	// RelayState comes back with the response, unsigned: it may be a random
	// name for something that we keep, never the thing itself. At most 80
	// bytes (SAML bindings §3.4.3). Empty: none.
	RelayState string
}

// maxRelayState is SAML's bound; IdPs cut off what is longer.
const maxRelayState = 80

// authnRequest is deliberately small. It has no RequestedAuthnContext unless
// one is configured, because it fails people who came by another method than
// the one asked for (Entra AADSTS75011), and no NameIDPolicy, which fails where
// no rule issues the format asked for.
type authnRequest struct {
	XMLName      xml.Name          `xml:"samlp:AuthnRequest"`
	SAMLP        string            `xml:"xmlns:samlp,attr"`
	SAML         string            `xml:"xmlns:saml,attr"`
	ID           string            `xml:"ID,attr"`
	Version      string            `xml:"Version,attr"`
	IssueInstant string            `xml:"IssueInstant,attr"`
	Destination  string            `xml:"Destination,attr"`
	ForceAuthn   bool              `xml:"ForceAuthn,attr,omitempty"`
	IsPassive    bool              `xml:"IsPassive,attr,omitempty"`
	ACS          string            `xml:"AssertionConsumerServiceURL,attr"`
	Binding      string            `xml:"ProtocolBinding,attr"`
	Issuer       string            `xml:"saml:Issuer"`
	Context      *requestedContext `xml:"samlp:RequestedAuthnContext"`
}

// requestedContext asks for one of several ways to authenticate, exactly.
type requestedContext struct {
	Comparison string   `xml:"Comparison,attr"`
	Classes    []string `xml:"saml:AuthnContextClassRef"`
}

// AuthnRequest asks the IdP to sign somebody in, by the binding that is
// configured. The answer must name the message's ID.
func (sp *ServiceProvider) AuthnRequest(options AuthnRequestOptions) (*Message, error) {
	if refused := sp.configured(); refused != nil {
		return nil, refused
	}
	if refused := sp.IdP.Metadata.current(sp.now()); refused != nil {
		return nil, refused
	}
	if len(options.RelayState) > maxRelayState {
		return nil, fmt.Errorf("asking the IdP to sign in: the RelayState has %d bytes, more than %d", len(options.RelayState), maxRelayState)
	}
	to, post := sp.IdP.Metadata.SSO, sp.IdP.Metadata.SSOPost
	if sp.PostRequests {
		if to = ""; post == "" {
			return nil, fmt.Errorf("asking the IdP to sign in: the metadata of %q has no SingleSignOnService for the HTTP-POST binding: set binding to redirect", sp.IdP.Name)
		}
	}
	id, err := sp.newID()
	if err != nil {
		return nil, fmt.Errorf("asking the IdP to sign in: %w", err)
	}
	m, err := sp.sends(id, to, post, "SAMLRequest", options.RelayState, func(to string) any { return sp.authnRequest(id, to, options) })
	if err != nil {
		return nil, fmt.Errorf("asking the IdP to sign in: %w", err)
	}
	return m, nil
}

// authnRequest is the request itself.
func (sp *ServiceProvider) authnRequest(id, to string, options AuthnRequestOptions) authnRequest {
	request := authnRequest{
		SAMLP: protocolNS, SAML: assertionNS,
		ID: id, Version: "2.0", IssueInstant: stamp(sp.now()),
		Destination: to, ForceAuthn: options.ForceAuthn, IsPassive: options.IsPassive,
		ACS: sp.ACS, Binding: postBinding, Issuer: sp.EntityID,
	}
	if len(sp.AuthnContext) > 0 {
		request.Context = &requestedContext{Comparison: "exact", Classes: sp.AuthnContext}
	}
	return request
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
