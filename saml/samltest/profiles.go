package samltest

import (
	"time"

	"github.com/beevik/etree"
)

// Profile is how one product writes its responses, reproduced from its
// documentation: prefixes, signatures, attributes and what else differs.
type Profile struct {
	Name   string
	Source string
	Spec   func(*Spec)
	// Code is the reason for which it is refused as the product is set up by
	// default, and Setting what the refusal must name. Empty: it is accepted.
	Code, Setting string
}

const (
	basicFormat = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
	microsoft   = "http://schemas.microsoft.com/identity/claims/"
	soapClaims  = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	adfsClaims  = "http://schemas.xmlsoap.org/ws/2009/09/identity/claims"
)

// Profiles are the products that people sign in with, each as it is when it is
// set up for Rolepass, and as it is before that.
func Profiles() []Profile {
	return append(rightProfiles(), wrongProfiles()...)
}

// providerFirst is the order of AWS's guides for AD FS and SimpleSAMLphp.
func providerFirst(s *Spec) { s.Roles = []string{SceneProvider + "," + SceneRole} }

func rightProfiles() []Profile {
	return []Profile{
		{Name: "Keycloak", Source: "Keycloak Server Administration Guide, SAML clients: Sign documents, Sign assertions, Single Role Attribute on", Spec: all(keycloak, func(s *Spec) {
			s.Audiences = []string{AWSAudience, SceneSP}
		})},
		{Name: "AD FS", Source: "AWS Athena ODBC guide for AD FS, rules 1 to 4; SamlResponseSignature AssertionOnly", Spec: all(adfs, providerFirst)},
		{Name: "AD FS, both signed", Source: "Set-AdfsRelyingPartyTrust -SamlResponseSignature MessageAndAssertion", Spec: all(adfs, providerFirst, func(s *Spec) { s.Sign = SignBoth })},
		{Name: "Okta", Source: "Okta, SAML app integrations: Response Signed, Assertion Signature Signed, RSA-SHA256", Spec: okta},
		{Name: "Entra", Source: "Entra ID, SAML token claims reference; Sign SAML assertion (the default)", Spec: entra},
		{Name: "Entra, both signed", Source: "Entra ID, certificate signing options: Sign SAML response and assertion", Spec: all(entra, func(s *Spec) { s.Sign = SignBoth })},
		{Name: "PingFederate", Source: "PingFederate, SP connections: Sign response as required; attribute format basic", Spec: ping},
		{Name: "Google Workspace", Source: "Google Workspace, custom SAML app: Signed response ticked", Spec: google},
		{Name: "SimpleSAMLphp", Source: "SimpleSAMLphp, saml20-idp-hosted: saml20.sign.assertion, no saml20.sign.response; provider first", Spec: all(simpleSAMLphp, providerFirst)},
	}
}

func wrongProfiles() []Profile {
	return []Profile{
		{Name: "Keycloak by default", Source: "Keycloak: role list mapper without Single Role Attribute", Code: "saml_duplicate_attribute", Setting: "Single Role Attribute",
			Spec: all(keycloak, Signing(Duplicate(atRole, func(e *etree.Element) { e.SelectElement("AttributeValue").SetText("offline_access") })))},
		{Name: "Keycloak, encrypting", Source: "Keycloak: Encrypt assertions on", Code: "saml_encrypted", Setting: "Encrypt assertions OFF", Spec: all(keycloak, encrypted(nil))},
		{Name: "Keycloak, for a minute", Source: "Keycloak: Assertion Lifespan left at one minute, and two minutes at the login page of a proxy", Code: "saml_expired", Setting: "Assertion Lifespan",
			Spec: all(keycloak, instants(func(s *Spec, noon time.Time) {
				s.IssueInstant = noon.Add(-2*time.Minute - time.Second)
				s.NotOnOrAfter = s.IssueInstant.Add(time.Minute)
			}))},
		{Name: "Keycloak with the lookup of keys", Source: "Keycloak: Optimize REDIRECT signing key lookup on", Code: "saml_structure", Setting: "Optimize REDIRECT signing key lookup",
			Spec: all(keycloak, Signing(Insert(atResponse, `<samlp:Extensions/>`)))},
		{Name: "AD FS, encrypting", Source: "AD FS: an encryption certificate in the relying party trust", Code: "saml_encrypted", Setting: "EncryptClaims", Spec: all(adfs, encrypted(nil))},
		{Name: "AD FS with SHA-1", Source: "AD FS: secure hash algorithm SHA-1 in the relying party trust", Code: "saml_algorithm", Setting: "SHA-256", Spec: all(adfs, func(s *Spec) { s.AssertionSignature.Method, s.AssertionSignature.Digest = RSASHA1, SHA1 })},
		{Name: "AD FS without a NameID rule", Source: "AD FS: no claim rule for NameID", Code: "saml_status", Setting: "persistent NameID", Spec: all(adfs, func(s *Spec) {
			s.Status, s.SubStatus = Requester, "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy"
		})},
		{Name: "Okta's AWS application", Source: "Okta: the catalogue's AWS Account Federation", Code: "saml_destination", Setting: "ACS", Spec: all(okta, func(s *Spec) {
			s.Recipient, s.Destination = "https://signin.aws.amazon.com/saml", "https://signin.aws.amazon.com/saml"
		})},
		{Name: "Okta from its dashboard", Source: "Okta: the application's tile", Code: "saml_unsolicited", Setting: "bookmark", Spec: all(okta, func(s *Spec) { s.InResponseTo = Absent })},
		{Name: "Entra's gallery application", Source: "Entra ID: AWS Single-Account Access with the identifier of the console", Code: "saml_audience", Setting: "audience", Spec: all(entra, func(s *Spec) { s.Audiences = []string{"https://signin.aws.amazon.com/saml"} })},
		{Name: "Entra with many groups", Source: "Entra ID: more than 150 groups become a link", Code: "saml_no_role", Setting: RoleAttribute, Spec: all(entra, func(s *Spec) {
			s.Roles = nil
			s.Attributes = append(s.Attributes, Attribute{Name: "http://schemas.microsoft.com/claims/groups.link", Values: []string{"https://graph.windows.net/t/users/o/getMemberObjects"}})
		})},
		{Name: "Entra with a guest", Source: "Entra ID: RoleSessionName from user.userprincipalname", Code: "saml_session_name", Setting: "ExtractMailPrefix", Spec: all(entra, func(s *Spec) { s.SessionName = "ada_example.com#EXT#@corp.onmicrosoft.com" })},
		{Name: "PingFederate, unsigned", Source: "PingFederate: a connection with neither signature", Code: "saml_unsigned", Setting: "sign both", Spec: all(ping, func(s *Spec) { s.Sign = SignNothing })},
		{Name: "Google without roles", Source: "Google Workspace: the custom attribute Amazon.Role not mapped", Code: "saml_no_role", Setting: "map it at the IdP", Spec: all(google, func(s *Spec) { s.Roles = nil })},
		{Name: "SimpleSAMLphp without its attributes", Source: "SimpleSAMLphp: attributes of saml20-sp-remote do not list RoleSessionName", Code: "saml_session_name", Setting: SessionNameAttribute, Spec: all(simpleSAMLphp, func(s *Spec) { s.SessionName = Absent })},
	}
}

func keycloak(s *Spec) {
	s.NameIDFormat = Persistent
	s.Attributes = []Attribute{{Name: "email", Values: []string{"ada@example.com"}}, {Name: "givenName", Values: []string{"Ada"}}}
	s.BeforeSigning = chain(s.BeforeSigning, []Edit{
		attributeFormat(basicFormat),
		SetAttr(atAuthn, "SessionIndex", "7f9c…::4d1e"),
		SetText(atContext+"/AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"),
	})
	s.AssertionSignature.EditKeyInfo = func(info *etree.Element) {
		name := etree.NewElement("ds:KeyName")
		name.SetText("Hs1QvTaDa8kvBY-5iJLVhxUJwSMDPdpVcwVbKcMm8Q0")
		info.InsertChildAt(0, name)
		graft(info, `<ds:KeyValue>`+rsaKey+`</ds:KeyValue>`)
	}
	s.ResponseSignature.EditKeyInfo = s.AssertionSignature.EditKeyInfo
}

func adfs(s *Spec) {
	s.Sign = SignAssertion
	s.Attributes = []Attribute{{Name: soapClaims + "emailaddress", Values: []string{"ada@example.com"}}}
	s.BeforeSigning = chain(s.BeforeSigning, []Edit{
		SetAttr(atResponse, "Consent", "urn:oasis:names:tc:SAML:2.0:consent:unspecified"),
		unprefixed,
		func(d *etree.Document) {
			for _, a := range d.FindElements("//Attribute") {
				a.RemoveAttr("NameFormat")
				a.CreateAttr("xmlns:a", adfsClaims)
				a.CreateAttr("a:OriginalIssuer", "AD AUTHORITY")
			}
			for _, v := range d.FindElements("//AttributeValue") {
				v.RemoveAttr("xsi:type")
			}
		},
	})
}

func okta(s *Spec) {
	s.ResponseID, s.AssertionID = "id40203712345678901234567890", "id40203712345678909876543210"
	s.AssertionSignature.PrefixList, s.ResponseSignature.PrefixList = "xs", "xs"
	s.Attributes = []Attribute{{Name: "email", Values: []string{"ada@example.com"}}}
	s.BeforeSigning = chain(s.BeforeSigning, []Edit{
		SetAttr(atResponse, "xmlns:xs", SchemaNS),
		SetAttr(atResponse+"/Issuer", "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"),
		SetAttr(atAssertion+"/Issuer", "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"),
		renamed("samlp", "saml2p"), renamed("saml", "saml2"),
	})
}

func entra(s *Spec) {
	s.Sign = SignAssertion
	s.AssertionSignature.Unprefixed, s.ResponseSignature.Unprefixed = true, true
	s.Attributes = []Attribute{
		{Name: microsoft + "tenantid", Values: []string{"9a1f3f1e-0000-4000-8000-000000000000"}}, {Name: microsoft + "objectidentifier", Values: []string{"2c7e0000-0000-4000-8000-000000000000"}},
		{Name: microsoft + "displayname", Values: []string{"Ada Lovelace"}}, {Name: microsoft + "identityprovider", Values: []string{"https://sts.windows.net/9a1f3f1e-0000-4000-8000-000000000000/"}},
		{Name: soapClaims + "emailaddress", Values: []string{"ada@example.com"}}, {Name: soapClaims + "givenname", Values: []string{"Ada"}}, {Name: soapClaims + "surname", Values: []string{"Lovelace"}},
	}
	s.BeforeSigning = chain(s.BeforeSigning, []Edit{
		SetText(atContext+"/AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"),
		unprefixed,
		func(d *etree.Document) {
			for _, a := range d.FindElements("//Attribute") {
				a.RemoveAttr("NameFormat")
			}
			for _, v := range d.FindElements("//AttributeValue") {
				v.RemoveAttr("xsi:type")
			}
		},
	})
}

func ping(s *Spec) {
	s.Sign = SignResponse
	s.Attributes = []Attribute{{Name: "mail", Values: []string{"ada@example.com"}}}
	s.BeforeSigning = chain(s.BeforeSigning, []Edit{attributeFormat(basicFormat), func(d *etree.Document) {
		for _, v := range d.FindElements("//AttributeValue") {
			v.CreateAttr("xmlns:xs", SchemaNS)
			v.CreateAttr("xmlns:xsi", InstanceNS)
		}
	}})
}

func google(s *Spec) {
	s.Sign = SignResponse
	s.NameIDFormat = Persistent
	s.BeforeSigning = chain(s.BeforeSigning, []Edit{
		SetText(atContext+"/AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"),
		func(d *etree.Document) {
			for _, v := range d.FindElements("//AttributeValue") {
				v.CreateAttr("xmlns:xs", SchemaNS)
				v.CreateAttr("xmlns:xsi", InstanceNS)
				v.CreateAttr("xsi:type", "xs:anyType")
			}
			for _, a := range d.FindElements("//Attribute") {
				a.RemoveAttr("NameFormat")
			}
		},
		renamed("samlp", "saml2p"), renamed("saml", "saml2"),
	})
	s.ResponseSignature.EditKeyInfo = func(info *etree.Element) {
		name := etree.NewElement("ds:X509SubjectName")
		name.SetText("ST=California,C=US,OU=Google For Work,CN=Google,L=Mountain View,O=Google Inc.")
		info.SelectElement("X509Data").InsertChildAt(0, name)
	}
}

func simpleSAMLphp(s *Spec) {
	s.Sign = SignAssertion
	s.SessionNotOnOrAfter = SceneNow().Add(8 * time.Hour)
	s.Attributes = []Attribute{{Name: "mail", Values: []string{"ada@example.com"}}, {Name: "sn", Values: []string{"Lovelace"}}}
	s.BeforeSigning = chain(s.BeforeSigning, []Edit{
		attributeFormat(basicFormat),
		SetText(atContext+"/AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"),
		Add(atContext, "saml:AuthenticatingAuthority", SceneEntityID),
	})
}

func attributeFormat(format string) Edit {
	return func(d *etree.Document) {
		for _, a := range d.FindElements("//Attribute") {
			a.CreateAttr("NameFormat", format)
		}
	}
}

// renamed gives a namespace another prefix.
func renamed(old, new string) Edit {
	return func(d *etree.Document) {
		for _, e := range d.FindElements("//*") {
			if e.Space == old {
				e.Space = new
			}
			if a := e.SelectAttr("xmlns:" + old); a != nil {
				uri := a.Value
				e.RemoveAttr("xmlns:" + old)
				e.CreateAttr("xmlns:"+new, uri)
			}
		}
	}
}

// unprefixed writes SAML's elements without a prefix, as Microsoft's products
// do: each outermost one declares the default namespace.
func unprefixed(d *etree.Document) {
	root := d.Root()
	root.RemoveAttr("xmlns:saml")
	for _, e := range root.ChildElements() {
		if e.Space != "saml" {
			continue
		}
		e.RemoveAttr("xmlns:saml")
		e.CreateAttr("xmlns", AssertionNS)
		for _, inner := range append(e.FindElements(".//*"), e) {
			if inner.Space == "saml" {
				inner.Space = ""
			}
		}
	}
}
