package idp_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/rolepass/rolepass/e2e/demo/idp"
)

const (
	acs    = "http://localhost:8080/rolepass/saml/acs"
	entity = "http://localhost:8080/rolepass/saml/metadata"
	role   = "arn:aws:iam::111122223333:role/radiology,arn:aws:iam::111122223333:saml-provider/demo"
	second = "arn:aws:iam::111122223333:role/research,arn:aws:iam::111122223333:saml-provider/demo"
)

// browser visits one provider, and keeps its cookies.
type browser struct {
	t       *testing.T
	address string
	client  *http.Client
}

func visits(t *testing.T) *browser {
	t.Helper()
	var provider http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { provider.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	made, err := idp.New(idp.Options{Address: server.URL, Application: idp.Application{ACS: acs, EntityID: entity}, People: []idp.Person{
		{Name: "rosa", Password: "right", Email: "rosa@hospital.example", First: "Rosa", Last: "Diaz", Roles: []string{role, second}},
		{Name: "ravi", Password: "also right", Email: "ravi@hospital.example", Roles: []string{role}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	provider = made
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, server.URL, &http.Client{Jar: jar}}
}

func (b *browser) reads(response *http.Response, err error) (status int, page string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// arrives comes with an AuthnRequest, as a service provider sends people.
func (b *browser) arrives(id string, forced bool, acs, entity string) (status int, page string) {
	b.t.Helper()
	xml := fmt.Sprintf(`<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="%s" Version="2.0" IssueInstant="2026-11-24T12:00:00Z" Destination="%s/sso" AssertionConsumerServiceURL="%s" ForceAuthn="%t"><saml:Issuer>%s</saml:Issuer></samlp:AuthnRequest>`, id, b.address, acs, forced, entity)
	var deflated bytes.Buffer
	w, err := flate.NewWriter(&deflated, flate.BestCompression)
	if err == nil {
		_, err = io.WriteString(w, xml)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	query := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(deflated.Bytes())}, "RelayState": {"back & forth"}}
	return b.reads(b.client.Get(b.address + "/sso?" + query.Encode()))
}

// signsIn fills in the form of a login page, with no more than a pattern.
func (b *browser) signsIn(page, name, password string) (status int, answer string) {
	b.t.Helper()
	return b.reads(b.client.PostForm(b.address+found(b.t, page, `action="([^"&]*)"`), url.Values{"username": {name}, "password": {password}}))
}

func found(t *testing.T, page, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(page)
	if match == nil {
		t.Fatalf("no %s on the page:\n%s", pattern, page)
	}
	return match[1]
}

func asks(page string) bool { return strings.Contains(page, `name="password"`) }

// response reads the SAMLResponse of an answer as it stands in the page.
func response(t *testing.T, page string) *etree.Document {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(found(t, page, `name="SAMLResponse" value="([^"]*)"`))
	if err != nil {
		t.Fatal(err)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(text); err != nil {
		t.Fatal(err)
	}
	return doc
}

func texts(doc *etree.Document, path string) (all []string) {
	for _, element := range doc.FindElements(path) {
		all = append(all, element.Text())
	}
	return all
}

func TestAnAnswerSaysWhatAWSNeeds(t *testing.T) {
	b := visits(t)
	_, page := b.arrives("_one", false, acs, entity)
	status, answer := b.signsIn(page, "rosa", "right")
	if status != http.StatusOK || found(t, answer, `action="([^"]*)"`) != acs || found(t, answer, `method="([^"]*)"`) != "post" {
		t.Fatalf("%d:\n%s", status, answer)
	}
	if relay := found(t, answer, `name="RelayState" value="([^"]*)"`); relay != "back &amp; forth" {
		t.Errorf("the relay state is %q", relay)
	}
	doc := response(t, answer)
	attribute := func(name string) []string {
		return texts(doc, fmt.Sprintf("//Attribute[@Name='%s']/AttributeValue", name))
	}
	root := doc.Root()
	for what, pair := range map[string][2]string{
		"InResponseTo": {root.SelectAttrValue("InResponseTo", ""), "_one"},
		"Destination":  {root.SelectAttrValue("Destination", ""), acs},
		"e-mail":       {strings.Join(attribute("email"), " "), "rosa@hospital.example"},
		"session name": {strings.Join(attribute("https://aws.amazon.com/SAML/Attributes/RoleSessionName"), " "), "rosa@hospital.example"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
		}
	}
	if got := attribute("https://aws.amazon.com/SAML/Attributes/Role"); !slices.Equal(got, []string{role, second}) {
		t.Errorf("roles are %q", got)
	}
	if got := texts(doc, "//Audience"); !slices.Contains(got, entity) || !slices.Contains(got, "urn:amazon:webservices") {
		t.Errorf("audiences are %q", got)
	}
	if name := doc.FindElement("//NameID"); name == nil || !strings.HasSuffix(name.SelectAttrValue("Format", ""), ":persistent") {
		t.Error("the NameID is not persistent")
	}
}

func TestASecondLoginIsSilentUnlessForced(t *testing.T) {
	b := visits(t)
	_, page := b.arrives("_one", false, acs, entity)
	_, first := b.signsIn(page, "rosa", "right")

	_, silent := b.arrives("_two", false, acs, entity)
	if asks(silent) || response(t, silent).Root().SelectAttrValue("InResponseTo", "") != "_two" {
		t.Errorf("the second login is not silent:\n%s", silent)
	}
	if a, b := texts(response(t, first), "//NameID"), texts(response(t, silent), "//NameID"); !slices.Equal(a, b) || len(a) != 1 {
		t.Errorf("NameIDs of one person: %q, %q", a, b)
	}
	_, forced := b.arrives("_three", true, acs, entity)
	if !asks(forced) || strings.Contains(forced, "SAMLResponse") {
		t.Fatalf("ForceAuthn does not ask:\n%s", forced)
	}
	if _, other := b.signsIn(forced, "ravi", "also right"); slices.Equal(texts(response(t, other), "//NameID"), texts(response(t, first), "//NameID")) {
		t.Error("two people have one NameID")
	}
}

func TestWrongPasswordsOpenNothing(t *testing.T) {
	b := visits(t)
	_, page := b.arrives("_one", false, acs, entity)
	for _, wrong := range [][2]string{{"rosa", "wrong"}, {"rosa", ""}, {"rosa", "also right"}, {"nobody", "right"}, {"", ""}} {
		status, answer := b.signsIn(page, wrong[0], wrong[1])
		if status != http.StatusForbidden || strings.Contains(answer, "SAMLResponse") || !asks(answer) {
			t.Errorf("%q: %d\n%s", wrong, status, answer)
		}
	}
	if _, again := b.arrives("_two", false, acs, entity); !asks(again) {
		t.Error("a wrong password made a session")
	}
	// The page that complains still knows where to go on.
	_, complaint := b.signsIn(page, "rosa", "wrong")
	if _, answer := b.signsIn(complaint, "rosa", "right"); response(t, answer).Root().SelectAttrValue("InResponseTo", "") != "_one" {
		t.Error("the second try answers another request")
	}
}

func TestOnlyItsOwnServiceProviderIsServed(t *testing.T) {
	b := visits(t)
	_, page := b.arrives("_one", false, acs, entity)
	b.signsIn(page, "rosa", "right")
	for _, other := range [][2]string{{"http://localhost:9999/acs", entity}, {acs, "http://localhost:9999/metadata"}} {
		if status, answer := b.arrives("_two", false, other[0], other[1]); status != http.StatusBadRequest || strings.Contains(answer, "SAMLResponse") {
			t.Errorf("%q: %d", other, status)
		}
	}
	for _, address := range []string{"/sso", "/sso?SAMLRequest=AAAA"} {
		if status, _ := b.reads(b.client.Get(b.address + address)); status != http.StatusBadRequest {
			t.Errorf("%s: %d", address, status)
		}
	}
	for _, address := range []string{"/login", "/login?request=%2F", "/login?request=AAAA"} {
		if status, answer := b.reads(b.client.PostForm(b.address+address, url.Values{"username": {"rosa"}, "password": {"right"}})); status != http.StatusBadRequest || strings.Contains(answer, "SAMLResponse") {
			t.Errorf("%s: %d", address, status)
		}
	}
}
