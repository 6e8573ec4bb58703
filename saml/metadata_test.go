package saml_test

import (
	"crypto/x509"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// document is metadata with the certificate of the test IdP.
func document(t *testing.T, change func(string) string) string {
	t.Helper()
	text := string(newIdP(t).Metadata())
	if change == nil {
		return text
	}
	changed := change(text)
	if changed == text {
		t.Fatal("nothing was changed")
	}
	return changed
}

func swap(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

func TestParseMetadata(t *testing.T) {
	m, err := saml.ParseMetadata([]byte(document(t, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if m.EntityID != idpID || m.SSO != "https://idp.example.com/sso" || len(m.Certificates) != 1 || !m.ValidUntil.IsZero() || m.WantAuthnRequestsSigned || m.ByteOrderMark {
		t.Errorf("read %+v", m)
	}
}

// TestMetadataOfRealIdPs has what is right and different.
func TestMetadataOfRealIdPs(t *testing.T) {
	for name, c := range map[string]struct {
		change func(string) string
		right  func(*saml.Metadata) bool
	}{
		"a byte order mark": {func(s string) string { return "\ufeff" + s }, func(m *saml.Metadata) bool { return m.ByteOrderMark }},
		"white space first": {func(s string) string { return "\n  " + s }, nil},
		"a comment":         {swap("<md:IDPSSO", "<!-- made by hand --><md:IDPSSO"), nil},
		"Keycloak's wish":   {swap(`WantAuthnRequestsSigned="false"`, `WantAuthnRequestsSigned="true"`), func(m *saml.Metadata) bool { return m.WantAuthnRequestsSigned }},
		"no use":            {swap(` use="signing"`, ""), nil},
		"an end":            {swap("<md:EntityDescriptor ", `<md:EntityDescriptor validUntil="2026-04-01T00:00:00Z" `), func(m *saml.Metadata) bool { return m.ValidUntil.Equal(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)) }},
		"an earlier end inside": {func(s string) string {
			return swap("<md:IDPSSODescriptor ", `<md:IDPSSODescriptor validUntil="2026-03-20T00:00:00Z" `)(swap("<md:EntityDescriptor ", `<md:EntityDescriptor validUntil="2026-04-01T00:00:00Z" `)(s))
		}, func(m *saml.Metadata) bool { return m.ValidUntil.Day() == 20 }},
		"WS-Federation besides":  {swap("<md:IDPSSO", `<md:RoleDescriptor xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706" protocolSupportEnumeration="x"><fed:TokenTypesOffered/></md:RoleDescriptor><md:IDPSSO`), nil},
		"SAML 1.1 besides":       {swap("<md:IDPSSO", `<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol"/><md:IDPSSO`), nil},
		"a query in the address": {swap("https://idp.example.com/sso", "https://idp.example.com/sso?idpid=C01"), func(m *saml.Metadata) bool { return strings.HasSuffix(m.SSO, "?idpid=C01") }},
		"loopback":               {swap("https://idp.example.com/sso", "http://127.0.0.1:9003/sso"), func(m *saml.Metadata) bool { return m.SSO == "http://127.0.0.1:9003/sso" }},
		"localhost":              {swap("https://idp.example.com/sso", "http://localhost:9003/sso"), nil},
		"an encryption key":      {swap("<md:NameID", `<md:KeyDescriptor use="encryption"/><md:NameID`), nil},
		"a certificate in lines": {func(s string) string { return swap("MII", "\n   MII")(s) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := saml.ParseMetadata([]byte(document(t, c.change)))
			if err != nil {
				t.Fatal(err)
			}
			if m.EntityID != idpID || len(m.Certificates) != 1 || c.right != nil && !c.right(m) {
				t.Errorf("read %+v", m)
			}
		})
	}
}

// TestBadMetadata: what people give instead of an IdP's metadata is refused
// with words that say what to do. The catalogue has the rest.
func TestBadMetadata(t *testing.T) {
	for name, c := range map[string]struct{ document, word string }{
		"a page":                {"<html><body>Sign in</body></html>", "sign-in page"},
		"a page with a DOCTYPE": {"<!DOCTYPE html><html/>", "web page"},
		"a page that is no XML": {"\n<!doctype HTML>\n<html><p>Sign in<br></html>", "sign-in page"},
		"another DOCTYPE":       {"<!DOCTYPE x><x/>", "DOCTYPE"},
		"PowerShell's UTF-16":   {"\xff\xfe<\x00x\x00", "UTF-8 without a byte order mark"},
		"a collection":          {`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>`, "collection"},
		"no namespace":          {"<EntityDescriptor/>", "EntityDescriptor"},
		"a service provider's":  {string(newSP(t, newIdP(t)).Metadata()), "service provider"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := saml.ParseMetadata([]byte(c.document))
			if err == nil {
				t.Fatalf("read %+v", m)
			}
			if !strings.Contains(err.Error(), c.word) {
				t.Errorf("the error does not say %q: %v", c.word, err)
			}
		})
	}
}

// TestWhenMetadataEnds: the last certificate counts, unless validUntil is first.
func TestWhenMetadataEnds(t *testing.T) {
	at := func(day int) time.Time { return noon.AddDate(0, 0, day) }
	two := []*x509.Certificate{{NotAfter: at(3)}, {NotAfter: at(7)}, {NotAfter: at(5)}}
	for name, c := range map[string]struct {
		m    saml.Metadata
		want time.Time
		why  string
	}{
		"no validUntil":  {saml.Metadata{Certificates: two}, at(7), "certificate"},
		"a later one":    {saml.Metadata{Certificates: two, ValidUntil: at(8)}, at(7), "certificate"},
		"an earlier one": {saml.Metadata{Certificates: two, ValidUntil: at(6)}, at(6), "validUntil"},
	} {
		if end, why := c.m.Ends(); !end.Equal(c.want) || !strings.Contains(why, c.why) {
			t.Errorf("%s: %v, %s", name, end, why)
		}
	}
}

// TestWeakKeyBesides: a weak key that is announced beside a strong one does
// not count, and does not keep the strong one from counting.
func TestWeakKeyBesides(t *testing.T) {
	weak, err := samltest.NewKey(1024)
	if err != nil {
		t.Fatal(err)
	}
	idp := newIdPWith(t, samltest.Options{Announced: []*samltest.Key{weak}})
	sp := newSP(t, idp)
	accept(t, sp, idp.Response(right()), expected)
	refuse(t, sp, idp.Response(but(func(s *samltest.Spec) {
		s.AssertionSignature.Key, s.ResponseSignature.Key = weak, weak
	})), expected, "saml_certificate")
}

// TestOwnMetadata: what IdPs choke on is not in it.
func TestOwnMetadata(t *testing.T) {
	sp := newSP(t, newIdP(t))
	sp.EntityID = `https://label.example.com/?a=1&b="2"`
	text := string(sp.Metadata())
	for _, wanted := range []string{
		`entityID="https://label.example.com/?a=1&amp;b=&#34;2&#34;"`, `Location="` + acs + `"`, "HTTP-POST", `WantAssertionsSigned="true"`, `AuthnRequestsSigned="false"`,
	} {
		if !strings.Contains(text, wanted) {
			t.Errorf("no %s in %s", wanted, text)
		}
	}
	for _, unwanted := range []string{"KeyDescriptor", "validUntil", "NameIDFormat", "SingleLogout", "cacheDuration"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("%s in %s", unwanted, text)
		}
	}
}

// FuzzParseMetadata: whatever is accepted can be used.
func FuzzParseMetadata(f *testing.F) {
	idp, err := samltest.New(samltest.Options{EntityID: idpID, SSOURL: "https://idp.example.com/sso"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(idp.Metadata())
	f.Add([]byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>`))
	f.Fuzz(func(t *testing.T, document []byte) {
		m, err := saml.ParseMetadata(document)
		if err != nil {
			return
		}
		if m.EntityID == "" || len(m.Certificates) == 0 || !strings.HasPrefix(m.SSO, "http") {
			t.Errorf("accepted %+v", m)
		}
	})
}

// TestKeyFile: the demo's IdP keeps its key, readable by its owner only.
func TestKeyFile(t *testing.T) {
	path := t.TempDir() + "/idp.pem"
	made, err := samltest.KeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := samltest.KeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !made.Certificate.Equal(again.Certificate) || !made.Private.Equal(again.Private) {
		t.Error("the key changed")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
