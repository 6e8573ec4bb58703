package samltest

import (
	"time"

	"github.com/beevik/etree"
)

// document builds the response, unsigned. The assertion declares its own
// namespaces, so that its signature survives being moved.
func (idp *IdP) document(spec Spec) *etree.Document {
	doc := etree.NewDocument()
	response := doc.CreateElement("samlp:Response")
	set(response, "xmlns:samlp", ProtocolNS)
	set(response, "xmlns:saml", AssertionNS)
	set(response, "ID", spec.ResponseID)
	set(response, "Version", "2.0")
	set(response, "IssueInstant", instant(spec.IssueInstant))
	set(response, "Destination", spec.Destination)
	set(response, "InResponseTo", spec.InResponseTo)
	text(response, "saml:Issuer", spec.Issuer)
	status(response, spec)
	if spec.Status == Success {
		assertion(response, spec)
	}
	return doc
}

func status(response *etree.Element, spec Spec) {
	status := response.CreateElement("samlp:Status")
	code := status.CreateElement("samlp:StatusCode")
	set(code, "Value", spec.Status)
	if spec.SubStatus != "" {
		set(code.CreateElement("samlp:StatusCode"), "Value", spec.SubStatus)
	}
	if spec.StatusMessage != "" {
		text(status, "samlp:StatusMessage", spec.StatusMessage)
	}
}

func assertion(response *etree.Element, spec Spec) {
	assertion := response.CreateElement("saml:Assertion")
	set(assertion, "xmlns:saml", AssertionNS)
	set(assertion, "xmlns:xs", SchemaNS)
	set(assertion, "xmlns:xsi", InstanceNS)
	set(assertion, "ID", spec.AssertionID)
	set(assertion, "Version", "2.0")
	set(assertion, "IssueInstant", instant(spec.IssueInstant))
	text(assertion, "saml:Issuer", spec.Issuer)
	subject(assertion, spec)
	conditions(assertion, spec)
	authnStatement(assertion, spec)
	attributeStatement(assertion, spec)
}

func subject(assertion *etree.Element, spec Spec) {
	subject := assertion.CreateElement("saml:Subject")
	if nameID := text(subject, "saml:NameID", spec.NameID); nameID != nil {
		set(nameID, "Format", spec.NameIDFormat)
	}
	confirmation := subject.CreateElement("saml:SubjectConfirmation")
	set(confirmation, "Method", Bearer)
	data := confirmation.CreateElement("saml:SubjectConfirmationData")
	set(data, "NotOnOrAfter", instant(spec.ConfirmationNotOnOrAfter))
	set(data, "Recipient", spec.Recipient)
	set(data, "InResponseTo", spec.InResponseTo)
}

func conditions(assertion *etree.Element, spec Spec) {
	conditions := assertion.CreateElement("saml:Conditions")
	set(conditions, "NotBefore", instant(spec.NotBefore))
	set(conditions, "NotOnOrAfter", instant(spec.NotOnOrAfter))
	if len(spec.Audiences) == 0 {
		return
	}
	restriction := conditions.CreateElement("saml:AudienceRestriction")
	for _, audience := range spec.Audiences {
		text(restriction, "saml:Audience", audience)
	}
}

func authnStatement(assertion *etree.Element, spec Spec) {
	statement := assertion.CreateElement("saml:AuthnStatement")
	set(statement, "AuthnInstant", instant(spec.AuthnInstant))
	set(statement, "SessionIndex", spec.AssertionID)
	if !spec.SessionNotOnOrAfter.IsZero() {
		set(statement, "SessionNotOnOrAfter", instant(spec.SessionNotOnOrAfter))
	}
	context := statement.CreateElement("saml:AuthnContext")
	text(context, "saml:AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport")
}

func attributeStatement(assertion *etree.Element, spec Spec) {
	statement := assertion.CreateElement("saml:AttributeStatement")
	if len(spec.Roles) > 0 {
		attribute(statement, Attribute{Name: RoleAttribute, Values: spec.Roles})
	}
	if spec.SessionName != Absent {
		attribute(statement, Attribute{Name: SessionNameAttribute, Values: []string{spec.SessionName}})
	}
	for _, extra := range spec.Attributes {
		attribute(statement, extra)
	}
}

func attribute(statement *etree.Element, a Attribute) {
	attribute := statement.CreateElement("saml:Attribute")
	set(attribute, "Name", a.Name)
	set(attribute, "NameFormat", "urn:oasis:names:tc:SAML:2.0:attrname-format:uri")
	for _, value := range a.Values {
		set(text(attribute, "saml:AttributeValue", value), "xsi:type", "xs:string")
	}
}

// set sets an attribute unless it is to be absent.
func set(element *etree.Element, name, value string) {
	if value != Absent {
		element.CreateAttr(name, value)
	}
}

// text adds a child with text unless it is to be absent; then it is nil.
func text(parent *etree.Element, tag, value string) *etree.Element {
	if value == Absent {
		return nil
	}
	child := parent.CreateElement(tag)
	child.SetText(value)
	return child
}

// instant is an xs:dateTime in UTC with milliseconds, as most IdPs write it.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
