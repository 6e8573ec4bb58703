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
