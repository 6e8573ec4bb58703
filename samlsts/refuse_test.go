package samlsts_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

func encode(raw []byte) string { return base64.StdEncoding.EncodeToString(raw) }

const (
	invalidToken = "InvalidIdentityToken"
	expiredToken = "ExpiredTokenException"
	accessDenied = "AccessDenied"
	notAllowed   = "Not authorized to perform sts:AssumeRoleWithSAML"
	badSignature = "Response signature invalid"
	badResponse  = "Invalid SAML response: "
)

// What the IdP signed, and AWS refuses all the same.
func TestRefusesByRule(t *testing.T) {
	subject := `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData %s/></saml:SubjectConfirmation>`
	until := `NotOnOrAfter="2026-03-01T12:05:00Z"`
	recipient := `Recipient="` + acs + `"`
	addValue := func(values ...string) func(*spec) {
		return func(s *spec) { s.attributes = append(s.attributes, attribute(values[0], values[1:]...)) }
	}
	for name, c := range map[string]struct {
		edit          func(*spec)
		status        int
		code, message string
	}{
		"status not success": {func(s *spec) { s.status = "urn:oasis:names:tc:SAML:2.0:status:Responder" }, 403, "IDPRejectedClaim", "The identity provider reported"},
		"another issuer":     {func(s *spec) { s.issuer = "https://evil.example.com" }, 400, invalidToken, "Issuer not present in specified provider"},
		"another response issuer": {func(s *spec) {
			s.before = func(d *etree.Document) { d.Root().SelectElement("Issuer").SetText("https://evil.example.com") }
		}, 400, invalidToken, "Issuer not present in specified provider"},
		"audience of another": {func(s *spec) {
			s.conditions = conditions(noon.Add(-time.Minute), noon.Add(time.Minute), "https://label.example.com")
		}, 400, invalidToken, "Response does not contain the required audience"},
		"no audience restriction": {func(s *spec) {
			s.conditions = `<saml:Conditions NotBefore="2026-03-01T11:59:00Z" NotOnOrAfter="2026-03-01T12:05:00Z"/>`
		}, 400, invalidToken, "Response does not contain the required audience"},
		"two audience restrictions": {func(s *spec) {
			s.conditions = strings.Replace(s.conditions, "</saml:Conditions>", "<saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction></saml:Conditions>", 1)
		}, 400, invalidToken, badResponse},
		"a condition nobody knows": {func(s *spec) {
			s.conditions = strings.Replace(s.conditions, "</saml:Conditions>", "<saml:OnlyOnSundays/></saml:Conditions>", 1)
		}, 400, invalidToken, badResponse},

		"issued too long ago": {func(s *spec) {
			s.issued, s.responseIssued = noon.Add(-5*time.Minute-time.Millisecond), noon
			s.authn = authn("")
		}, 400, expiredToken, "Token must be redeemed within 5 minutes of issuance"},
		"response issued earlier":    {func(s *spec) { s.responseIssued = noon.Add(-6 * time.Minute) }, 400, expiredToken, "Token must be redeemed within 5 minutes of issuance"},
		"unsigned response is older": {func(s *spec) { s.sign = "assertion"; s.responseIssued = noon.Add(-6 * time.Minute) }, 400, expiredToken, "Token must be redeemed within 5 minutes of issuance"},
		"unsigned response is newer": {func(s *spec) { s.sign = "assertion"; s.issued = noon.Add(-6 * time.Minute) }, 400, expiredToken, "Token must be redeemed within 5 minutes of issuance"},
		"conditions over":            {func(s *spec) { s.conditions = conditions(noon.Add(-time.Minute), noon, "urn:amazon:webservices") }, 400, expiredToken, "Response has expired"},
		"conditions not begun": {func(s *spec) {
			s.conditions = conditions(noon.Add(61*time.Second), noon.Add(5*time.Minute), "urn:amazon:webservices")
		}, 400, expiredToken, "Response is not valid yet"},
		"issued in the future": {func(s *spec) { s.issued, s.responseIssued = noon.Add(2*time.Minute), noon.Add(2*time.Minute) }, 400, expiredToken, "Response was issued in the future"},
		"confirmation over":    {func(s *spec) { s.confirmation = confirmation(acs, noon) }, 400, expiredToken, "Response has expired"},
		"confirmation not begun": {func(s *spec) {
			s.confirmation = fmt.Sprintf(subject, until+" "+recipient+` NotBefore="2026-03-01T12:04:00Z"`)
		}, 400, expiredToken, "Response is not valid yet"},
		"IdP session over":             {func(s *spec) { s.authn = authn(` SessionNotOnOrAfter="2026-03-01T12:00:00Z"`) }, 400, expiredToken, "Response has expired"},
		"IdP session over in a minute": {func(s *spec) { s.authn = authn(` SessionNotOnOrAfter="2026-03-01T12:14:59Z"`) }, 400, "ValidationError", "The identity provider ends the session"},
		"a local time":                 {func(s *spec) { s.authn = authn(` SessionNotOnOrAfter="2026-03-01T20:00:00+09:00"`) }, 400, invalidToken, badResponse},
		"a time that is none":          {func(s *spec) { s.confirmation = fmt.Sprintf(subject, `NotOnOrAfter="2026-02-30T12:05:00Z" `+recipient) }, 400, invalidToken, badResponse},

		"no IssueInstant": {func(s *spec) {
			s.before = func(d *etree.Document) { d.Root().SelectElement("Assertion").RemoveAttr("IssueInstant") }
		}, 400, invalidToken, badResponse},
		"no IssueInstant of the response": {func(s *spec) { s.before = func(d *etree.Document) { d.Root().RemoveAttr("IssueInstant") } }, 400, invalidToken, badResponse},
		"an IssueInstant that is none": {func(s *spec) {
			s.before = func(d *etree.Document) { d.Root().CreateAttr("IssueInstant", "now") }
		}, 400, invalidToken, badResponse},
		"a NotBefore that is none": {func(s *spec) {
			s.conditions = strings.Replace(s.conditions, `NotBefore="2026-03-01T11:59:00.000Z"`, `NotBefore="2026-03-01 11:59:00"`, 1)
		}, 400, invalidToken, badResponse},
		"an end that is none": {func(s *spec) {
			s.conditions = strings.Replace(s.conditions, `NotOnOrAfter="2026-03-01T12:05:00.000Z"`, `NotOnOrAfter=""`, 1)
		}, 400, invalidToken, badResponse},
		"a stranger among the audiences": {func(s *spec) {
			s.conditions = strings.Replace(s.conditions, "</saml:AudienceRestriction>", "<saml:Other>urn:amazon:webservices</saml:Other></saml:AudienceRestriction>", 1)
		}, 400, invalidToken, badResponse},
		"a stranger among the attributes": {func(s *spec) { s.attributes = append(s.attributes, "<saml:EncryptedAttribute/>") }, 400, invalidToken, badResponse},
		"an attribute without a name":     {func(s *spec) { s.attributes = append(s.attributes, "<saml:Attribute/>") }, 400, invalidToken, badResponse},
		"a stranger among the values": {func(s *spec) {
			s.attributes = append(s.attributes, `<saml:Attribute Name="x"><saml:Value/></saml:Attribute>`)
		}, 400, invalidToken, badResponse},
		"a stranger among the statements": {func(s *spec) { s.authn += "<saml:AuthzDecisionStatement/>" }, 400, invalidToken, badResponse},
		"confirmation without data": {func(s *spec) {
			s.confirmation = `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/>`
		}, 400, invalidToken, badResponse},
		"no confirmation":                   {func(s *spec) { s.confirmation = "" }, 400, invalidToken, badResponse},
		"two confirmations":                 {func(s *spec) { s.confirmation += confirmation("https://elsewhere.example.com", noon.Add(time.Minute)) }, 400, invalidToken, badResponse},
		"confirmation not bearer":           {func(s *spec) { s.confirmation = strings.Replace(s.confirmation, "cm:bearer", "cm:sender-vouches", 1) }, 400, invalidToken, badResponse},
		"confirmation without Recipient":    {func(s *spec) { s.confirmation = fmt.Sprintf(subject, until) }, 400, invalidToken, badResponse},
		"confirmation without NotOnOrAfter": {func(s *spec) { s.confirmation = fmt.Sprintf(subject, recipient) }, 400, invalidToken, badResponse},
		"recipient not in saml_aud": {func(s *spec) {
			s.confirmation = confirmation("https://signin.aws.amazon.com/saml", noon.Add(time.Minute))
		}, 403, accessDenied, notAllowed},
		"recipient with a slash more": {func(s *spec) { s.confirmation = confirmation(acs+"/", noon.Add(time.Minute)) }, 403, accessDenied, notAllowed},

		"no NameID":               {func(s *spec) { s.nameID = "" }, 403, accessDenied, notAllowed},
		"two NameIDs":             {func(s *spec) { s.nameID += s.nameID }, 403, accessDenied, notAllowed},
		"a NameID from elsewhere": {func(s *spec) { s.nameID = `<NameID xmlns="urn:evil">admin</NameID>` }, 403, accessDenied, notAllowed},
		"a NameID of blanks":      {func(s *spec) { s.nameID = `<saml:NameID> </saml:NameID>` }, 400, invalidToken, badResponse},
		"elements in the NameID":  {func(s *spec) { s.nameID = `<saml:NameID>4711<b/></saml:NameID>` }, 400, invalidToken, badResponse},

		"role not in the assertion":  {func(s *spec) { s.attributes[0] = attribute(awsNames+"Role", research+","+corp) }, 403, accessDenied, notAllowed},
		"role with another provider": {func(s *spec) { s.attributes[0] = attribute(awsNames+"Role", radiology+","+other) }, 403, accessDenied, notAllowed},
		"pair of two accounts":       {func(s *spec) { s.attributes[0] = attribute(awsNames+"Role", radiology+","+foreign) }, 403, accessDenied, notAllowed},
		"role in another case":       {func(s *spec) { s.attributes[0] = attribute(awsNames+"Role", strings.ToUpper(radiology)+","+corp) }, 403, accessDenied, notAllowed},
		"role as a pattern":          {func(s *spec) { s.attributes[0] = attribute(awsNames+"Role", "arn:aws:iam::111122223333:role/*,"+corp) }, 403, accessDenied, notAllowed},
		"three ARNs":                 {func(s *spec) { s.attributes[0] = attribute(awsNames+"Role", radiology+","+corp+","+corp) }, 403, accessDenied, notAllowed},
		"a line end in the role":     {func(s *spec) { s.attributes[0] = attribute(awsNames+"Role", radiology+"\n,"+corp) }, 403, accessDenied, notAllowed},
		"no roles":                   {func(s *spec) { s.attributes = s.attributes[1:] }, 403, accessDenied, notAllowed},
		"roles under another name":   {func(s *spec) { s.attributes[0] = attribute(awsNames+"role", radiology+","+corp) }, 403, accessDenied, notAllowed},
		"an element in the role":     {func(s *spec) { s.attributes[0] = attribute(awsNames+"Role", radiology+","+corp+"<b/>") }, 400, invalidToken, badResponse},
		"roles given twice":          {addValue(awsNames+"Role", radiology+","+corp), 400, invalidToken, badResponse},
		"session tags":               {addValue(awsNames+"PrincipalTag:Team", "radiology"), 403, accessDenied, notAllowed},
		"transitive tags":            {addValue(awsNames+"TransitiveTagKeys", "Team"), 403, accessDenied, notAllowed},
		"source identity":            {addValue(awsNames+"SourceIdentity", "ada"), 403, accessDenied, notAllowed},

		"no session name":            {func(s *spec) { s.attributes = s.attributes[:1] }, 400, invalidToken, "RoleSessionName is required in AuthnResponse"},
		"session name too short":     {func(s *spec) { s.attributes[1] = attribute(awsNames+"RoleSessionName", "a") }, 400, invalidToken, "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"},
		"session name too long":      {func(s *spec) { s.attributes[1] = attribute(awsNames+"RoleSessionName", strings.Repeat("a", 65)) }, 400, invalidToken, "RoleSessionName in AuthnResponse must match"},
		"session name with blank":    {func(s *spec) { s.attributes[1] = attribute(awsNames+"RoleSessionName", "ada lovelace") }, 400, invalidToken, "RoleSessionName in AuthnResponse must match"},
		"session name with an end":   {func(s *spec) { s.attributes[1] = attribute(awsNames+"RoleSessionName", "ada\n") }, 400, invalidToken, "RoleSessionName in AuthnResponse must match"},
		"two session names":          {func(s *spec) { s.attributes[1] = attribute(awsNames+"RoleSessionName", "ada", "root") }, 400, invalidToken, "RoleSessionName in AuthnResponse must match"},
		"session duration no number": {addValue(awsNames+"SessionDuration", "1h"), 400, invalidToken, "SessionDuration"},
		"session duration too small": {addValue(awsNames+"SessionDuration", "899"), 400, invalidToken, "SessionDuration"},

		"no AuthnStatement":   {func(s *spec) { s.authn = "" }, 400, invalidToken, badResponse},
		"two AuthnStatements": {func(s *spec) { s.authn += s.authn }, 400, invalidToken, badResponse},
		"SAML 1.1":            {func(s *spec) { s.before = func(d *etree.Document) { d.Root().CreateAttr("Version", "1.1") } }, 400, invalidToken, badResponse},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := newRig(t), said()
			c.edit(s)
			r.refuses(r.call(form(s.issue(t))), c.status, c.code, c.message)
		})
	}
}

// What is not signed by this provider's IdP, or not in the way that SAML says.
func TestRefusesBySignature(t *testing.T) {
	stranger := must(t, strangerKey)
	const sha1Digest = "http://www.w3.org/2000/09/xmldsig#sha1"
	swap := func(from, to string) func(*spec) {
		return func(s *spec) {
			s.raw = func(x string) string {
				if !strings.Contains(x, from) {
					t.Fatalf("the response has no %q", from)
				}
				return strings.ReplaceAll(x, from, to)
			}
		}
	}
	onSignature := func(edit func(*etree.Element)) func(*spec) {
		return func(s *spec) {
			s.sign = "assertion"
			s.after = func(d *etree.Document) { edit(d.FindElement("//Signature")) }
		}
	}
	for name, edit := range map[string]func(*spec){
		"unsigned":    func(s *spec) { s.sign = "nothing" },
		"another key": func(s *spec) { s.key = &stranger },
		"another key for the inner": func(s *spec) {
			s.sign = "response"
			s.before = func(d *etree.Document) {
				(&spec{key: &stranger, method: s.method}).signElement(t, d.Root().SelectElement("Assertion"))
			}
		},
		"SHA-1":                       func(s *spec) { s.method = dsig.RSASHA1SignatureMethod },
		"SHA-1 digest":                swap("http://www.w3.org/2001/04/xmlenc#sha256", sha1Digest),
		"HMAC":                        swap(dsig.RSASHA256SignatureMethod, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
		"name changed":                swap("4711", "4712"),
		"role changed":                swap("role/team/radiology", "role/team/radiologx"),
		"session name changed":        swap(">ada@example.com<", ">eve@example.com<"),
		"another canonicalisation":    swap("http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"),
		"empty reference":             onSignature(func(e *etree.Element) { e.FindElement(".//Reference").CreateAttr("URI", "") }),
		"reference to something else": onSignature(func(e *etree.Element) { e.FindElement(".//Reference").CreateAttr("URI", "#_response") }),
		"two references": onSignature(func(e *etree.Element) {
			e.SelectElement("SignedInfo").AddChild(e.FindElement(".//Reference").Copy())
		}),
		"an XSLT transform": onSignature(func(e *etree.Element) {
			e.FindElement(".//Transforms").CreateElement("ds:Transform").CreateAttr("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
		}),
		"one transform": onSignature(func(e *etree.Element) {
			list := e.FindElement(".//Transforms")
			list.RemoveChild(list.ChildElements()[0])
		}),
		"an Object":            onSignature(func(e *etree.Element) { e.CreateElement("ds:Object") }),
		"two SignatureValues":  onSignature(func(e *etree.Element) { e.AddChild(e.SelectElement("SignatureValue").Copy()) }),
		"two SignedInfos":      onSignature(func(e *etree.Element) { e.InsertChildAt(0, e.SelectElement("SignedInfo").Copy()) }),
		"no SignatureValue":    onSignature(func(e *etree.Element) { e.RemoveChild(e.SelectElement("SignatureValue")) }),
		"empty SignatureValue": onSignature(func(e *etree.Element) { e.SelectElement("SignatureValue").SetText("") }),
		"empty digest":         onSignature(func(e *etree.Element) { e.FindElement(".//DigestValue").SetText("") }),
		"inner right, outer wrong": func(s *spec) {
			s.after = func(d *etree.Document) { d.Root().CreateAttr("Destination", "https://evil.example.com") }
		},
		"a second IssueInstant": func(s *spec) {
			s.sign = "response"
			s.after = func(d *etree.Document) { d.Root().CreateAttr("IssueInstant", stamp(noon)) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := newRig(t), said()
			edit(s)
			r.refuses(r.call(form(s.issue(t))), 400, invalidToken, badSignature)
		})
	}
}

// What the IdP itself signed in an odd way. The arithmetic is right, so that
// nothing but our own rules stands in the way.
func TestRefusesOddSignatures(t *testing.T) {
	algorithm := func(path, value string) func(*etree.Element) {
		return func(e *etree.Element) { e.FindElement(path).CreateAttr("Algorithm", value) }
	}
	const c14n, withComments = "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
	for name, odd := range map[string]func(*etree.Element){
		"for the whole document":     func(e *etree.Element) { e.FindElement(".//Reference").CreateAttr("URI", "") },
		"for two elements":           func(e *etree.Element) { e.SelectElement("SignedInfo").AddChild(e.FindElement(".//Reference").Copy()) },
		"comments in SignedInfo":     algorithm(".//CanonicalizationMethod", withComments),
		"comments in what is signed": algorithm(".//Transform[2]", withComments),
		"canonical before enveloped": func(e *etree.Element) {
			list := e.FindElement(".//Transforms")
			list.AddChild(list.ChildElements()[0])
		},
		"canonical twice": func(e *etree.Element) {
			e.FindElement(".//Transforms").CreateElement("ds:Transform").CreateAttr("Algorithm", c14n)
		},
		"a parameter of the enveloped transform": func(e *etree.Element) {
			e.FindElements(".//Transform")[0].CreateElement("ds:XPath").SetText("1")
		},
		"a parameter of the signature method": func(e *etree.Element) {
			e.FindElement(".//SignatureMethod").CreateElement("ds:HMACOutputLength").SetText("0")
		},
		"an unknown child of the reference": func(e *etree.Element) { e.FindElement(".//Reference").CreateElement("ds:Object") },
		"an Object":                         func(e *etree.Element) { e.CreateElement("ds:Object") },
		"two KeyInfos":                      func(e *etree.Element) { e.AddChild(e.SelectElement("KeyInfo").Copy()) },
	} {
		for _, sign := range []string{"assertion", "response"} {
			t.Run(name+", "+sign, func(t *testing.T) {
				r, s := newRig(t), said()
				s.sign, s.odd = sign, odd
				r.refuses(r.call(form(s.issue(t))), 400, invalidToken, badSignature)
			})
		}
	}
}

func TestRefusesAnExpiredCertificate(t *testing.T) {
	r, s := newRig(t), said()
	later := noon.Add(25 * time.Hour)
	r.server.Now = func() time.Time { return later }
	s.issued, s.responseIssued = later, later
	s.conditions = conditions(later, later.Add(time.Minute), "urn:amazon:webservices")
	s.confirmation = confirmation(acs, later.Add(time.Minute))
	r.refuses(r.call(form(s.issue(t))), 400, invalidToken, badSignature)
}

func TestRefusesExpiredMetadata(t *testing.T) {
	cfg := configure(t)
	text := strings.Replace(metadata(entity, must(t, idpKey)), "entityID=", `validUntil="2026-03-01T12:00:00Z" entityID=`, 1)
	if err := os.WriteFile(cfg.Providers[0].Metadata, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := serve(t, cfg)
	r.refuses(r.call(form(said().issue(t))), 400, invalidToken, "The metadata of the specified provider has expired")
}

// Documents about which two readers might disagree.
func TestRefusesByHygiene(t *testing.T) {
	replace := func(from, to string) func(string) string {
		return func(x string) string {
			if !strings.Contains(x, from) {
				t.Fatalf("the response has no %q", from)
			}
			return strings.Replace(x, from, to, 1)
		}
	}
	for name, raw := range map[string]func(string) string{
		"document type":               func(x string) string { return `<!DOCTYPE r>` + x },
		"external entity":             func(x string) string { return `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + x },
		"undeclared entity":           replace("4711", "4711&x;"),
		"comment in the NameID":       replace("4711", "47<!-- -->11"),
		"comment before the root":     func(x string) string { return "<!-- -->" + x },
		"CDATA":                       replace("4711", "<![CDATA[4711]]>"),
		"processing instruction":      replace("4711", "47<?x?>11"),
		"instruction before the root": func(x string) string { return "<?x y?>" + x },
		"second root":                 func(x string) string { return x + "<x/>" },
		"text behind the root":        func(x string) string { return x + "x" },
		"text before the root":        func(x string) string { return "x" + x },
		"declaration of UTF-16":       func(x string) string { return `<?xml version="1.0" encoding="UTF-16"?>` + x },
		"not UTF-8":                   replace("4711", "47\xff11"),
		"a NUL":                       replace("4711", "47\x0011"),
		"a reference to NUL":          replace("4711", "47&#0;11"),
		"an attribute twice":          replace(`Version="2.0"`, `Version="2.0" Version="2.0"`),
		"an attribute without quotes": replace(`Version="2.0"`, `Version=2.0`),
		"an undeclared prefix":        replace("<saml:Subject>", "<saml:Subject x:y=\"\">"),
		"a prefix undeclared":         replace("<saml:Subject>", `<saml:Subject xmlns:x="">`),
		"a relative namespace":        replace("<saml:Subject>", `<saml:Subject xmlns:x="y">`),
		"the prefix xml redefined":    replace("<saml:Subject>", `<saml:Subject xmlns:xml="urn:x">`),
		"a name with two colons":      replace("<saml:Subject>", `<saml:Subject a:b:c="">`),
		"a line end in an attribute":  replace(`Version="2.0"`, "Version=\"2.0\n\""),
		"a tag that does not end":     replace("</samlp:Response>", ""),
		"tags that cross":             replace("</saml:Subject>", "</saml:Conditions>"),
		"end of CDATA in text":        replace("4711", "47]]>11"),
		"deflated":                    func(string) string { return "\x78\x9c\x03\x00" },
		"empty":                       func(string) string { return "<>" },
		"another root":                func(string) string { return `<a><b/></a>` },
		"nested too deeply":           replace("<saml:Subject>", strings.Repeat("<x>", 70)+strings.Repeat("</x>", 70)+"<saml:Subject>"),
		"too many elements":           replace("<saml:Subject>", strings.Repeat("<x/>", 4096)+"<saml:Subject>"),
		"too many attributes":         replace("<saml:Subject>", "<saml:Subject"+manyAttributes(65)+">"),
		"too many attributes in all":  replace("<saml:Subject>", strings.Repeat("<x"+manyAttributes(64)+"/>", 64)+"<saml:Subject>"),
	} {
		t.Run(name, func(t *testing.T) {
			r, s := newRig(t), said()
			s.raw = raw
			r.refuses(r.call(form(s.issue(t))), 400, invalidToken, badResponse)
		})
	}
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` a%d=""`, i)
	}
	return b.String()
}

func TestRefusesBase64(t *testing.T) {
	good := said().issue(t)
	for name, encoded := range map[string]string{
		"URL-safe":          strings.NewReplacer("+", "-", "/", "_").Replace(encode([]byte(">>>???>>>"))),
		"a blank":           good[:100] + " " + good[100:],
		"no padding":        strings.TrimRight(encode([]byte("<abc>x")), "=") + "A",
		"stray bits":        "PGE+PB==",
		"not base64 at all": "<samlp:Response/>",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.refuses(r.call(form(encoded)), 400, invalidToken, "Invalid base64 SAMLResponse")
		})
	}
}
