package samlsts_test

import (
	"strings"
	"testing"

	"github.com/beevik/etree"
)

// evil is a copy of an element that says what the attacker wants.
func evil(el *etree.Element, id string) *etree.Element {
	forged := el.Copy()
	if signature := forged.SelectElement("Signature"); signature != nil {
		forged.RemoveChild(signature)
	}
	if id != "" {
		forged.CreateAttr("ID", id)
	}
	forged.FindElement(".//NameID").SetText("admin")
	return forged
}

// Signature wrapping (Somorovsky et al., "On Breaking SAML", USENIX Security
// 2012): the signed element is moved aside, and a forged one takes its place.
func TestRefusesWrapping(t *testing.T) {
	for name, c := range map[string]struct {
		sign  string
		after func(response, assertion *etree.Element)
	}{
		"XSW1: response forged around the signed one, in the signature": {"response", func(r, a *etree.Element) {
			original := r.Copy()
			original.RemoveChild(original.SelectElement("Signature"))
			r.SelectElement("Signature").CreateElement("ds:Object").AddChild(original)
			r.CreateAttr("ID", "_evil")
			a.FindElement(".//NameID").SetText("admin")
		}},
		"XSW2: signed response before its detached signature": {"response", func(r, a *etree.Element) {
			original := r.Copy()
			original.RemoveChild(original.SelectElement("Signature"))
			r.InsertChildAt(r.SelectElement("Signature").Index(), original)
			r.CreateAttr("ID", "_evil")
			a.FindElement(".//NameID").SetText("admin")
		}},
		"XSW3: forged assertion before the signed one": {"assertion", func(r, a *etree.Element) { r.InsertChildAt(a.Index(), evil(a, "_evil")) }},
		"XSW3b: forged assertion after the signed one": {"assertion", func(r, a *etree.Element) { r.AddChild(evil(a, "_evil")) }},
		"XSW4: signed assertion inside the forged one": {"assertion", func(r, a *etree.Element) { wrap(r, a, func(f *etree.Element) *etree.Element { return f }) }},
		"XSW5: forged assertion with the signature, original at the end": {"assertion", func(r, a *etree.Element) {
			original := a.Copy()
			original.RemoveChild(original.SelectElement("Signature"))
			a.CreateAttr("ID", "_evil")
			a.FindElement(".//NameID").SetText("admin")
			r.AddChild(original)
		}},
		"XSW6: original inside the forged one's signature": {"assertion", func(r, a *etree.Element) {
			original := a.Copy()
			original.RemoveChild(original.SelectElement("Signature"))
			a.SelectElement("Signature").AddChild(original)
			a.CreateAttr("ID", "_evil")
			a.FindElement(".//NameID").SetText("admin")
		}},
		"XSW7: forged assertion in Extensions": {"assertion", func(r, a *etree.Element) {
			extensions := etree.NewElement("samlp:Extensions")
			extensions.AddChild(evil(a, ""))
			r.InsertChildAt(r.SelectElement("Status").Index(), extensions)
		}},
		"XSW8: original in an Object of the forged one's signature": {"assertion", func(r, a *etree.Element) {
			original := a.Copy()
			original.RemoveChild(original.SelectElement("Signature"))
			a.SelectElement("Signature").CreateElement("ds:Object").AddChild(original)
			a.CreateAttr("ID", "_evil")
			a.FindElement(".//NameID").SetText("admin")
		}},
		"original in the forged one's Advice": {"assertion", func(r, a *etree.Element) {
			wrap(r, a, func(f *etree.Element) *etree.Element { return f.CreateElement("saml:Advice") })
		}},
		"both signed, a forged one besides": {"both", func(r, a *etree.Element) { r.AddChild(evil(a, "_evil")) }},
		"the ID given twice":                {"assertion", func(r, a *etree.Element) { r.CreateAttr("ID", "_assertion") }},
		"the ID again in another spelling":  {"assertion", func(r, a *etree.Element) { r.SelectElement("Status").CreateAttr("Id", "_assertion") }},
		"two spellings of ID":               {"assertion", func(r, a *etree.Element) { a.CreateAttr("id", "_other") }},
		"an assertion of another namespace": {"assertion", func(r, a *etree.Element) { stray(r, "Assertion") }},
		"a signature of another namespace":  {"assertion", func(r, a *etree.Element) { stray(r, "Signature") }},
		"a signature deep in the assertion": {"assertion", func(r, a *etree.Element) {
			signature := a.SelectElement("Signature")
			a.RemoveChild(signature)
			a.SelectElement("AttributeStatement").AddChild(signature)
		}},
		"a signature behind the Subject": {"assertion", func(r, a *etree.Element) {
			signature := a.SelectElement("Signature")
			a.RemoveChild(signature)
			a.InsertChildAt(a.SelectElement("Subject").Index()+1, signature)
		}},
		"two signatures":              {"assertion", func(r, a *etree.Element) { a.InsertChildAt(1, a.SelectElement("Signature").Copy()) }},
		"an encrypted assertion":      {"response", func(r, a *etree.Element) { r.CreateElement("saml:EncryptedAssertion") }},
		"only an encrypted assertion": {"response", func(r, a *etree.Element) { r.RemoveChild(a); r.CreateElement("saml:EncryptedAssertion") }},
		"no assertion":                {"response", func(r, a *etree.Element) { r.RemoveChild(a) }},
		"two Subjects": {"response", func(r, a *etree.Element) {
			a.InsertChildAt(a.SelectElement("Subject").Index(), a.SelectElement("Subject").Copy())
		}},
		"no Status":             {"assertion", func(r, a *etree.Element) { r.RemoveChild(r.SelectElement("Status")) }},
		"two Statuses":          {"assertion", func(r, a *etree.Element) { r.InsertChildAt(a.Index(), r.SelectElement("Status").Copy()) }},
		"no StatusCode":         {"assertion", func(r, a *etree.Element) { r.SelectElement("Status").Child = nil }},
		"no ID on the response": {"assertion", func(r, a *etree.Element) { r.RemoveAttr("ID") }},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := newRig(t), said()
			s.sign = c.sign
			s.after = func(d *etree.Document) { c.after(d.Root(), d.Root().SelectElement("Assertion")) }
			o := r.call(form(s.issue(t)))
			r.refuses(o, 400, invalidToken, badResponse)
			if strings.Contains(o.Error.Message, "prefix") {
				t.Errorf("the attack is not even XML: %s", o.Error.Message)
			}
		})
	}
}

// wrap puts the signed assertion into a forged one.
func wrap(response, assertion *etree.Element, inner func(*etree.Element) *etree.Element) {
	forged := evil(assertion, "_evil")
	response.InsertChildAt(assertion.Index(), forged)
	response.RemoveChild(assertion)
	inner(forged).AddChild(assertion)
}

// stray adds an element that only its local name makes look familiar.
func stray(response *etree.Element, local string) {
	el := etree.NewElement(local)
	el.CreateAttr("xmlns", "urn:evil")
	extensions := etree.NewElement("samlp:Extensions")
	extensions.AddChild(el)
	response.InsertChildAt(response.SelectElement("Status").Index(), extensions)
}

// Nothing that is outside of the signed assertion can change what is granted.
func TestReadsOnlyWhatIsSigned(t *testing.T) {
	r, s := newRig(t), said()
	s.sign = "assertion"
	s.raw = func(x string) string {
		return strings.Replace(x, "<samlp:Status>", `<samlp:Extensions><NameID xmlns="urn:evil">admin</NameID><Attribute xmlns="urn:evil" Name="`+awsNames+`RoleSessionName"/></samlp:Extensions><samlp:Status>`, 1)
	}
	got := r.accepts(r.call(form(s.issue(t)))).Result
	if got.Subject != "4711" || r.orders[0].SessionName != "ada@example.com" {
		t.Errorf("granted to %s as %s", got.Subject, r.orders[0].SessionName)
	}
}

func TestSaysThatEncryptionIsNotSupported(t *testing.T) {
	r, s := newRig(t), said()
	s.after = func(d *etree.Document) { d.Root().CreateElement("saml:EncryptedAssertion") }
	r.refuses(r.call(form(s.issue(t))), 400, invalidToken, badResponse+"the assertion is encrypted")
}
