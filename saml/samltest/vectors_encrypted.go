package samltest

// encryptedVectors are for a service provider that has no key to decrypt
// with, which is the rule: STS needs the very same assertion.
func encryptedVectors() []Vector {
	const after = "SAML core §2.3.4; the padding oracles of CBC and PKCS #1 v1.5"
	return []Vector{
		{Name: "an empty one instead of the assertion", After: after, Code: "saml_encrypted", Sibling: responseSigned, Change: Signing(Remove(atAssertion), Insert(atResponse, `<saml:EncryptedAssertion/>`))},
		{Name: "an empty one besides the assertion", After: after, Code: "saml_encrypted", Change: Signing(Insert(atResponse, `<saml:EncryptedAssertion/>`))},
	}
}
