package saml_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

const slo = "https://label.example.com/rolepass/saml/slo"

// newLogoutSP has a key and a logout service, as its IdP does.
func newLogoutSP(t *testing.T) (*samltest.IdP, *saml.ServiceProvider) {
	t.Helper()
	idp := newIdPWith(t, samltest.Options{SLOURL: "https://idp.example.com/slo"})
	sp := newSP(t, idp)
	sp.SLO, sp.Keys = slo, newSigningKeys(t, 1)
	return idp, sp
}

// newSigningKeys makes keys in the order of their age.
func newSigningKeys(t *testing.T, n int) []*saml.SigningKey {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		if _, err := saml.NewSigningKey(dir, noon.Add(time.Duration(i)*time.Hour), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := saml.LoadSigningKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestSigningKeysThatCannotBeListed are not none: nobody is told to make a key.
func TestSigningKeysThatCannotBeListed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "saml-keys")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := saml.LoadSigningKeys(file); err == nil || strings.Contains(err.Error(), "keys saml") {
		t.Errorf("the error is %v", err)
	}
}

// rightLogout is a request in which nothing is wrong.
func rightLogout() samltest.Logout {
	return samltest.Logout{Destination: slo, NameID: "ada", NameIDFormat: samltest.Persistent, Sessions: []string{"s1"}}
}

// TestLogoutRequestsByRedirectAndByPost: what is right and different is read.
// What has to be refused is in the catalogue.
func TestLogoutRequestsByRedirectAndByPost(t *testing.T) {
	idp, sp := newLogoutSP(t)
	for name, change := range map[string]func(*samltest.Logout){
		"right":            func(*samltest.Logout) {},
		"no session named": func(l *samltest.Logout) { l.Sessions = nil },
		"a relay state":    func(l *samltest.Logout) { l.RelayState = "back" },
		"RSA-SHA512":       func(l *samltest.Logout) { l.Sign.Method, l.Sign.Digest = samltest.RSASHA512, samltest.SHA512 },
		"no KeyInfo":       func(l *samltest.Logout) { l.Sign.WithoutKeyInfo = true },
	} {
		l := rightLogout()
		change(&l)
		t.Run(name, func(t *testing.T) {
			got, relayState, err := sp.ReadLogoutQuery(idp.LogoutQuery(l))
			judged(t, "by redirect", got, err)
			if err == nil && relayState != l.RelayState {
				t.Errorf("the relay state is %q", relayState)
			}
			got, err = sp.ReadLogoutForm(idp.LogoutForm(l))
			judged(t, "by post", got, err)
		})
	}
}

func judged(t *testing.T, how string, got *saml.Logout, err error) {
	t.Helper()
	if err != nil || got.NameID != "ada" || got.Answer || got.NameIDFormat != samltest.Persistent {
		t.Errorf("%s: %+v, %v", how, got, err)
	}
}

// A query is signed as it was sent: whatever is changed in it is refused, byte
// by byte, and so is a signature by a key that the metadata does not have.
func TestALogoutQueryIsSignedToTheLastByte(t *testing.T) {
	idp, sp := newLogoutSP(t)
	l := rightLogout()
	l.RelayState = "back"
	query := idp.LogoutQuery(l)
	for i := range query {
		changed := []byte(query)
		changed[i] ^= 1
		if got, _, err := sp.ReadLogoutQuery(string(changed)); err == nil {
			t.Errorf("byte %d changed from %q to %q, and %+v came out", i, query[i], changed[i], got)
		}
	}
	stranger, err := samltest.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, odd := range map[string]string{
		"the relay state left out": strings.Replace(query, "&RelayState=back", "", 1),
		"a second message":         query + "&SAMLResponse=x",
		"the message twice":        query + "&" + query[:strings.Index(query, "&")],
		"a second signature":       query + "&Signature=x",
		"another's key":            idp.LogoutQuery(samltest.Logout{Destination: slo, NameID: "ada", Sign: samltest.Signature{Key: stranger}}),
		"empty":                    "",
	} {
		if _, _, err := sp.ReadLogoutQuery(odd); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	field, value := idp.LogoutForm(samltest.Logout{Destination: slo, NameID: "ada", Sign: samltest.Signature{Key: stranger}})
	if _, err := sp.ReadLogoutForm(field, value); err == nil {
		t.Error("a form with another's key is accepted")
	}
	tampered := rightLogout()
	tampered.AfterSigning = samltest.SetText("./LogoutRequest/NameID", "admin")
	if _, err := sp.ReadLogoutForm(idp.LogoutForm(tampered)); err == nil {
		t.Error("a form whose person was changed is accepted")
	}
	if _, err := sp.ReadLogoutForm("SAMLResponse", value); err == nil {
		t.Error("a request is accepted as an answer")
	}
}

func TestLogoutAnswers(t *testing.T) {
	idp, sp := newLogoutSP(t)
	for status, want := range map[string]bool{samltest.Success: true, samltest.Responder: false} {
		l := samltest.Logout{Answer: true, Destination: slo, InResponseTo: "id-ours", Status: status}
		for _, read := range []func() (*saml.Logout, error){
			func() (*saml.Logout, error) { got, _, err := sp.ReadLogoutQuery(idp.LogoutQuery(l)); return got, err },
			func() (*saml.Logout, error) { return sp.ReadLogoutForm(idp.LogoutForm(l)) },
		} {
			if got, err := read(); err != nil || !got.Answer || got.Success != want || got.InResponseTo != "id-ours" {
				t.Errorf("%s: %+v, %v", status, got, err)
			}
		}
	}
}

// What we send is signed by our first key, and the IdP can tell.
func TestOurMessagesAreSigned(t *testing.T) {
	_, sp := newLogoutSP(t)
	sp.Keys = newSigningKeys(t, 2)
	out, err := sp.LogoutRequest(saml.Subject{NameID: "ada", NameIDFormat: samltest.Persistent, SessionIndex: "s1"})
	if err != nil {
		t.Fatal(err)
	}
	inflated := signedQuery(t, out.Location, "SAMLRequest", sp.Keys[0])
	for _, want := range []string{`Destination="https://idp.example.com/slo"`, ">ada</saml:NameID>", ">s1</samlp:SessionIndex>", out.ID} {
		if !strings.Contains(inflated, want) {
			t.Errorf("the logout request has no %s: %s", want, inflated)
		}
	}
	answer, err := sp.LogoutResponse(&saml.Logout{ID: "id-theirs"}, "back")
	if err != nil {
		t.Fatal(err)
	}
	if text := signedQuery(t, answer.Location, "SAMLResponse", sp.Keys[0]); !strings.Contains(text, `InResponseTo="id-theirs"`) || !strings.Contains(answer.Location, "&RelayState=back&") {
		t.Errorf("the answer is %s at %s", text, answer.Location)
	}
	asked, err := sp.AuthnRequest(saml.AuthnRequestOptions{RelayState: "r"})
	if err != nil {
		t.Fatal(err)
	}
	signedQuery(t, asked.Location, "SAMLRequest", sp.Keys[0])

	sp.PostRequests, sp.AuthnContext = true, []string{"https://refeds.org/profile/mfa"}
	posted, err := sp.AuthnRequest(saml.AuthnRequestOptions{RelayState: "r", ForceAuthn: true})
	if err != nil || posted.Form == nil || posted.Form.RelayState != "r" || posted.Form.Field != "SAMLRequest" {
		t.Fatalf("%+v, %v", posted, err)
	}
	signedForm(t, posted.Form.Value, sp.Keys[0], ">https://refeds.org/profile/mfa<", `Comparison="exact"`, `ForceAuthn="true"`)

	sp.IdP.Metadata.SLO = ""
	if out, err = sp.LogoutRequest(saml.Subject{NameID: "ada"}); err != nil || out.Form == nil {
		t.Fatalf("%+v, %v", out, err)
	}
	signedForm(t, out.Form.Value, sp.Keys[0], ">ada<")
}

// signedQuery checks a redirect as an IdP would, and gives its document.
func signedQuery(t *testing.T, location, field string, key *saml.SigningKey) string {
	t.Helper()
	_, query, _ := strings.Cut(location, "?")
	signed, encoded, ok := strings.Cut(query, "&Signature=")
	if !ok {
		t.Fatalf("%s is not signed", location)
	}
	unescaped, err := url.QueryUnescape(encoded)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString(unescaped)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(signed))
	if err := rsa.VerifyPKCS1v15(key.Certificate.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], signature); err != nil {
		t.Fatalf("%s: %v", location, err)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	document, err := samltest.Inflate(values.Get(field))
	if err != nil {
		t.Fatal(err)
	}
	return string(document)
}

func certificatesOf(key *saml.SigningKey) []*x509.Certificate {
	return []*x509.Certificate{key.Certificate}
}

// signedForm checks an enveloped signature as an IdP would.
func signedForm(t *testing.T, value string, key *saml.SigningKey, want ...string) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		t.Fatal(err)
	}
	document := etree.NewDocument()
	if err := document.ReadFromBytes(raw); err != nil {
		t.Fatal(err)
	}
	context := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: certificatesOf(key)})
	context.Clock = dsig.NewFakeClockAt(noon)
	if _, err := context.Validate(document.Root()); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	if second := document.Root().ChildElements()[1]; second.Tag != "Signature" {
		t.Errorf("the schema wants the signature behind the Issuer: %s", second.Tag)
	}
	for _, text := range want {
		if !strings.Contains(string(raw), text) {
			t.Errorf("no %s in %s", text, raw)
		}
	}
}

// Our metadata has every key, so that an IdP learns a new one before anything
// is signed with it; without a key it has none, and no logout service.
func TestOurMetadataWithKeysAndWithout(t *testing.T) {
	_, sp := newLogoutSP(t)
	sp.Keys = newSigningKeys(t, 2)
	var with struct {
		SP struct {
			Signed string `xml:"AuthnRequestsSigned,attr"`
			Keys   []struct {
				Use string `xml:"use,attr"`
			} `xml:"KeyDescriptor"`
			SLO []struct {
				Location string `xml:"Location,attr"`
			} `xml:"SingleLogoutService"`
		} `xml:"SPSSODescriptor"`
	}
	if err := xml.Unmarshal(sp.Metadata(), &with); err != nil {
		t.Fatal(err)
	}
	if len(with.SP.Keys) != 2 || with.SP.Keys[0].Use != "signing" || with.SP.Signed != "true" || len(with.SP.SLO) != 2 || with.SP.SLO[0].Location != slo {
		t.Errorf("with two keys: %+v", with)
	}
	for _, key := range sp.Keys {
		if !strings.Contains(string(sp.Metadata()), base64.StdEncoding.EncodeToString(key.Certificate.Raw)) {
			t.Error("a key is not published")
		}
	}
	sp.Keys = nil
	if text := string(sp.Metadata()); strings.Contains(text, "KeyDescriptor") || strings.Contains(text, "SingleLogoutService") || !strings.Contains(text, `AuthnRequestsSigned="false"`) {
		t.Errorf("without keys: %s", text)
	}
	if out, err := sp.LogoutRequest(saml.Subject{NameID: "ada"}); out != nil || err != nil {
		t.Errorf("without a key, %+v is sent (%v)", out, err)
	}
}
