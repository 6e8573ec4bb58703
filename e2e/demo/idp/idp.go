// Package idp is the demonstration's identity provider: saml/samltest behind a
// login page. It knows a handful of people and one service provider, keeps a
// session of its own so that a second login is silent, asks again when it is
// told to (ForceAuthn), and asks nothing when it is told not to (IsPassive).
//
// It is for loopback only: its passwords stand on its own page.
package idp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"html/template"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rolepass/rolepass/saml/samltest"
)

//go:embed pages.html
var pagesHTML string

var pages = template.Must(template.New("pages").Parse(pagesHTML))

// cookieName is the identity provider's own session.
const cookieName = "idp_session"

// maxForm bounds name and password, in bytes.
const maxForm = 16 << 10

// Person is somebody who can sign in.
type Person struct {
	Name, Password     string
	Email, First, Last string
	// Roles are values of AWS's Role attribute: role ARN, comma, provider ARN.
	Roles []string
	// Groups are values of the attribute Groups, of which one may hold several,
	// joined by commas.
	Groups []string
}

// Application is a service provider: where its consumer service is, and its
// entity id.
type Application struct{ ACS, EntityID string }

// Options say who the provider is and whom it serves. All are required but
// More.
type Options struct {
	// Address is where it is reached, such as http://127.0.0.1:9003.
	Address string
	// Application is the service provider, More are further ones.
	Application
	More   []Application
	People []Person
}

// Provider is the identity provider, an http.Handler.
type Provider struct {
	options Options
	signer  *samltest.IdP
	mux     *http.ServeMux

	mu       sync.Mutex
	people   []Person
	sessions map[string]signedIn // by cookie
}

type signedIn struct {
	name  string
	since time.Time
}

// New makes a provider with a key of its own.
func New(o Options) (*Provider, error) {
	signer, err := samltest.New(samltest.Options{EntityID: o.Address + "/metadata", SSOURL: o.Address + "/sso"})
	if err != nil {
		return nil, err
	}
	p := &Provider{options: o, signer: signer, mux: http.NewServeMux(), people: slices.Clone(o.People), sessions: map[string]signedIn{}}
	p.mux.HandleFunc("GET /metadata", p.metadata)
	p.mux.HandleFunc("GET /sso", p.sso)
	p.mux.HandleFunc("POST /login", p.login)
	return p, nil
}

// ServeHTTP answers one request.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	p.mux.ServeHTTP(w, r)
}

// Enrols makes somebody known, or changes who they are from now on, also for
// logins that are still open. The persistent name stays with Person.Name.
func (p *Provider) Enrols(person Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.people {
		if p.people[i].Name == person.Name {
			p.people[i] = person
			return
		}
	}
	p.people = append(p.people, person)
}

// person finds somebody by name.
func (p *Provider) person(name string) (Person, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, person := range p.people {
		if person.Name == name {
			return person, true
		}
	}
	return Person{}, false
}

// Metadata is what service providers import.
func (p *Provider) Metadata() []byte { return p.signer.Metadata() }

func (p *Provider) metadata(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, _ = w.Write(p.Metadata())
}

// sso takes an AuthnRequest (HTTP-Redirect binding): who is signed in already
// goes straight back, unless they must prove it again.
func (p *Provider) sso(w http.ResponseWriter, r *http.Request) {
	request, ok := p.request(w, r)
	if !ok {
		return
	}
	if who, ok := p.known(r); ok && !request.ForceAuthn {
		p.answer(w, request, who)
		return
	}
	if request.IsPassive {
		p.says(w, request, samltest.Spec{
			ACS: request.ACS, InResponseTo: request.ID, SubStatus: "urn:oasis:names:tc:SAML:2.0:status:NoPassive",
			Status: "urn:oasis:names:tc:SAML:2.0:status:Responder",
		})
		return
	}
	p.ask(w, r, http.StatusOK, "")
}

// request reads the AuthnRequest in a query, and checks that it is one of our
// service providers'.
func (p *Provider) request(w http.ResponseWriter, r *http.Request) (samltest.AuthnRequest, bool) {
	request, err := samltest.ParseAuthnRequest(r)
	if err != nil || !p.serves(Application{request.ACS, request.Issuer}) {
		http.Error(w, "This is no login request of the application that this identity provider knows.", http.StatusBadRequest)
		return samltest.AuthnRequest{}, false
	}
	return request, true
}

func (p *Provider) serves(a Application) bool {
	return a == p.options.Application || slices.Contains(p.options.More, a)
}

// ask shows the login page. The AuthnRequest waits in the form's address, in
// letters that need no escaping: a script may take them as they stand.
func (p *Provider) ask(w http.ResponseWriter, r *http.Request, status int, problem string) {
	p.show(w, status, "login", struct {
		Request, Problem string
		People           []Person
	}{base64.RawURLEncoding.EncodeToString([]byte(r.URL.RawQuery)), problem, p.options.People})
}

// login checks name and password.
func (p *Provider) login(w http.ResponseWriter, r *http.Request) {
	query, err := base64.RawURLEncoding.DecodeString(r.URL.Query().Get("request"))
	if err != nil {
		http.Error(w, "This form is not one of this identity provider's.", http.StatusBadRequest)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	r.URL.RawQuery = string(query)
	request, ok := p.request(w, r)
	if !ok {
		return
	}
	person, ok := p.check(r.PostFormValue("username"), r.PostFormValue("password"))
	if !ok {
		p.ask(w, r, http.StatusForbidden, "Name and password do not belong together.")
		return
	}
	who := signedIn{name: person.Name, since: time.Now()}
	cookie := rand.Text()
	p.mu.Lock()
	p.sessions[cookie] = who
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	p.answer(w, request, who)
}

// check takes the same time for every wrong answer.
func (p *Provider) check(name, password string) (Person, bool) {
	found, ok := p.person(name)
	if !ok {
		found.Password = rand.Text()
	}
	given, want := sha256.Sum256([]byte(password)), sha256.Sum256([]byte(found.Password))
	return found, subtle.ConstantTimeCompare(given[:], want[:]) == 1 && ok
}

func (p *Provider) known(r *http.Request) (signedIn, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return signedIn{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.sessions[cookie.Value]
	return who, ok
}

// answer says who is signed in.
func (p *Provider) answer(w http.ResponseWriter, request samltest.AuthnRequest, who signedIn) {
	person, ok := p.person(who.name)
	if !ok {
		http.Error(w, "Nobody of this name is known any more.", http.StatusForbidden)
		return
	}
	p.says(w, request, p.spec(request, person, who.since))
}

// says posts an answer to the ACS, by way of the browser.
func (p *Provider) says(w http.ResponseWriter, request samltest.AuthnRequest, spec samltest.Spec) {
	// Standard base64 is safe between quotes; unescaped, it can be taken as it is.
	response := template.HTMLAttr(`value="` + p.signer.Response(spec) + `"`)
	p.show(w, http.StatusOK, "answer", struct {
		ACS        string
		Response   template.HTMLAttr
		RelayState string
	}{request.ACS, response, request.RelayState})
}

// spec says about a person what an IdP that is set up for AWS says.
func (p *Provider) spec(request samltest.AuthnRequest, person Person, since time.Time) samltest.Spec {
	spec := samltest.Spec{
		ACS:          request.ACS,
		Audiences:    []string{request.Issuer, samltest.AWSAudience},
		InResponseTo: request.ID,
		NameID:       persistent(person.Name),
		Roles:        person.Roles,
		SessionName:  person.Email,
		AuthnInstant: since,
		Attributes: []samltest.Attribute{
			{Name: "email", Values: []string{person.Email}},
			{Name: "givenName", Values: []string{person.First}},
			{Name: "surname", Values: []string{person.Last}},
		},
	}
	if len(person.Groups) > 0 {
		spec.Attributes = append(spec.Attributes, samltest.Attribute{Name: "Groups", Values: person.Groups})
	}
	return spec
}

// persistent is by which name service providers know a person.
func persistent(person string) string {
	id := sha256.Sum256([]byte("persistent " + person))
	return hex.EncodeToString(id[:16])
}

// Logout is the provider's message that ends a person's sessions, as the form of
// a post to an application's logout service: the field's name and value.
func (p *Provider) Logout(person, service string) (field, value string) {
	return p.signer.LogoutForm(samltest.Logout{NameID: persistent(person), Destination: service, NotOnOrAfter: time.Now().Add(time.Minute)})
}

func (p *Provider) show(w http.ResponseWriter, status int, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = pages.ExecuteTemplate(w, page, data)
}
