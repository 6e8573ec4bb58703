package saml

import (
	"strings"
	"time"

	"github.com/rolepass/rolepass/refusal"
)

// statement is what a response says, taken out of its XML. It is read twice:
// by the scan from the raw bytes, and from the bytes that were signed as
// gosaml2 gives them. Both must say the same.
type statement struct {
	responseID           string
	responseIssuer       string
	responseInResponseTo string
	responseIssued       time.Time
	destination          string

	id           string
	issuer       string
	issued       time.Time
	nameID       string
	nameIDFormat string

	method         string
	recipient      string
	inResponseTo   string
	confirmedUntil time.Time

	notBefore    time.Time
	notOnOrAfter time.Time
	audiences    []string

	authenticated time.Time
	sessionUntil  time.Time
	sessionIndex  string
	authnContext  string

	attributes []attribute
}

// attribute is one SAML attribute; its values may be none.
type attribute struct {
	name   string
	values []string
}

// instants reads the times of one response and keeps the first thing that is
// wrong with any.
type instants struct{ refused *refusal.Refusal }

// read reads an xs:dateTime with a zone. Absent is the zero time: the grammar
// has seen to those that must be there.
func (i *instants) read(e *element, name string) time.Time {
	value, present := e.lookup(name)
	if !present || i.refused != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, value)
	if err != nil || t.Year() < 1970 {
		i.refused = malformed("saml_time", "%s of %s is %q, which is not a time such as 2026-01-31T12:00:00Z.", name, e.path(), shown(value))
		return time.Time{}
	}
	return t.UTC()
}

// read takes the statement from a response that has the right shape.
func read(root *element) (statement, *refusal.Refusal) {
	var at instants
	assertion := root.child(saml("Assertion"))
	nameID := assertion.child(saml("Subject"), saml("NameID"))
	confirmation := assertion.child(saml("Subject"), saml("SubjectConfirmation"))
	data := confirmation.child(saml("SubjectConfirmationData"))
	conditions := assertion.child(saml("Conditions"))
	authn := assertion.child(saml("AuthnStatement"))
	s := statement{
		responseID:           root.attr("ID"),
		responseIssuer:       root.child(saml("Issuer")).content(),
		responseInResponseTo: root.attr("InResponseTo"),
		responseIssued:       at.read(root, "IssueInstant"),
		destination:          root.attr("Destination"),

		id:           assertion.attr("ID"),
		issuer:       assertion.child(saml("Issuer")).content(),
		issued:       at.read(assertion, "IssueInstant"),
		nameID:       nameID.content(),
		nameIDFormat: nameID.attr("Format"),

		method:         confirmation.attr("Method"),
		recipient:      data.attr("Recipient"),
		inResponseTo:   data.attr("InResponseTo"),
		confirmedUntil: at.read(data, "NotOnOrAfter"),

		notBefore:    at.read(conditions, "NotBefore"),
		notOnOrAfter: at.read(conditions, "NotOnOrAfter"),

		authenticated: at.read(authn, "AuthnInstant"),
		sessionUntil:  at.read(authn, "SessionNotOnOrAfter"),
		sessionIndex:  authn.attr("SessionIndex"),
		authnContext:  authn.child(saml("AuthnContext"), saml("AuthnContextClassRef")).content(),
	}
	for _, audience := range conditions.child(saml("AudienceRestriction")).all(saml("Audience")) {
		s.audiences = append(s.audiences, audience.content())
	}
	for _, a := range assertion.child(saml("AttributeStatement")).all(saml("Attribute")) {
		s.attributes = append(s.attributes, readAttribute(a))
	}
	return s, at.refused
}

// readAttribute takes the text of each value, or the NameID in it, as
// eduPersonTargetedID has one.
func readAttribute(e *element) attribute {
	a := attribute{name: e.attr("Name")}
	for _, value := range e.all(saml("AttributeValue")) {
		if nested := value.child(saml("NameID")); nested != nil {
			value = nested
		}
		a.values = append(a.values, value.content())
	}
	return a
}

// values are the values of an attribute, and whether it is there at all.
func (s *statement) values(name string) ([]string, bool) {
	for _, a := range s.attributes {
		if a.name == name {
			return a.values, true
		}
	}
	return nil, false
}

// nearMiss is an attribute whose name differs from the one wanted in case
// only, or has its last part only.
func (s *statement) nearMiss(name string) string {
	last := name[strings.LastIndex(name, "/")+1:]
	for _, a := range s.attributes {
		if strings.EqualFold(a.name, name) || strings.EqualFold(a.name, last) || strings.HasSuffix(strings.ToLower(a.name), "/"+strings.ToLower(last)) {
			return a.name
		}
	}
	return ""
}
