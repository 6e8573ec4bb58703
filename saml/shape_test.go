package saml_test

import (
	"slices"
	"testing"

	"github.com/beevik/etree"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml/samltest"
)

const (
	anAssertion  = "./Response/Assertion"
	subject      = anAssertion + "/Subject"
	confirmation = subject + "/SubjectConfirmation"
	data         = confirmation + "/SubjectConfirmationData"
	conditions   = anAssertion + "/Conditions"
	authn        = anAssertion + "/AuthnStatement"
	attributes   = anAssertion + "/AttributeStatement"
)

// signing is a response that the IdP itself made odd, and then signed.
func signing(edits ...samltest.Edit) samltest.Spec {
	return but(func(s *samltest.Spec) { s.BeforeSigning = samltest.Edits(edits...) })
}

// tampering is a response that somebody changed on its way.
func tampering(edits ...samltest.Edit) samltest.Spec {
	return but(func(s *samltest.Spec) { s.AfterSigning = samltest.Edits(edits...) })
}

// TestShape has responses that are signed by the right key and say things in
// a form in which two readers could see two things. gosaml2 takes most.
func TestShape(t *testing.T) {
	evil := func(e *etree.Element) { e.CreateAttr("ID", "_second") }
	for name, attack := range map[string]struct {
		spec samltest.Spec
		code refusal.Code
	}{
		"another root":                   {signing(func(d *etree.Document) { d.Root().Tag = "ArtifactResponse" }), "saml_root"},
		"two assertions, both signed":    {signing(samltest.Duplicate(anAssertion, evil)), "saml_assertion_count"},
		"no assertion":                   {signing(samltest.Remove(anAssertion)), "saml_no_assertion"},
		"an assertion in Advice":         {signing(samltest.Insert(anAssertion, `<saml:Advice><saml:Assertion/></saml:Advice>`)), "saml_assertion_count"},
		"an assertion of SAML 1.1":       {signing(samltest.Insert("./Response", `<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:1.0:assertion"/>`)), "saml_assertion_count"},
		"an assertion in Extensions":     {signing(samltest.Insert("./Response", `<samlp:Extensions><saml:Assertion/></samlp:Extensions>`)), "saml_assertion_count"},
		"the only one in Extensions":     {signing(samltest.Insert("./Response", `<samlp:Extensions/>`), samltest.Move(anAssertion, "./Response/Extensions")), "saml_assertion_count"},
		"the only one of SAML 1.1":       {signing(samltest.Remove(anAssertion), samltest.Insert("./Response", `<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:1.0:assertion"/>`)), "saml_assertion_count"},
		"an encrypted assertion":         {signing(samltest.Remove(anAssertion), samltest.Insert("./Response", `<saml:EncryptedAssertion/>`)), "saml_encrypted"},
		"an encrypted assertion besides": {signing(samltest.Insert("./Response", `<saml:EncryptedAssertion/>`)), "saml_encrypted"},
		"an encrypted NameID":            {signing(samltest.Remove(subject+"/NameID"), samltest.Insert(subject, `<saml:EncryptedID/>`)), "saml_encrypted"},
		"two subject confirmations":      {signing(samltest.Duplicate(confirmation, nil)), "saml_subject_confirmation"},
		"two, the other for AWS": {signing(samltest.Duplicate(confirmation, func(e *etree.Element) {
			e.SelectElement("SubjectConfirmationData").CreateAttr("Recipient", "https://signin.aws.amazon.com/saml")
		})), "saml_subject_confirmation"},
		"no subject confirmation":         {signing(samltest.Remove(confirmation)), "saml_subject_confirmation"},
		"no confirmation data":            {signing(samltest.Remove(data)), "saml_subject_confirmation"},
		"no Recipient":                    {signing(samltest.RemoveAttr(data, "Recipient")), "saml_subject_confirmation"},
		"no end of confirmation":          {signing(samltest.RemoveAttr(data, "NotOnOrAfter")), "saml_subject_confirmation"},
		"a key in the confirmation":       {signing(samltest.Insert(data, `<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`)), "saml_structure"},
		"no subject":                      {signing(samltest.Remove(subject)), "saml_subject"},
		"two subjects":                    {signing(samltest.Duplicate(subject, nil)), "saml_subject"},
		"no NameID":                       {signing(samltest.Remove(subject + "/NameID")), "saml_name_id"},
		"two NameIDs":                     {signing(samltest.Duplicate(subject+"/NameID", func(e *etree.Element) { e.SetText("admin") })), "saml_name_id"},
		"an element in the NameID":        {signing(samltest.Insert(subject+"/NameID", `<saml:Audience>x</saml:Audience>`)), "saml_structure"},
		"two conditions":                  {signing(samltest.Duplicate(conditions, nil)), "saml_conditions"},
		"no conditions":                   {signing(samltest.Remove(conditions)), "saml_conditions"},
		"conditions without NotBefore":    {signing(samltest.RemoveAttr(conditions, "NotBefore")), "saml_conditions"},
		"conditions without an end":       {signing(samltest.RemoveAttr(conditions, "NotOnOrAfter")), "saml_conditions"},
		"a condition that nobody knows":   {signing(samltest.Insert(conditions, `<saml:Condition/>`)), "saml_structure"},
		"no audience restriction":         {signing(samltest.Remove(conditions + "/AudienceRestriction")), "saml_audience_restriction"},
		"two audience restrictions":       {signing(samltest.Duplicate(conditions+"/AudienceRestriction", nil)), "saml_audience_restriction"},
		"an audience restriction of none": {signing(samltest.Remove(conditions + "/AudienceRestriction/Audience")), "saml_audience_restriction"},
		"two authentications":             {signing(samltest.Duplicate(authn, nil)), "saml_authn_statement"},
		"no authentication":               {signing(samltest.Remove(authn)), "saml_authn_statement"},
		"an authentication without time":  {signing(samltest.RemoveAttr(authn, "AuthnInstant")), "saml_authn_statement"},
		"two attribute statements":        {signing(samltest.Duplicate(attributes, nil)), "saml_attribute_statement"},
		"no attribute statement":          {signing(samltest.Remove(attributes)), "saml_attribute_statement"},
		"an authorization statement":      {signing(samltest.Insert(anAssertion, `<saml:AuthzDecisionStatement/>`)), "saml_structure"},
		"an attribute twice":              {signing(samltest.Duplicate(attributes+"/Attribute[@Name='"+samltest.RoleAttribute+"']", nil)), "saml_duplicate_attribute"},
		"a name twice": {but(func(s *samltest.Spec) {
			s.Attributes = []samltest.Attribute{{Name: "a", Values: []string{"1"}}, {Name: "a", Values: []string{"2"}}}
		}), "saml_duplicate_attribute"},
		"a NameID in a Role":              {signing(samltest.Insert(attributes+"/Attribute/AttributeValue", `<saml:NameID>x</saml:NameID>`)), "saml_attribute_value"},
		"text beside elements":            {signing(samltest.SetText(conditions, "x")), "saml_structure"},
		"Extensions":                      {signing(samltest.Insert("./Response", `<samlp:Extensions/>`)), "saml_structure"},
		"an Issuer missing":               {signing(samltest.Remove("./Response/Issuer")), "saml_issuer"},
		"the assertion's Issuer missing":  {signing(samltest.Remove(anAssertion + "/Issuer")), "saml_issuer"},
		"two Issuers":                     {signing(samltest.Duplicate(anAssertion+"/Issuer", nil)), "saml_issuer"},
		"no IssueInstant":                 {signing(samltest.RemoveAttr(anAssertion, "IssueInstant")), "saml_header"},
		"an instant that is none":         {signing(samltest.SetAttr(anAssertion, "IssueInstant", "yesterday")), "saml_time"},
		"an instant without a zone":       {signing(samltest.SetAttr(conditions, "NotOnOrAfter", "2026-03-14T12:05:00")), "saml_time"},
		"an instant of the year 0":        {signing(samltest.SetAttr(authn, "AuthnInstant", "0001-01-01T00:00:00Z")), "saml_time"},
		"SAML 1.1":                        {signing(samltest.SetAttr("./Response", "Version", "1.1")), "saml_version"},
		"an assertion of another version": {signing(samltest.SetAttr(anAssertion, "Version", "2.1")), "saml_version"},
		"one ID for both":                 {but(func(s *samltest.Spec) { s.ResponseID, s.AssertionID = "_same", "_same"; s.Sign = samltest.SignResponse }), "saml_duplicate_id"},
		"an Id on the subject":            {signing(samltest.SetAttr(subject, "Id", "_x")), "saml_id"},
		"an id besides the ID":            {signing(samltest.SetAttr(anAssertion, "id", "_x")), "saml_id"},
		"an ID that is no name":           {but(func(s *samltest.Spec) { s.AssertionID = "4711" }), "saml_id"},
		"an ID that looks like a path":    {but(func(s *samltest.Spec) { s.AssertionID = "a/../b" }), "saml_id"},
		"an empty ID": {but(func(s *samltest.Spec) {
			s.AssertionID = "_x"
			s.BeforeSigning = samltest.SetAttr(anAssertion, "ID", "")
			s.Sign = samltest.SignResponse
		}), "saml_id"},
		"no ID": {but(func(s *samltest.Spec) {
			s.BeforeSigning = samltest.RemoveAttr(anAssertion, "ID")
			s.Sign = samltest.SignResponse
		}), "saml_header"},
		"a subject that is not the bearer": {signing(samltest.SetAttr(confirmation, "Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches")), "saml_subject_confirmation"},
		"no method":                        {signing(samltest.RemoveAttr(confirmation, "Method")), "saml_subject_confirmation"},
		"a confirmation that begins later": {signing(samltest.SetAttr(data, "NotBefore", "2026-03-14T12:00:00Z")), "saml_subject_confirmation"},
		"once only":                        {signing(samltest.Insert(conditions, `<saml:OneTimeUse/>`)), "saml_one_time_use"},
		"for one proxy":                    {signing(samltest.Insert(conditions, `<saml:ProxyRestriction Count="0"/>`)), "saml_proxy_restriction"},
	} {
		t.Run(name, func(t *testing.T) { one(t, attack.spec, attack.code) })
	}
}

// TestShapesOfRealIdPs has what IdPs do differently and rightly.
func TestShapesOfRealIdPs(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	for name, spec := range map[string]samltest.Spec{
		"Shibboleth's attribute of a NameID": signing(samltest.Insert(attributes,
			`<saml:Attribute Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.10" FriendlyName="eduPersonTargetedID"><saml:AttributeValue><saml:NameID>abc</saml:NameID></saml:AttributeValue></saml:Attribute>`)),
		"Shibboleth's encoding": signing(samltest.Insert(attributes,
			`<saml:Attribute Name="urn:oid:2.5.4.42" xmlns:x500="urn:oasis:names:tc:SAML:2.0:profiles:attribute:X500" x500:Encoding="LDAP"><saml:AttributeValue>Ada</saml:AttributeValue></saml:Attribute>`)),
		"AD FS's issuer of a claim": signing(samltest.Insert(attributes,
			`<saml:Attribute Name="role" xmlns:a="http://schemas.xmlsoap.org/ws/2009/09/identity/claims" a:OriginalIssuer="x"><saml:AttributeValue/></saml:Attribute>`)),
		"Keycloak's KeyInfo":          tamperedKeyInfo(`<ds:KeyName>k</ds:KeyName>`, `<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AA==</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>`),
		"an attribute without values": signing(samltest.Insert(attributes, `<saml:Attribute Name="none"/>`)),
		"Okta's prefix list":          but(func(s *samltest.Spec) { s.AssertionSignature.PrefixList, s.ResponseSignature.PrefixList = "xs", "xs" }),
		"no KeyInfo": but(func(s *samltest.Spec) {
			s.AssertionSignature.WithoutKeyInfo, s.ResponseSignature.WithoutKeyInfo = true, true
		}),
		"RSA-SHA384": but(func(s *samltest.Spec) {
			s.AssertionSignature = samltest.Signature{Method: samltest.RSASHA384, Digest: samltest.SHA384}
		}),
		"RSA-SHA512": but(func(s *samltest.Spec) {
			s.AssertionSignature = samltest.Signature{Method: samltest.RSASHA512, Digest: samltest.SHA512}
		}),
		"the locality of the subject": signing(samltest.Insert(authn, `<saml:SubjectLocality Address="192.0.2.1"/>`)),
		"an authenticating authority": signing(samltest.Insert(authn+"/AuthnContext", `<saml:AuthenticatingAuthority>https://sts.windows.net/</saml:AuthenticatingAuthority>`)),
		"a status message":            but(func(s *samltest.Spec) { s.StatusMessage = "urn:oasis:names:tc:SAML:2.0:status:Success" }),
		"indented":                    but(func(s *samltest.Spec) { s.BeforeSigning = func(d *etree.Document) { d.Indent(2) } }),
		"the default namespace":       but(func(s *samltest.Spec) { s.BeforeSigning = defaultNamespaces }),
		"seconds without a fraction":  signing(samltest.SetAttr(conditions, "NotOnOrAfter", "2026-03-14T12:05:00Z")),
		"an unsigned destination":     but(func(s *samltest.Spec) { s.Sign, s.Destination = samltest.SignAssertion, samltest.Absent }),
		"no request in the response":  but(func(s *samltest.Spec) { s.BeforeSigning = samltest.RemoveAttr("./Response", "InResponseTo") }),
	} {
		t.Run(name, func(t *testing.T) {
			a := accept(t, sp, idp.Response(spec), expected)
			if a.Principal.NameID != "4711" || len(a.Roles) != 1 {
				t.Errorf("read %+v with %v", a.Principal, a.Roles)
			}
		})
	}
}

// tamperedKeyInfo adds to the KeyInfo of an assertion-signed response, which
// no signature covers.
func tamperedKeyInfo(elements ...string) samltest.Spec {
	return but(func(s *samltest.Spec) {
		s.Sign = samltest.SignAssertion
		s.AfterSigning = func(d *etree.Document) {
			for _, xml := range elements {
				samltest.Insert(anAssertion+"/Signature/KeyInfo", xml)(d)
			}
		}
	})
}

// defaultNamespaces writes the response as AD FS does: the assertion's
// elements without a prefix.
func defaultNamespaces(d *etree.Document) {
	root := d.Root()
	root.RemoveAttr("xmlns:saml")
	for _, e := range root.ChildElements() {
		if e.Space != "saml" {
			continue
		}
		e.RemoveAttr("xmlns:saml")
		e.CreateAttr("xmlns", samltest.AssertionNS)
		for _, inner := range append(e.FindElements(".//*"), e) {
			if inner.Space == "saml" {
				inner.Space = ""
			}
		}
	}
}

// TestOddRolesAreIgnored: Keycloak's own roles and another account's do not
// keep a person out who has a usable one, and they are shown with the reason.
func TestOddRolesAreIgnored(t *testing.T) {
	idp := newIdP(t)
	a := accept(t, newSP(t, idp), idp.Response(but(func(s *samltest.Spec) {
		s.Roles = append(s.Roles, "offline_access", "arn:aws:iam::999988887777:role/x,arn:aws:iam::999988887777:saml-provider/corp")
	})), expected)
	var codes []refusal.Code
	for _, ignored := range a.Ignored {
		codes = append(codes, ignored.Refusal.Code)
	}
	if want := []refusal.Code{"saml_role", "saml_provider"}; !slices.Equal(codes, want) || len(a.Roles) != 1 {
		t.Errorf("ignored %v and granted %v; want %v and one", codes, a.Roles, want)
	}
}
