package samltest

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxRequest bounds an inflated AuthnRequest; real ones have about 1 kB.
const maxRequest = 64 << 10

// AuthnRequest is what a service provider asks of the IdP.
type AuthnRequest struct {
	ID           string
	Issuer       string
	Destination  string
	IssueInstant time.Time
	// ACS is AssertionConsumerServiceURL.
	ACS string
	// ForceAuthn asks that the person proves again who they are.
	ForceAuthn bool
	// IsPassive asks that the person is not asked anything.
	IsPassive bool
	// RelayState goes back to the service provider untouched.
	RelayState string
}

// ParseAuthnRequest reads the AuthnRequest of the HTTP-Redirect binding (SAML
// bindings §3.4.4.1: DEFLATE, base64, query parameter SAMLRequest).
func ParseAuthnRequest(r *http.Request) (AuthnRequest, error) {
	request, err := readAuthnRequest(r.URL.Query().Get("SAMLRequest"))
	if err != nil {
		return AuthnRequest{}, fmt.Errorf("reading SAMLRequest: %w", err)
	}
	request.RelayState = r.URL.Query().Get("RelayState")
	return request, nil
}

// Inflate undoes the encoding of the HTTP-Redirect binding: the XML of one
// SAMLRequest.
func Inflate(encoded string) ([]byte, error) {
	if encoded == "" {
		return nil, errors.New("there is none")
	}
	deflated, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(deflated)), maxRequest+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxRequest {
		return nil, fmt.Errorf("it is larger than %d bytes", maxRequest)
	}
	return raw, nil
}

func readAuthnRequest(encoded string) (AuthnRequest, error) {
	raw, err := Inflate(encoded)
	if err != nil {
		return AuthnRequest{}, err
	}
	var request struct {
		XMLName      xml.Name  `xml:"urn:oasis:names:tc:SAML:2.0:protocol AuthnRequest"`
		ID           string    `xml:"ID,attr"`
		Version      string    `xml:"Version,attr"`
		IssueInstant time.Time `xml:"IssueInstant,attr"`
		Destination  string    `xml:"Destination,attr"`
		ACS          string    `xml:"AssertionConsumerServiceURL,attr"`
		ForceAuthn   bool      `xml:"ForceAuthn,attr"`
		IsPassive    bool      `xml:"IsPassive,attr"`
		Issuer       string    `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
	}
	if err := xml.Unmarshal(raw, &request); err != nil {
		return AuthnRequest{}, err
	}
	if request.ID == "" || request.Version != "2.0" || request.Issuer == "" {
		return AuthnRequest{}, errors.New("ID, Version 2.0 and Issuer are required")
	}
	return AuthnRequest{
		ID: request.ID, Issuer: request.Issuer, Destination: request.Destination, IssueInstant: request.IssueInstant,
		ACS: request.ACS, ForceAuthn: request.ForceAuthn, IsPassive: request.IsPassive,
	}, nil
}
