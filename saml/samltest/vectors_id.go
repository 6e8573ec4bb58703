package samltest

import "strings"

// idVectors have IDs that could lead a signature to another element.
func idVectors() []Vector {
	const (
		twice = "CVE-2024-45409 (ruby-saml): one ID on two elements"
		other = "Attribute pollution (\"The Fragile Lock\", 2025): ID, Id and id"
		name  = "XML 1.0: an ID is a name"
	)
	assertionID := func(id string) func(*Spec) { return func(s *Spec) { s.AssertionID = id } }
	return []Vector{
		{Name: "one for both", After: twice, Code: "saml_duplicate_id", Sibling: all(responseSigned, fixedIDs), Change: assertionID("_r")},
		{Name: "Id on the subject", After: other, Code: "saml_id", Change: Signing(SetAttr(atSubject, "Id", "_x")), STS: "it refuses an ID that occurs twice only"},
		{Name: "id on the subject", After: other, Code: "saml_id", Change: Signing(SetAttr(atSubject, "id", "_x")), STS: "it refuses an ID that occurs twice only"},
		{Name: "Id on the subject, the assertion's", After: other, Code: "saml_id", Sibling: fixedIDs, Change: Signing(SetAttr(atSubject, "Id", "_a"))},
		{Name: "id besides the assertion's ID", After: other, Code: "saml_id", Change: Signing(SetAttr(atAssertion, "id", "_x"))},
		{Name: "Id besides the response's ID", After: other, Code: "saml_id", Change: Signing(SetAttr(atResponse, "Id", "_x"))},
		{Name: "ID on the status", After: other, Code: "saml_id", Change: Tampering(SetAttr(atStatus, "ID", "_x")), Sibling: assertionSigned, STS: "the status is not signed here, and it refuses an ID that occurs twice only"},
		{Name: "Id of the signature", After: "XML Signature §4.1: Signature has an Id", Code: "saml_id", Change: Tampering(SetAttr(atSignature, "Id", "_x")), Sibling: assertionSigned, STS: "no signature covers its own Id"},
		{Name: "a number", After: name, Code: "saml_id", Change: assertionID("4711")},
		{Name: "a path", After: name, Code: "saml_id", Change: assertionID("a/../b")},
		{Name: "a colon", After: name, Code: "saml_id", Change: assertionID("a:b")},
		{Name: "a blank in it", After: name, Code: "saml_id", Change: assertionID("_a b")},
		{Name: "a quote in it", After: "XPath injection by an ID", Code: "saml_id", Change: assertionID("_a' or '1'='1")},
		{Name: "257 characters", After: "A bound on what is remembered", Code: "saml_id", Sibling: assertionID("_" + strings.Repeat("a", 255)), Change: assertionID("_" + strings.Repeat("a", 256)), STS: "it remembers no IDs and bounds none"},
		{Name: "none in it", After: name, Code: "saml_id", Sibling: responseSigned, Change: Signing(SetAttr(atAssertion, "ID", ""))},
	}
}
