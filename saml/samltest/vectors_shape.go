package samltest

import (
	"strings"

	"github.com/beevik/etree"
)

// shapeVectors have a right signature over a response in which an element or
// an attribute is missing, stands twice, or does not belong there: two readers
// could see two things in it. gosaml2 alone takes most of them.
func shapeVectors() []Vector {
	const once, known = "threats facts §2.4: duplicates, last wins for some", "SAML core, cut to what is read"
	sts := func(v Vector, why string) Vector { v.STS = why; return v }
	missing := func(path, code string) Vector {
		return Vector{Name: "no " + last(path), After: "An element that readers take for granted", Code: code, Change: Signing(Remove(path))}
	}
	twice := func(path, code string) Vector {
		return Vector{Name: "two of " + last(path), After: once, Code: code, Change: Signing(Duplicate(path, nil))}
	}
	more := func(path, xml, name string) Vector {
		return Vector{Name: name + " in " + last(path), After: known, Code: "saml_structure", Change: Signing(Insert(path, xml))}
	}
	without := func(path, attr, code string) Vector {
		return Vector{Name: last(path) + " without " + attr, After: "An attribute that readers take for granted", Code: code, Change: Signing(RemoveAttr(path, attr))}
	}
	text := func(path string) Vector {
		return Vector{Name: "text in " + last(path), After: "Mixed content: which text counts", Code: "saml_structure", Change: Signing(func(d *etree.Document) { find(d, path).CreateText("x") })}
	}
	const (
		confirmation, conditions, authn = "saml_subject_confirmation", "saml_conditions", "saml_authn_statement"
		restriction, statement, value   = "saml_audience_restriction", "saml_attribute_statement", "saml_attribute_value"
		lenient                         = "it reads no AuthnContext, status message or text between elements"
		optional                        = "the response's Issuer is optional in SAML core §3.2.2"
	)
	return []Vector{
		sts(missing(atResponse+"/Issuer", "saml_issuer"), optional), twice(atResponse+"/Issuer", "saml_issuer"),
		missing(atAssertion+"/Issuer", "saml_issuer"), twice(atAssertion+"/Issuer", "saml_issuer"),
		missing(atStatus, "saml_status"), twice(atStatus, "saml_status"), missing(atStatus+"/StatusCode", "saml_status"), twice(atStatus+"/StatusCode", "saml_status"),
		missing(atSubject, "saml_subject"), twice(atSubject, "saml_subject"), missing(atNameID, "saml_name_id"),
		{Name: "two NameIDs, the second forged", After: "GO-2026-6909 (crewjam/saml): the last NameID wins", Code: "saml_name_id", Change: Signing(Duplicate(atNameID, func(e *etree.Element) { e.SetText(Attacker) }))},
		{Name: "two NameIDs, both alike", After: once, Code: "saml_name_id", Change: Signing(Duplicate(atNameID, nil))},
		missing(atConfirmation, confirmation), twice(atConfirmation, confirmation), missing(atData, confirmation), twice(atData, confirmation),
		{Name: "two SubjectConfirmations, one for AWS", After: "protocol facts: merged, the last wins (gosaml2)", Code: confirmation, Change: Signing(Duplicate(atConfirmation, func(e *etree.Element) {
			e.SelectElement("SubjectConfirmationData").CreateAttr("Recipient", "https://signin.aws.amazon.com/saml")
		}))},
		missing(atConditions, conditions), twice(atConditions, conditions),
		sts(missing(atRestriction, restriction), ""), twice(atRestriction, restriction), missing(atRestriction+"/Audience", restriction),
		missing(atAuthn, authn), twice(atAuthn, authn), sts(missing(atContext, authn), lenient), sts(twice(atContext, authn), lenient),
		sts(twice(atContext+"/AuthnContextClassRef", authn), lenient),
		missing(atAttributes, statement), twice(atAttributes, statement),
		{Name: "two of Role", After: "Keycloak without Single Role Attribute (failures facts I25)", Code: "saml_duplicate_attribute", Change: Signing(Duplicate(atRole, nil))},
		{Name: "two of Role, the second another", After: "protocol facts: the last attribute wins (gosaml2)", Code: "saml_duplicate_attribute", Change: Signing(Duplicate(atRole, func(e *etree.Element) {
			e.SelectElement("AttributeValue").SetText(SceneOtherRole + "," + SceneProvider)
		}))},
		{Name: "two of another attribute", After: "protocol facts: the last attribute wins (gosaml2)", Code: "saml_duplicate_attribute", Sibling: func(s *Spec) { s.Attributes = []Attribute{{Name: "a", Values: []string{"1"}}} }, Change: func(s *Spec) { s.Attributes = append(s.Attributes, Attribute{Name: "a", Values: []string{"2"}}) }},
		{Name: "a Role of elements", After: "Issue 6: xs:type and NameID nesting in a role's value", Code: value, Change: Signing(Insert(atRole+"/AttributeValue", `<saml:NameID>x</saml:NameID>`))},
		{Name: "a role within a NameID", After: "Issue 6: xs:type and NameID nesting in a role's value", Code: value, Change: Signing(func(d *etree.Document) {
			pair := find(d, atRole+"/AttributeValue")
			pair.SetText("")
			pair.CreateElement("saml:NameID").SetText(SceneRole + "," + SceneProvider)
		})},
		{Name: "two NameIDs in a value, both alike", After: "SAML core §2.7.3.1: values of any type", Code: value, Sibling: Signing(Insert(atAttributes, targetedID)), Change: Signing(Duplicate(atAttributes+"/Attribute[@Name='id']/AttributeValue/NameID", nil)), STS: "it keeps the text of other attributes only"},
		{Name: "another attribute without Name", After: "An attribute that readers take for granted", Code: "saml_structure", Sibling: Signing(Insert(atAttributes, targetedID)), Change: Signing(RemoveAttr(atAttributes+"/Attribute[@Name='id']", "Name"))},
		{Name: "two NameIDs in a value", After: "SAML core §2.7.3.1: values of any type", Code: value, Sibling: Signing(Insert(atAttributes, targetedID)), Change: Signing(Insert(atAttributes+"/Attribute[@Name='id']/AttributeValue", `<saml:NameID>d</saml:NameID>`)), STS: "it keeps the text of other attributes only"},
		{Name: "an attribute of another kind in the statement", After: "SAML core §2.7.3: EncryptedAttribute", Code: "saml_structure", Change: Signing(Insert(atAttributes, `<saml:Audience>x</saml:Audience>`))},
		{Name: "an element in an attribute", After: known, Code: "saml_structure", Change: Signing(Insert(atRole, `<saml:Audience>x</saml:Audience>`))},
		{Name: "4,097 values", After: "A bomb of values", Code: "saml_elements", Change: func(s *Spec) {
			s.Attributes = []Attribute{{Name: "g", Values: strings.Fields(strings.Repeat("g ", 600))}}
		}, STS: "its bound is 4,096 elements"},
		{Name: "a confirmation that begins later", After: "SAML profiles §4.1.4.2: no NotBefore for a bearer", Code: confirmation, Change: Signing(SetAttr(atData, "NotBefore", "2026-03-14T12:00:00Z")), STS: "it reads NotBefore there and finds that it has passed"},
		{Name: "a holder of a key", After: "SAML profiles §3.1: holder-of-key", Code: confirmation, Change: Signing(SetAttr(atConfirmation, "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"))},
		{Name: "a sender that vouches", After: "SAML profiles §3.2: sender-vouches", Code: confirmation, Change: Signing(SetAttr(atConfirmation, "Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"))},
		{Name: "an empty method", After: "SAML core §2.4.1.1", Code: confirmation, Change: Signing(SetAttr(atConfirmation, "Method", ""))},
		{Name: "an assertion used once", After: "protocol facts: OneTimeUse is reported only (gosaml2)", Code: "saml_one_time_use", Change: Signing(Insert(atConditions, `<saml:OneTimeUse/>`)), STS: "it is not known to honour OneTimeUse; AWS hands the same assertion to many roles"},
		{Name: "an assertion for one proxy", After: "protocol facts: ProxyRestriction is reported only (gosaml2)", Code: "saml_proxy_restriction", Change: Signing(Insert(atConditions, `<saml:ProxyRestriction Count="0"/>`)), STS: "it passes the assertion on to nobody"},
		more(atConditions, `<saml:Condition/>`, "a condition that nobody knows"), more(atAssertion, `<saml:AuthzDecisionStatement/>`, "a decision"),
		sts(more(atResponse, `<samlp:Extensions/>`, "Extensions"), ""), sts(more(atSubject, `<saml:BaseID/>`, "a BaseID"), "it reads the NameID and passes over a BaseID"),
		{Name: "an element in the NameID", After: "CVE-2025-54419 (node-saml): nested text", Code: "saml_structure", Change: Signing(Insert(atNameID, `<saml:Audience>x</saml:Audience>`))},
		{Name: "an element in the Issuer", After: known, Code: "saml_structure", Change: Signing(Insert(atAssertion+"/Issuer", `<saml:Audience>x</saml:Audience>`))},
		{Name: "an element in the Audience", After: known, Code: "saml_structure", Change: Signing(Insert(atRestriction+"/Audience", `<saml:Audience>x</saml:Audience>`))},
		sts(Vector{Name: "a key in the confirmation", After: "SAML profiles §3.1: holder-of-key", Code: "saml_structure", Change: Signing(Insert(atData, `<ds:KeyInfo xmlns:ds="`+SignatureNS+`"/>`))}, "it reads the bearer's attributes only"),
		sts(Vector{Name: "a detail of the status", After: known, Code: "saml_structure", Change: Signing(Insert(atStatus, `<samlp:StatusDetail/>`))}, lenient),
		sts(text(atConditions), lenient), sts(text(atSubject), lenient), sts(text(atAssertion), lenient), sts(text(atAttributes), lenient), sts(text(atResponse), lenient),
		without(atResponse, "ID", "saml_header"), without(atResponse, "Version", "saml_header"), without(atResponse, "IssueInstant", "saml_header"),
		without(atAssertion, "Version", "saml_header"), without(atAssertion, "IssueInstant", "saml_header"),
		{Name: "Assertion without ID", After: "CVE-2020-27846 (crewjam): nothing to refer to", Code: "saml_header", Sibling: responseSigned, Change: Signing(RemoveAttr(atAssertion, "ID"))},
		without(atConfirmation, "Method", confirmation), without(atData, "Recipient", confirmation), without(atData, "NotOnOrAfter", confirmation),
		sts(without(atConditions, "NotBefore", conditions), "NotBefore is optional in SAML core §2.5.1"), sts(without(atConditions, "NotOnOrAfter", conditions), "the confirmation's end bounds the assertion"),
		sts(without(atAuthn, "AuthnInstant", authn), lenient), without(atRole, "Name", "saml_structure"), without(atStatus+"/StatusCode", "Value", "saml_status"),
		{Name: "SAML 1.1", After: "CVE-2022-39299 family: a version that is not read", Code: "saml_version", Change: Signing(SetAttr(atResponse, "Version", "1.1"))},
		{Name: "an assertion of another version", After: "SAML core §4.1.3", Code: "saml_version", Change: Signing(SetAttr(atAssertion, "Version", "2.1"))},
		{Name: "an AttributeStatement of nothing", After: known, Code: statement, Change: Signing(func(d *etree.Document) { find(d, atAttributes).Child = nil })},
		{Name: "65 audiences", After: "A bomb of values", Code: restriction, Sibling: audiences(64), Change: audiences(65), STS: "it bounds the elements of the whole only"},
		{Name: "two OneTimeUses", After: once, Code: "saml_one_time_use", Change: Signing(Insert(atConditions, `<saml:OneTimeUse/>`), Insert(atConditions, `<saml:OneTimeUse/>`)), STS: "it is not known to honour OneTimeUse; AWS hands the same assertion to many roles"},
		{Name: "two ProxyRestrictions", After: once, Code: "saml_proxy_restriction", Change: Signing(Insert(atConditions, `<saml:ProxyRestriction/>`), Insert(atConditions, `<saml:ProxyRestriction/>`)), STS: "it passes the assertion on to nobody"},
		{Name: "a ProxyRestriction for 65", After: "A bomb of values", Code: "saml_proxy_restriction", Change: Signing(Insert(atConditions, `<saml:ProxyRestriction>`+strings.Repeat("<saml:Audience>x</saml:Audience>", 65)+`</saml:ProxyRestriction>`)), STS: "it passes the assertion on to nobody"},
		sts(Vector{Name: "two localities", After: once, Code: authn, Sibling: Signing(Insert(atAuthn, `<saml:SubjectLocality/>`)), Change: Signing(Insert(atAuthn, `<saml:SubjectLocality/>`))}, lenient),
		sts(Vector{Name: "two declarations", After: once, Code: authn, Sibling: Signing(Insert(atContext, declaration)), Change: Signing(Insert(atContext, declaration))}, lenient),
		sts(Vector{Name: "65 authorities", After: "A bomb of values", Code: authn, Sibling: authorities(64), Change: authorities(1)}, lenient),
		sts(Vector{Name: "two status messages", After: once, Code: "saml_status", Sibling: Signing(Insert(atStatus, `<samlp:StatusMessage/>`)), Change: Signing(Insert(atStatus, `<samlp:StatusMessage/>`))}, lenient),
		sts(Vector{Name: "two nested status codes", After: once, Code: "saml_status", Sibling: Signing(Insert(atStatus+"/StatusCode", `<samlp:StatusCode Value="x"/>`)), Change: Signing(Insert(atStatus+"/StatusCode", `<samlp:StatusCode Value="y"/>`))}, lenient),
		sts(Vector{Name: "a nested status code without a value", After: known, Code: "saml_structure", Change: Signing(Insert(atStatus+"/StatusCode", `<samlp:StatusCode/>`))}, lenient),
		{Name: "an encrypted NameID", After: "SAML core §2.2.4", Code: "saml_encrypted", Change: Signing(Remove(atNameID), Insert(atSubject, `<saml:EncryptedID/>`))},
		{Name: "an encrypted attribute", After: "SAML core §2.7.3.2", Code: "saml_encrypted", Change: Signing(Insert(atAttributes, `<saml:EncryptedAttribute/>`))},
	}
}

const targetedID = `<saml:Attribute Name="id"><saml:AttributeValue><saml:NameID>abc</saml:NameID></saml:AttributeValue></saml:Attribute>`

// last is the end of a path, with its parent where that tells two apart.
func last(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "./"), "/")
	if len(parts) == 2 {
		return parts[0] + "/" + parts[1]
	}
	if i := strings.Index(path, "[@Name="); i >= 0 {
		return "the attribute Role"
	}
	return parts[len(parts)-1]
}

const declaration = `<saml:AuthnContextDeclRef>x</saml:AuthnContextDeclRef>`

func audiences(n int) func(*Spec) {
	return func(s *Spec) {
		s.Audiences = append(strings.Fields(strings.Repeat("https://x.example.com ", n-1)), AWSAudience)
	}
}

func authorities(n int) func(*Spec) {
	return Signing(func(d *etree.Document) {
		for range n {
			find(d, atContext).CreateElement("saml:AuthenticatingAuthority").SetText("x")
		}
	})
}
