package saml

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/rolepass/rolepass/refusal"
)

// kind says what may stand inside one element.
type kind struct {
	// text may stand there; otherwise only white space.
	text bool
	// attrs are the attributes without a namespace that must be present.
	attrs []string
	// foreign attributes, from the namespaces in foreignAttributes, may
	// stand there.
	foreign  bool
	children []part
}

// part is a child element and how often it may occur. A count outside of that
// is refused under its own code.
type part struct {
	name     xml.Name
	min, max int
	code     refusal.Code
}

// foreignAttributes are the namespaces from which IdPs put attributes onto
// attributes: AD FS says who issued a claim, Shibboleth how LDAP wrote it.
var foreignAttributes = []string{
	instanceNS,
	"http://schemas.xmlsoap.org/ws/2009/09/identity/claims",
	"urn:oasis:names:tc:SAML:2.0:profiles:attribute:X500",
}

const many = 4096

// language is what may stand where, by the names of elements.
type language map[xml.Name]kind

// grammar is the language of responses that are read, SAML 2.0 core cut down
// to what a web browser sign-in needs (profiles §4.1.4.2) and what IAM asks
// for. What has no rule here has no place in a response.
var grammar = language{
	samlp("Response"): {attrs: []string{"ID", "Version", "IssueInstant"}, children: []part{
		{saml("Issuer"), 1, 1, "saml_issuer"}, {ds("Signature"), 0, 1, "saml_signature_place"},
		{samlp("Status"), 1, 1, "saml_status"}, {saml("Assertion"), 1, 1, "saml_assertion_count"}}},
	samlp("Status"): {children: []part{
		{samlp("StatusCode"), 1, 1, "saml_status"}, {samlp("StatusMessage"), 0, 1, "saml_status"}}},
	samlp("StatusCode"):    {attrs: []string{"Value"}, children: []part{{samlp("StatusCode"), 0, 1, "saml_status"}}},
	samlp("StatusMessage"): {text: true},

	saml("Assertion"): {attrs: []string{"ID", "Version", "IssueInstant"}, children: []part{
		{saml("Issuer"), 1, 1, "saml_issuer"}, {ds("Signature"), 0, 1, "saml_signature_place"},
		{saml("Subject"), 1, 1, "saml_subject"}, {saml("Conditions"), 1, 1, "saml_conditions"},
		{saml("AuthnStatement"), 1, 1, "saml_authn_statement"}, {saml("AttributeStatement"), 1, 1, "saml_attribute_statement"}}},
	saml("Issuer"): {text: true},
	saml("Subject"): {children: []part{
		{saml("NameID"), 1, 1, "saml_name_id"}, {saml("SubjectConfirmation"), 1, 1, "saml_subject_confirmation"}}},
	saml("NameID"):                  {text: true},
	saml("SubjectConfirmation"):     {attrs: []string{"Method"}, children: []part{{saml("SubjectConfirmationData"), 1, 1, "saml_subject_confirmation"}}},
	saml("SubjectConfirmationData"): {attrs: []string{"NotOnOrAfter", "Recipient"}},
	saml("Conditions"): {attrs: []string{"NotBefore", "NotOnOrAfter"}, children: []part{
		{saml("AudienceRestriction"), 1, 1, "saml_audience_restriction"},
		{saml("OneTimeUse"), 0, 1, "saml_one_time_use"}, {saml("ProxyRestriction"), 0, 1, "saml_proxy_restriction"}}},
	saml("AudienceRestriction"): {children: []part{{saml("Audience"), 1, 64, "saml_audience_restriction"}}},
	saml("Audience"):            {text: true},
	saml("OneTimeUse"):          {},
	saml("ProxyRestriction"):    {children: []part{{saml("Audience"), 0, 64, "saml_proxy_restriction"}}},
	saml("AuthnStatement"): {attrs: []string{"AuthnInstant"}, children: []part{
		{saml("SubjectLocality"), 0, 1, "saml_authn_statement"}, {saml("AuthnContext"), 1, 1, "saml_authn_statement"}}},
	saml("SubjectLocality"): {},
	saml("AuthnContext"): {children: []part{
		{saml("AuthnContextClassRef"), 0, 1, "saml_authn_statement"}, {saml("AuthnContextDeclRef"), 0, 1, "saml_authn_statement"},
		{saml("AuthenticatingAuthority"), 0, 64, "saml_authn_statement"}}},
	saml("AuthnContextClassRef"):    {text: true},
	saml("AuthnContextDeclRef"):     {text: true},
	saml("AuthenticatingAuthority"): {text: true},
	saml("AttributeStatement"):      {children: []part{{saml("Attribute"), 1, many, "saml_attribute_statement"}}},
	saml("Attribute"):               {attrs: []string{"Name"}, foreign: true, children: []part{{saml("AttributeValue"), 0, many, "saml_attribute_value"}}},
	saml("AttributeValue"):          {text: true, foreign: true, children: []part{{saml("NameID"), 0, 1, "saml_attribute_value"}}},

	ds("Signature"): {children: []part{
		{ds("SignedInfo"), 1, 1, "saml_signed_info"}, {ds("SignatureValue"), 1, 1, "saml_signed_info"}, {ds("KeyInfo"), 0, 1, "saml_certificate"}}},
	ds("SignedInfo"): {children: []part{
		{ds("CanonicalizationMethod"), 1, 1, "saml_canonicalization"}, {ds("SignatureMethod"), 1, 1, "saml_algorithm"},
		{ds("Reference"), 1, 1, "saml_reference"}}},
	ds("CanonicalizationMethod"): {attrs: []string{"Algorithm"}},
	ds("SignatureMethod"):        {attrs: []string{"Algorithm"}},
	ds("Reference"): {attrs: []string{"URI"}, children: []part{
		{ds("Transforms"), 1, 1, "saml_transform"}, {ds("DigestMethod"), 1, 1, "saml_algorithm"}, {ds("DigestValue"), 1, 1, "saml_signed_info"}}},
	ds("Transforms"):     {children: []part{{ds("Transform"), 2, 2, "saml_transform"}}},
	ds("Transform"):      {attrs: []string{"Algorithm"}, children: []part{{xml.Name{Space: excC14NNS, Local: "InclusiveNamespaces"}, 0, 1, "saml_transform"}}},
	ds("DigestMethod"):   {attrs: []string{"Algorithm"}},
	ds("DigestValue"):    {text: true},
	ds("SignatureValue"): {text: true},
	ds("KeyInfo"): {children: []part{
		{ds("KeyName"), 0, 4, "saml_certificate"}, {ds("KeyValue"), 0, 1, "saml_certificate"}, {ds("X509Data"), 0, 1, "saml_certificate"}}},
	ds("KeyName"):     {text: true},
	ds("KeyValue"):    {children: []part{{ds("RSAKeyValue"), 1, 1, "saml_certificate"}}},
	ds("RSAKeyValue"): {children: []part{{ds("Modulus"), 1, 1, "saml_certificate"}, {ds("Exponent"), 1, 1, "saml_certificate"}}},
	ds("Modulus"):     {text: true},
	ds("Exponent"):    {text: true},
	ds("X509Data"): {children: []part{
		{ds("X509Certificate"), 1, 8, "saml_certificate"}, {ds("X509SubjectName"), 0, 8, "saml_certificate"},
		{ds("X509IssuerSerial"), 0, 8, "saml_certificate"}, {ds("X509SKI"), 0, 8, "saml_certificate"}}},
	ds("X509Certificate"):  {text: true},
	ds("X509SubjectName"):  {text: true},
	ds("X509IssuerSerial"): {children: []part{{ds("X509IssuerName"), 1, 1, "saml_certificate"}, {ds("X509SerialNumber"), 1, 1, "saml_certificate"}}},
	ds("X509IssuerName"):   {text: true},
	ds("X509SerialNumber"): {text: true},
	ds("X509SKI"):          {text: true},

	{Space: excC14NNS, Local: "InclusiveNamespaces"}: {attrs: []string{"PrefixList"}},
}

// hints say more about the parts that IdPs get wrong.
var hints = map[refusal.Code]string{
	"saml_subject_confirmation": "IAM wants exactly one SubjectConfirmation with Recipient and NotOnOrAfter; give the application one assertion consumer URL only.",
	"saml_audience_restriction": "Exactly one AudienceRestriction is accepted (several Audience values in it are fine); set the application's audience or SP entity ID at the IdP.",
	"saml_attribute_statement":  "Let the IdP send AWS's two attributes, Role and RoleSessionName, in one AttributeStatement.",
	"saml_conditions":           "The IdP must state Conditions with NotBefore and NotOnOrAfter.",
	"saml_name_id":              "Add a NameID rule for the application at the IdP, persistent if it can.",
	"saml_authn_statement":      "The IdP must say once when and how the person authenticated.",
	"saml_encryption":           "Let the IdP encrypt the assertion only, with one key, for one certificate.",
	"saml_header":               "SAML wants ID, Version and IssueInstant on both; this is not a SAML 2.0 response as any IdP writes one.",
	"saml_reference":            "A signature must have one reference, to the element that it stands in.",
	"saml_transform":            "A signature must have the two transforms enveloped-signature and exclusive canonicalization.",
}

func hint(code refusal.Code) string {
	if hint, there := hints[code]; there {
		return " " + hint
	}
	return ""
}

// follows checks an element and everything below it against the language.
func (l language) follows(e *element) *refusal.Refusal {
	rule, known := l[e.name]
	if !known {
		return unexpected(e)
	}
	if refused := rule.check(e); refused != nil {
		return refused
	}
	for _, child := range e.children {
		if refused := l.follows(child); refused != nil {
			return refused
		}
	}
	return nil
}

func (k kind) check(e *element) *refusal.Refusal {
	if !k.text && strings.TrimLeft(string(e.text), " \t\r\n") != "" {
		return malformed("saml_structure", "Text stands in %s, where only elements may.", shown(e.path()))
	}
	for _, name := range k.attrs {
		if _, present := e.lookup(name); !present {
			return malformed(missingAttribute(e), "%s has no %s.%s", shown(e.path()), name, hint(missingAttribute(e)))
		}
	}
	for _, a := range e.attrs {
		if a.Name.Space != "" && !(k.foreign && slices.Contains(foreignAttributes, a.Name.Space)) {
			return malformed("saml_namespace", "%s has the attribute %q from the namespace %q, which does not belong there.", shown(e.path()), shown(a.Name.Local), shown(a.Name.Space))
		}
	}
	return k.checkChildren(e)
}

func (k kind) checkChildren(e *element) *refusal.Refusal {
	counts := make(map[xml.Name]int, len(k.children))
	for _, child := range e.children {
		if !slices.ContainsFunc(k.children, func(p part) bool { return p.name == child.name }) {
			return unexpected(child)
		}
		counts[child.name]++
	}
	for _, p := range k.children {
		if n := counts[p.name]; n < p.min || n > p.max {
			return malformed(p.code, "%s has %d %s elements; %s.%s", shown(e.path()), n, p.name.Local, p.wanted(), hint(p.code))
		}
	}
	return nil
}

func (p part) wanted() string {
	switch {
	case p.min == p.max && p.min == 1:
		return "exactly one is accepted"
	case p.min == p.max && p.min == 2:
		return "exactly two are accepted"
	case p.max == 1:
		return "one at most is accepted"
	default:
		return fmt.Sprintf("%d to %d are accepted", p.min, p.max)
	}
}

// missingAttribute is the code for an attribute that is not there.
func missingAttribute(e *element) refusal.Code {
	switch e.name {
	case saml("SubjectConfirmation"), saml("SubjectConfirmationData"):
		return "saml_subject_confirmation"
	case saml("Conditions"):
		return "saml_conditions"
	case saml("AuthnStatement"):
		return "saml_authn_statement"
	case samlp("Response"), saml("Assertion"):
		return "saml_header"
	default:
		return "saml_structure"
	}
}

func unexpected(e *element) *refusal.Refusal {
	return malformed("saml_structure",
		"%s is an element that Rolepass does not read. If the IdP put it there, switch the option off that does (Keycloak: Optimize REDIRECT signing key lookup writes Extensions).", shown(e.path()))
}
