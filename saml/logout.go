package saml

import (
	"encoding/xml"
	"fmt"
	"time"
)

// Subject is whom a logout is about: one session of one person at the IdP.
type Subject struct {
	NameID, NameIDFormat string
	// SessionIndex is empty when the IdP named none.
	SessionIndex string
}

// logsOut says whether there is single logout: unsigned messages would let
// anybody end sessions, so it needs a key.
func (sp *ServiceProvider) logsOut() bool { return sp.SLO != "" && len(sp.Keys) > 0 }

type logoutRequest struct {
	XMLName      xml.Name `xml:"samlp:LogoutRequest"`
	SAMLP        string   `xml:"xmlns:samlp,attr"`
	SAML         string   `xml:"xmlns:saml,attr"`
	ID           string   `xml:"ID,attr"`
	Version      string   `xml:"Version,attr"`
	IssueInstant string   `xml:"IssueInstant,attr"`
	Destination  string   `xml:"Destination,attr"`
	Issuer       string   `xml:"saml:Issuer"`
	NameID       nameIDElement
	SessionIndex string `xml:"samlp:SessionIndex,omitempty"`
}

type nameIDElement struct {
	XMLName xml.Name `xml:"saml:NameID"`
	Format  string   `xml:"Format,attr,omitempty"`
	Value   string   `xml:",chardata"`
}

type logoutResponse struct {
	XMLName      xml.Name   `xml:"samlp:LogoutResponse"`
	SAMLP        string     `xml:"xmlns:samlp,attr"`
	SAML         string     `xml:"xmlns:saml,attr"`
	ID           string     `xml:"ID,attr"`
	Version      string     `xml:"Version,attr"`
	IssueInstant string     `xml:"IssueInstant,attr"`
	Destination  string     `xml:"Destination,attr"`
	InResponseTo string     `xml:"InResponseTo,attr"`
	Issuer       string     `xml:"saml:Issuer"`
	Status       statusCode `xml:"samlp:Status>samlp:StatusCode"`
}

type statusCode struct {
	Value string `xml:"Value,attr"`
}

// LogoutRequest asks the IdP to end a person's session there. It is nil where
// the IdP has no single logout, or we have no key to sign with.
func (sp *ServiceProvider) LogoutRequest(who Subject) (*Message, error) {
	if refused := sp.configured(); refused != nil {
		return nil, refused
	}
	to, post := sp.IdP.Metadata.SLO, sp.IdP.Metadata.SLOPost
	if !sp.logsOut() || to == "" && post == "" {
		return nil, nil
	}
	id, err := sp.newID()
	if err != nil {
		return nil, fmt.Errorf("asking the IdP to sign out: %w", err)
	}
	m, err := sp.sends(id, to, post, "SAMLRequest", "", func(to string) any {
		return logoutRequest{
			SAMLP: protocolNS, SAML: assertionNS, ID: id, Version: "2.0", IssueInstant: stamp(sp.now()), Destination: to, Issuer: sp.EntityID,
			NameID: nameIDElement{Format: who.NameIDFormat, Value: who.NameID}, SessionIndex: who.SessionIndex,
		}
	})
	if err != nil {
		return nil, fmt.Errorf("asking the IdP to sign out: %w", err)
	}
	return m, nil
}

// LogoutResponse answers the IdP's request. It is nil where the IdP takes no
// answer.
func (sp *ServiceProvider) LogoutResponse(request *Logout, relayState string) (*Message, error) {
	if len(relayState) > maxRelayState {
		relayState = ""
	}
	to, post := sp.IdP.Metadata.SLOAnswer, sp.IdP.Metadata.SLOPostAnswer
	if !sp.logsOut() || to == "" && post == "" {
		return nil, nil
	}
	id, err := sp.newID()
	if err != nil {
		return nil, fmt.Errorf("answering the IdP's logout: %w", err)
	}
	m, err := sp.sends(id, to, post, "SAMLResponse", relayState, func(to string) any {
		return logoutResponse{
			SAMLP: protocolNS, SAML: assertionNS, ID: id, Version: "2.0", IssueInstant: stamp(sp.now()), Destination: to, Issuer: sp.EntityID,
			InResponseTo: request.ID, Status: statusCode{Value: success},
		}
	})
	if err != nil {
		return nil, fmt.Errorf("answering the IdP's logout: %w", err)
	}
	return m, nil
}

// Logout is a logout message of the IdP's, verified: a request, or the answer
// to one of ours.
type Logout struct {
	ID string
	// Answer is false for a request.
	Answer bool
	// NameID and NameIDFormat say whom a request is about, Sessions which of
	// their sessions; none means all.
	NameID, NameIDFormat string
	Sessions             []string
	// InResponseTo and Success are an answer's.
	InResponseTo string
	Success      bool
	// UsableUntil is when the message would be refused as too old: until then
	// the caller remembers that it was used.
	UsableUntil time.Time
}
