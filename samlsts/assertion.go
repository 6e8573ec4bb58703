package samlsts

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

// AWS's attributes (IAM user guide, "Configure SAML assertions for the
// authentication response"). Their names are case-sensitive.
const (
	awsAttributes        = "https://aws.amazon.com/SAML/Attributes/"
	roleAttribute        = awsAttributes + "Role"
	sessionNameAttribute = awsAttributes + "RoleSessionName"
	durationAttribute    = awsAttributes + "SessionDuration"
	sourceAttribute      = awsAttributes + "SourceIdentity"
	tagAttributes        = awsAttributes + "PrincipalTag:"
	transitiveAttribute  = awsAttributes + "TransitiveTagKeys"
)

// assertion is what the IdP said, taken from the verified element. Nothing of
// it has been compared with anything yet.
type assertion struct {
	issuer       string
	nameID       string // empty where there is none
	nameIDFormat string
	recipient    string
	audiences    []string
	attributes   map[string][]string

	issued       time.Time // the earlier IssueInstant
	notBefore    time.Time // the latest stated; zero where none is
	notOnOrAfter time.Time // the earliest stated, SubjectConfirmationData's at least
	sessionEnd   time.Time // SessionNotOnOrAfter; zero where none is stated
}

// readAssertion reads a verified assertion, and the response's IssueInstant.
func readAssertion(v *verified) (*assertion, error) {
	statements, err := v.assertion.follow(assertionModel)
	if err != nil {
		return nil, err
	}
	a := &assertion{}
	if a.issuer, err = content(v.assertion.only(samlName("Issuer"))); err != nil {
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return a.readIssued(v) },
		func() error { return a.readSubject(v.assertion.only(samlName("Subject"))) },
		func() error { return a.readConditions(v.assertion.only(samlName("Conditions"))) },
		func() error { return a.readStatements(statements) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// content is the text of an element that has nothing but text in it, and some.
func content(el *element) (string, error) {
	if el == nil || !el.leaf() || el.text == "" || strings.TrimSpace(el.text) != el.text {
		return "", errors.New("a value is missing, given twice, or has blanks around it")
	}
	return el.text, nil
}

var utc = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$`)

// instant reads a time as SAML writes it, in UTC (SAML core, section 1.3.3).
func instant(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || !utc.MatchString(text) {
		return time.Time{}, errors.New("is not a time in UTC like 2026-01-31T09:00:00Z")
	}
	return at, nil
}

// moment reads the attribute of an element that holds a time; the zero time
// where it is not stated.
func moment(el *element, attribute string) (time.Time, error) {
	text, stated := el.attr(attribute)
	if !stated {
		return time.Time{}, nil
	}
	at, err := instant(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s of %s %w", attribute, el.local, err)
	}
	return at, nil
}

// readIssued takes the earlier of the two IssueInstants: AWS does not say
// which one starts its five minutes. An unverified one can only shorten them.
func (a *assertion) readIssued(v *verified) error {
	for _, el := range []*element{v.assertion, v.response} {
		at, err := moment(el, "IssueInstant")
		if err != nil {
			return err
		}
		if at.IsZero() {
			return fmt.Errorf("%s has no IssueInstant", el.local)
		}
		if a.issued.IsZero() || at.Before(a.issued) {
			a.issued = at
		}
	}
	return nil
}

// within narrows the time in which the assertion is valid.
func (a *assertion) within(el *element) error {
	from, err := moment(el, "NotBefore")
	if err != nil {
		return err
	}
	until, err := moment(el, "NotOnOrAfter")
	if err != nil {
		return err
	}
	if from.After(a.notBefore) {
		a.notBefore = from
	}
	if !until.IsZero() && (a.notOnOrAfter.IsZero() || until.Before(a.notOnOrAfter)) {
		a.notOnOrAfter = until
	}
	return nil
}

// readSubject reads the NameID and the one bearer confirmation that AWS wants.
func (a *assertion) readSubject(subject *element) error {
	if id := subject.only(samlName("NameID")); id != nil {
		var err error
		if a.nameID, err = content(id); err != nil {
			return fmt.Errorf("NameID: %w", err)
		}
		a.nameIDFormat, _ = id.attr("Format")
	}
	confirmation := subject.only(samlName("SubjectConfirmation"))
	if confirmation == nil {
		return errors.New("there is not exactly one SubjectConfirmation")
	}
	if method, _ := confirmation.attr("Method"); method != bearer {
		return errors.New("the SubjectConfirmation is not one for a bearer")
	}
	data := confirmation.only(samlName("SubjectConfirmationData"))
	if data == nil {
		return errors.New("there is not exactly one SubjectConfirmationData")
	}
	if a.recipient, _ = data.attr("Recipient"); a.recipient == "" {
		return errors.New("SubjectConfirmationData has no Recipient")
	}
	if _, stated := data.attr("NotOnOrAfter"); !stated {
		return errors.New("SubjectConfirmationData has no NotOnOrAfter")
	}
	return a.within(data)
}

// readConditions reads time and audiences. A condition that is not understood
// makes the assertion's validity indeterminate (SAML core, section 2.5.1.1).
func (a *assertion) readConditions(conditions *element) error {
	for _, condition := range conditions.children {
		switch condition.name {
		case samlName("AudienceRestriction"), samlName("OneTimeUse"), samlName("ProxyRestriction"):
		default:
			return fmt.Errorf("there is a condition %.60s, which is not understood", condition.local)
		}
	}
	restrictions := conditions.all(samlName("AudienceRestriction"))
	if len(restrictions) > 1 {
		return errors.New("there are several AudienceRestrictions")
	}
	for _, restriction := range restrictions {
		for _, el := range restriction.children {
			audience, err := content(el)
			if err != nil || el.name != samlName("Audience") {
				return errors.New("the AudienceRestriction has something other than an Audience in it")
			}
			a.audiences = append(a.audiences, audience)
		}
	}
	return a.within(conditions)
}

// readStatements reads the one AuthnStatement and the one AttributeStatement.
func (a *assertion) readStatements(statements []*element) error {
	found := make(map[name]int)
	for _, statement := range statements {
		found[statement.name]++
		var err error
		switch statement.name {
		case samlName("AuthnStatement"):
			a.sessionEnd, err = moment(statement, "SessionNotOnOrAfter")
		case samlName("AttributeStatement"):
			a.attributes, err = attributes(statement)
		default:
			err = fmt.Errorf("there is a %.60s, which does not belong there", statement.local)
		}
		if err != nil {
			return err
		}
	}
	if found[samlName("AuthnStatement")] != 1 || found[samlName("AttributeStatement")] != 1 {
		return errors.New("there is not exactly one AuthnStatement and one AttributeStatement")
	}
	return nil
}

// attributes reads the attributes by their exact names. Of AWS's, each value
// must be plain text; a name that is given twice is refused.
func attributes(statement *element) (map[string][]string, error) {
	read := make(map[string][]string)
	for _, el := range statement.children {
		key, stated := el.attr("Name")
		if el.name != samlName("Attribute") || !stated {
			return nil, errors.New("the AttributeStatement has something other than an Attribute with a Name in it")
		}
		if _, twice := read[key]; twice {
			return nil, errors.New("an attribute is given twice")
		}
		read[key] = []string{}
		for _, value := range el.children {
			if value.name != samlName("AttributeValue") {
				return nil, errors.New("an Attribute has something other than an AttributeValue in it")
			}
			if strings.HasPrefix(key, awsAttributes) && !value.leaf() {
				return nil, errors.New("a value of one of AWS's attributes is not plain text")
			}
			read[key] = append(read[key], value.text)
		}
	}
	return read, nil
}

// pairs are the values of the attribute Role that are pairs of one account.
// The others grant nothing.
func (a *assertion) pairs() []rolePair {
	var pairs []rolePair
	for _, value := range a.attributes[roleAttribute] {
		if pair, ok := parseRolePair(value); ok {
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

var sessionNamePattern = regexp.MustCompile(`^[a-zA-Z_0-9+=,.@-]{2,64}$`)

// sessionName is the one value of RoleSessionName.
func (a *assertion) sessionName() (string, error) {
	values := a.attributes[sessionNameAttribute]
	if len(values) == 0 {
		return "", invalid("RoleSessionName is required in AuthnResponse")
	}
	if len(values) > 1 || !sessionNamePattern.MatchString(values[0]) {
		return "", invalid("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
	}
	return values[0], nil
}

// sessionDuration is AWS's SessionDuration, which can only shorten; zero where
// it is not given.
func (a *assertion) sessionDuration() (time.Duration, error) {
	values, given := a.attributes[durationAttribute]
	if !given {
		return 0, nil
	}
	if len(values) == 1 {
		seconds, err := strconv.Atoi(values[0])
		if err == nil && seconds >= minSeconds && seconds <= maxSeconds {
			return time.Duration(seconds) * time.Second, nil
		}
	}
	return 0, invalid("SessionDuration in AuthnResponse must be a number of seconds from %d to %d", minSeconds, maxSeconds)
}

// tagged reports whether the assertion sets session tags or SourceIdentity.
func (a *assertion) tagged() bool {
	for key := range a.attributes {
		if strings.HasPrefix(key, tagAttributes) || key == transitiveAttribute || key == sourceAttribute {
			return true
		}
	}
	return false
}

// subjectType is the NameID's format as STS reports it: without the prefix of
// SAML 2.0's own formats.
func (a *assertion) subjectType() string {
	if a.nameIDFormat == "" {
		return "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	}
	return strings.TrimPrefix(a.nameIDFormat, "urn:oasis:names:tc:SAML:2.0:nameid-format:")
}
