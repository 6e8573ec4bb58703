package saml_test

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// ask makes a request and has the test IdP read it.
func ask(t *testing.T, sp *saml.ServiceProvider, options saml.AuthnRequestOptions) (string, samltest.AuthnRequest, *url.URL) {
	t.Helper()
	m, err := sp.AuthnRequest(options)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(m.Location)
	if err != nil {
		t.Fatal(err)
	}
	request, err := samltest.ParseAuthnRequest(httptest.NewRequest("GET", u.RequestURI(), nil))
	if err != nil {
		t.Fatal(err)
	}
	return m.ID, request, u
}

func TestAuthnRequest(t *testing.T) {
	sp := newSP(t, newIdP(t))
	const relay = "a b&c=d/é?#"
	id, request, u := ask(t, sp, saml.AuthnRequestOptions{ForceAuthn: true, RelayState: relay})
	want := samltest.AuthnRequest{ID: id, Issuer: samltest.AWSAudience, Destination: "https://idp.example.com/sso", IssueInstant: noon, ACS: acs, ForceAuthn: true, RelayState: relay}
	if request != want {
		t.Errorf("the IdP reads %+v, want %+v", request, want)
	}
	if !strings.HasPrefix(u.String(), "https://idp.example.com/sso?SAMLRequest=") {
		t.Errorf("the browser goes to %s", u)
	}
	if _, request, _ = ask(t, sp, saml.AuthnRequestOptions{}); request.ForceAuthn || request.RelayState != "" {
		t.Errorf("asked for more than was wanted: %+v", request)
	}
}

// TestAuthnRequestAsksForLittle: what fails at Entra (AADSTS75011) and AD FS
// (MSIS7070) is not asked for.
func TestAuthnRequestAsksForLittle(t *testing.T) {
	sp := newSP(t, newIdP(t))
	sp.Rand = bytes.NewReader(make([]byte, 20))
	id, request, u := ask(t, sp, saml.AuthnRequestOptions{})
	if id != "id-"+strings.Repeat("00", 20) || request.ID != id {
		t.Errorf("the ID is %q", id)
	}
	raw, err := samltest.Inflate(u.Query().Get("SAMLRequest"))
	if err != nil {
		t.Fatal(err)
	}
	for _, unwanted := range []string{"RequestedAuthnContext", "NameIDPolicy", "IsPassive", "Signature", "ForceAuthn"} {
		if bytes.Contains(raw, []byte(unwanted)) {
			t.Errorf("%s in %s", unwanted, raw)
		}
	}
}

// TestAuthnRequestKeepsTheQuery: Google's address has one of its own.
func TestAuthnRequestKeepsTheQuery(t *testing.T) {
	sp := newSP(t, newIdP(t))
	sp.IdP.Metadata.SSO = "https://accounts.google.com/o/saml2/idp?idpid=C01"
	_, _, u := ask(t, sp, saml.AuthnRequestOptions{RelayState: "r"})
	if q := u.Query(); q.Get("idpid") != "C01" || q.Get("RelayState") != "r" || len(q) != 3 {
		t.Errorf("the query is %v", q)
	}
}

func TestAuthnRequestFails(t *testing.T) {
	sp := newSP(t, newIdP(t))
	if _, err := sp.AuthnRequest(saml.AuthnRequestOptions{RelayState: strings.Repeat("r", 81)}); err == nil {
		t.Error("a RelayState of 81 bytes was taken")
	}
	sp.Rand = bytes.NewReader(make([]byte, 19))
	if _, err := sp.AuthnRequest(saml.AuthnRequestOptions{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a request without randomness: %v", err)
	}
}

// TestRoundTrip is one login as a whole: the IdP answers what it was asked.
func TestRoundTrip(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	id, request, _ := ask(t, sp, saml.AuthnRequestOptions{ForceAuthn: true})
	encoded := idp.Response(but(func(s *samltest.Spec) { s.ACS, s.InResponseTo = request.ACS, request.ID }))
	if a := accept(t, sp, encoded, saml.Expect{RequestID: id, AuthenticatedSince: noon}); a.InResponseTo != id {
		t.Errorf("it answers %q", a.InResponseTo)
	}
	other, _, _ := ask(t, sp, saml.AuthnRequestOptions{})
	refuse(t, sp, encoded, saml.Expect{RequestID: other}, "saml_in_response_to")
}
