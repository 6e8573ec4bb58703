package saml_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// TestRightResponse is the sibling of every refusal in this package: the same
// response with nothing wrong in it, signed in each of the three ways.
func TestRightResponse(t *testing.T) {
	for name, sign := range map[string]samltest.Signed{"both": samltest.SignBoth, "assertion": samltest.SignAssertion, "response": samltest.SignResponse} {
		t.Run(name, func(t *testing.T) {
			idp := newIdP(t)
			a := accept(t, newSP(t, idp), idp.Response(but(func(s *samltest.Spec) {
				s.Sign = sign
				s.AssertionID = "_a1"
				s.Audiences = []string{"https://elsewhere.example.com", samltest.AWSAudience}
				s.Roles = []string{provider + ", " + research, radiology + "," + provider, radiology + "," + provider}
				s.SessionNotOnOrAfter = noon.Add(8 * time.Hour)
				s.AuthnInstant = noon.Add(-time.Hour)
				s.Attributes = []samltest.Attribute{
					{Name: "mail", Values: []string{"ada@example.com"}},
					{Name: "givenName", Values: []string{"Ada"}},
					{Name: "sn", Values: []string{"Lövelace"}},
					{Name: "groups", Values: []string{"a", "b"}},
				}
			})), expected)

			want := saml.Principal{IdP: "corp", NameID: "4711", NameIDFormat: samltest.Persistent,
				SessionName: "ada@example.com", Email: "ada@example.com", FirstName: "Ada", LastName: "Lövelace"}
			if a.Principal != want {
				t.Errorf("principal %+v, want %+v", a.Principal, want)
			}
			if roles := []saml.Role{{ARN: research, Provider: provider}, {ARN: radiology, Provider: provider}}; !slices.Equal(a.Roles, roles) {
				t.Errorf("roles %v, want %v", a.Roles, roles)
			}
			if a.ID != "_a1" || a.Issuer != idpID || a.InResponseTo != requestID || a.Recipient != acs || !slices.Contains(a.Audiences, samltest.AWSAudience) {
				t.Errorf("envelope %q %q %q %q %q", a.ID, a.Issuer, a.InResponseTo, a.Recipient, a.Audiences)
			}
			if !a.IssueInstant.Equal(noon) || !a.AuthnInstant.Equal(noon.Add(-time.Hour)) ||
				!a.NotOnOrAfter.Equal(noon.Add(5*time.Minute)) || !a.SessionNotOnOrAfter.Equal(noon.Add(8*time.Hour)) {
				t.Errorf("times %v %v %v %v", a.IssueInstant, a.AuthnInstant, a.NotOnOrAfter, a.SessionNotOnOrAfter)
			}
			if !slices.Equal(a.Attributes["groups"], []string{"a", "b"}) {
				t.Errorf("groups %q", a.Attributes["groups"])
			}
		})
	}
}

// TestValuesArriveAsSent: characters that XML treats specially come through
// signing, canonical form and two readers unchanged, but for the ends of
// lines.
func TestValuesArriveAsSent(t *testing.T) {
	for _, value := range []string{"", " a ", "a&b<c>d'e\"f", "é 猫 𝄞", "a\tb\nc\r\nd\re", "]]>", "&amp;", "<!-- -->", "%s%n{}"} {
		idp := newIdP(t)
		a := accept(t, newSP(t, idp), idp.Response(but(func(s *samltest.Spec) {
			s.Attributes = []samltest.Attribute{{Name: "note", Values: []string{value}}}
		})), expected)
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(value)
		if got := a.Attributes["note"]; !slices.Equal(got, []string{want}) {
			t.Errorf("sent %q, read %q", value, got)
		}
	}
}

// TestPerson has who somebody is under the names of several IdPs.
func TestPerson(t *testing.T) {
	const claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	attribute := func(name, value string) samltest.Attribute {
		return samltest.Attribute{Name: name, Values: []string{value}}
	}
	for name, c := range map[string]struct {
		change             func(*samltest.Spec, *saml.IdP)
		email, first, last string
	}{
		"nothing": {func(*samltest.Spec, *saml.IdP) {}, "", "", ""},
		"Entra": {func(s *samltest.Spec, _ *saml.IdP) {
			s.Attributes = []samltest.Attribute{attribute(claims+"emailaddress", "a@b"), attribute(claims+"givenname", "Ada"), attribute(claims+"surname", "L")}
		}, "a@b", "Ada", "L"},
		"Shibboleth": {func(s *samltest.Spec, _ *saml.IdP) {
			s.Attributes = []samltest.Attribute{attribute("urn:oid:0.9.2342.19200300.100.1.3", "a@b"), attribute("urn:oid:2.5.4.42", "Ada"), attribute("urn:oid:2.5.4.4", "L")}
		}, "a@b", "Ada", "L"},
		"a name of its own": {func(s *samltest.Spec, idp *saml.IdP) {
			idp.Email = []string{"x-mail", "y-mail"}
			s.Attributes = []samltest.Attribute{attribute("email", "wrong@b"), attribute("y-mail", "a@b")}
		}, "a@b", "", ""},
		"an e-mail address as NameID": {func(s *samltest.Spec, _ *saml.IdP) {
			s.NameID, s.NameIDFormat = "a@b", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
		}, "a@b", "", ""},
		"odd values": {func(s *samltest.Spec, _ *saml.IdP) {
			s.Attributes = []samltest.Attribute{attribute("email", "a@b\r\nBcc: c@d"), attribute("givenName", " Ada "), {Name: "sn"}}
		}, "", "Ada", ""},
	} {
		t.Run(name, func(t *testing.T) {
			idp := newIdP(t)
			sp, spec := newSP(t, idp), right()
			c.change(&spec, &sp.IdP)
			p := accept(t, sp, idp.Response(spec), expected).Principal
			if p.Email != c.email || p.FirstName != c.first || p.LastName != c.last {
				t.Errorf("read %q, %q, %q", p.Email, p.FirstName, p.LastName)
			}
		})
	}
}

// TestNameIDWithoutFormat is of the format that SAML gives it then.
func TestNameIDWithoutFormat(t *testing.T) {
	idp := newIdP(t)
	a := accept(t, newSP(t, idp), idp.Response(but(func(s *samltest.Spec) { s.NameIDFormat = samltest.Absent })), expected)
	if a.Principal.NameIDFormat != "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified" {
		t.Errorf("format %q", a.Principal.NameIDFormat)
	}
}

// TestNobodyButTheIdPIsLogged: a Principal shows nothing of a person to a log.
func TestNobodyButTheIdPIsLogged(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("login", "who", saml.Principal{IdP: "corp", NameID: "4711", SessionName: "ada", Email: "a@b", FirstName: "Ada"})
	if text := out.String(); !strings.Contains(text, "corp") || strings.Contains(text, "4711") || strings.Contains(strings.ToLower(text), "ada") || strings.Contains(text, "a@b") {
		t.Error(text)
	}
}
