package samltest_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/saml/samltest"
)

func deflate(t *testing.T, document string) string {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(document)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

const request = `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ` +
	`ID="_1" Version="2.0" IssueInstant="2026-03-14T12:00:00Z" ForceAuthn="true"><saml:Issuer>sp</saml:Issuer></samlp:AuthnRequest>`

func TestParseAuthnRequest(t *testing.T) {
	get := func(encoded string) (samltest.AuthnRequest, error) {
		return samltest.ParseAuthnRequest(httptest.NewRequest("GET", "/sso?"+url.Values{"SAMLRequest": {encoded}, "RelayState": {"r"}}.Encode(), nil))
	}
	got, err := get(deflate(t, request))
	want := samltest.AuthnRequest{ID: "_1", Issuer: "sp", IssueInstant: time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC), ForceAuthn: true, RelayState: "r"}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for name, encoded := range map[string]string{
		"none":         "",
		"not base64":   "%%%",
		"not deflated": base64.StdEncoding.EncodeToString([]byte(request)),
		"a bomb":       deflate(t, request+strings.Repeat(" ", 1<<20)),
		"a response":   deflate(t, strings.ReplaceAll(request, "AuthnRequest", "Response")),
		"no ID":        deflate(t, strings.Replace(request, `ID="_1"`, "", 1)),
		"no Issuer":    deflate(t, strings.Replace(request, "sp<", "<", 1)),
		"SAML 1.1":     deflate(t, strings.Replace(request, "2.0\" Iss", "1.1\" Iss", 1)),
	} {
		if got, err := get(encoded); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
}

func TestParseKey(t *testing.T) {
	key, err := samltest.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := key.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := samltest.ParseKey(pem); err != nil || !again.Private.Equal(key.Private) || !again.Certificate.Equal(key.Certificate) {
		t.Errorf("the key changed, %v", err)
	}
	other, err := samltest.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := (&samltest.Key{Private: other.Private, Certificate: key.Certificate}).MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"nothing":                  nil,
		"half":                     pem[:bytes.Index(pem, []byte("-----BEGIN CERT"))],
		"somebody's certificate":   mixed,
		"a private key of nothing": bytes.Replace(pem, []byte("MII"), []byte("AAA"), 1),
	} {
		if _, err := samltest.ParseKey(data); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func TestNewNeedsANameAndAnAddress(t *testing.T) {
	for _, options := range []samltest.Options{{}, {EntityID: "x"}, {SSOURL: "x"}} {
		if _, err := samltest.New(options); err == nil {
			t.Errorf("made an IdP of %+v", options)
		}
	}
}

// TestRefusingIdP: a status other than Success carries no assertion, as with
// real IdPs.
func TestRefusingIdP(t *testing.T) {
	idp, err := samltest.New(samltest.Options{EntityID: "idp", SSOURL: "https://idp.example.com/"})
	if err != nil {
		t.Fatal(err)
	}
	xml := string(idp.XML(samltest.Spec{ACS: "https://sp.example.com/acs", Status: samltest.Responder, StatusMessage: "no"}))
	if strings.Contains(xml, "Assertion>") || !strings.Contains(xml, "status:Responder") || !strings.Contains(xml, "<ds:Signature ") {
		t.Error(xml)
	}
}
