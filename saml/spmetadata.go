package saml

import (
	"encoding/base64"
	"encoding/xml"
)

// entityDescriptor is our own metadata. Its keys are for signing only: IdPs
// encrypt as soon as they see one that could be for encryption. It has no
// validUntil, because an IdP's copy would run out, and no element that is empty
// of meaning, because AD FS refuses those.
type entityDescriptor struct {
	XMLName  xml.Name        `xml:"md:EntityDescriptor"`
	MD       string          `xml:"xmlns:md,attr"`
	EntityID string          `xml:"entityID,attr"`
	SP       spSSODescriptor `xml:"md:SPSSODescriptor"`
}

type spSSODescriptor struct {
	AuthnRequestsSigned  bool            `xml:"AuthnRequestsSigned,attr"`
	WantAssertionsSigned bool            `xml:"WantAssertionsSigned,attr"`
	Protocols            string          `xml:"protocolSupportEnumeration,attr"`
	Keys                 []keyDescriptor `xml:"md:KeyDescriptor"`
	SLO                  []endpointElement
	ACS                  indexedEndpoint `xml:"md:AssertionConsumerService"`
}

type keyDescriptor struct {
	Use         string `xml:"use,attr"`
	DS          string `xml:"xmlns:ds,attr"`
	Certificate string `xml:"ds:KeyInfo>ds:X509Data>ds:X509Certificate"`
}

type endpointElement struct {
	XMLName  xml.Name `xml:"md:SingleLogoutService"`
	Binding  string   `xml:"Binding,attr"`
	Location string   `xml:"Location,attr"`
}

type indexedEndpoint struct {
	Binding   string `xml:"Binding,attr"`
	Location  string `xml:"Location,attr"`
	Index     int    `xml:"index,attr"`
	IsDefault bool   `xml:"isDefault,attr"`
}

// Metadata is what the IdP imports about us.
func (sp *ServiceProvider) Metadata() []byte {
	role := spSSODescriptor{
		AuthnRequestsSigned:  len(sp.Keys) > 0,
		WantAssertionsSigned: true,
		Protocols:            protocolNS,
		ACS:                  indexedEndpoint{Binding: postBinding, Location: sp.ACS, IsDefault: true},
	}
	for _, key := range sp.Keys {
		role.Keys = append(role.Keys, keyDescriptor{Use: "signing", DS: signatureNS, Certificate: base64.StdEncoding.EncodeToString(key.Certificate.Raw)})
	}
	if sp.logsOut() {
		for _, binding := range []string{redirectBinding, postBinding} {
			role.SLO = append(role.SLO, endpointElement{Binding: binding, Location: sp.SLO})
		}
	}
	document, err := xml.MarshalIndent(entityDescriptor{MD: metadataNS, EntityID: sp.EntityID, SP: role}, "", "  ")
	if err != nil {
		panic(err) // strings and booleans always marshal
	}
	return append([]byte(xml.Header), append(document, '\n')...)
}
