package saml

import (
	"encoding/xml"
	"fmt"
)

// entityDescriptor is our own metadata. It has no key: IdPs encrypt as soon
// as they see one that could be for encryption, and we sign no requests. It
// has no validUntil, because an IdP's copy would run out, and no element that
// is empty of meaning, because AD FS refuses those.
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
	ACS                  indexedEndpoint `xml:"md:AssertionConsumerService"`
}

type indexedEndpoint struct {
	Binding   string `xml:"Binding,attr"`
	Location  string `xml:"Location,attr"`
	Index     int    `xml:"index,attr"`
	IsDefault bool   `xml:"isDefault,attr"`
}

// Metadata is what the IdP imports about us.
func (sp *ServiceProvider) Metadata() []byte {
	document, err := xml.MarshalIndent(entityDescriptor{
		MD:       metadataNS,
		EntityID: sp.EntityID,
		SP: spSSODescriptor{
			WantAssertionsSigned: true,
			Protocols:            protocolNS,
			ACS:                  indexedEndpoint{Binding: postBinding, Location: sp.ACS, IsDefault: true},
		},
	}, "", "  ")
	if err != nil {
		// Two strings and two booleans always marshal.
		panic(fmt.Sprintf("saml: writing metadata: %v", err))
	}
	return append([]byte(xml.Header), append(document, '\n')...)
}
