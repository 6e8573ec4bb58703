package saml_test

import (
	"slices"
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
