package samltest

import (
	"encoding/base64"
	"fmt"

	"github.com/beevik/etree"
)

// Metadata is the IdP's metadata document: one EntityDescriptor with a
// signing certificate for every key.
func (idp *IdP) Metadata() []byte {
	doc := etree.NewDocument()
	entity := doc.CreateElement("md:EntityDescriptor")
	set(entity, "xmlns:md", MetadataNS)
	set(entity, "entityID", idp.entityID)
	role := entity.CreateElement("md:IDPSSODescriptor")
	set(role, "WantAuthnRequestsSigned", "false")
	set(role, "protocolSupportEnumeration", ProtocolNS)
	for _, key := range append([]*Key{idp.key}, idp.announced...) {
		keyDescriptor(role, key)
	}
	if idp.slo != "" {
		for _, binding := range []string{redirectBinding, postBinding} {
			service := role.CreateElement("md:SingleLogoutService")
			set(service, "Binding", binding)
			set(service, "Location", idp.slo)
		}
	}
	text(role, "md:NameIDFormat", Persistent)
	for _, binding := range []string{redirectBinding, postBinding} {
		service := role.CreateElement("md:SingleSignOnService")
		set(service, "Binding", binding)
		set(service, "Location", idp.sso)
	}
	doc.Indent(2)
	raw, err := doc.WriteToBytes()
	if err != nil {
		panic(fmt.Sprintf("samltest: writing metadata: %v", err))
	}
	return raw
}

func keyDescriptor(role *etree.Element, key *Key) {
	descriptor := role.CreateElement("md:KeyDescriptor")
	set(descriptor, "use", "signing")
	info := descriptor.CreateElement("ds:KeyInfo")
	set(info, "xmlns:ds", SignatureNS)
	certificate := info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate")
	certificate.SetText(base64.StdEncoding.EncodeToString(key.Certificate.Raw))
}
