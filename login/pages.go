package login

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/session"
)

//go:embed pages.html
var pagesHTML string

//go:embed pages.css
var pagesCSS string

var pages = template.Must(template.New("pages").Parse(pagesHTML))

// policy lets a page of ours load nothing and run nothing; its one style is
// named by its hash (CSP Level 3, hash-source).
var policy = func() string {
	sum := sha256.Sum256([]byte(pagesCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

func (p *Page) set(name, value string) { p.Header = append(p.Header, Header{name, value}) }

// bare is a page's common part: never cached, never framed, never sniffed.
func bare(status int) Page {
	p := Page{Status: status}
	p.set("cache-control", "no-store")
	p.set("referrer-policy", "no-referrer")
	p.set("x-content-type-options", "nosniff")
	p.set("content-security-policy", policy)
	p.set("vary", "cookie")
	return p
}

// redirect is a 303: whatever the method was, the next request is a GET.
func redirect(location string) Page {
	p := bare(http.StatusSeeOther)
	p.set("location", location)
	return p
}

// render makes an HTML page of a template in pages.html.
func render(status int, name string, data any) Page {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, name, data); err != nil {
		panic(err) // the templates are ours and tested
	}
	p := bare(status)
	p.set("content-type", "text/html; charset=utf-8")
	p.Body = body.Bytes()
	return p
}

func css() template.CSS { return template.CSS(pagesCSS) }

// Status is the HTTP status of each class of refusal: the one map there is.
func Status(class refusal.Class) int {
	switch class {
	case refusal.Malformed:
		return http.StatusBadRequest
	case refusal.Unauthenticated:
		return http.StatusUnauthorized
	case refusal.MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case refusal.Misdirected:
		return http.StatusMisdirectedRequest
	case refusal.TooLarge:
		return http.StatusRequestEntityTooLarge
	case refusal.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusForbidden
}

// refused is what the page says that says no.
type refused struct {
	CSS                       template.CSS
	Title, Text, ID, Contact  string
	SignIn                    bool
	StartPath, LogoutPathLink string
}

// Refuse is the one page, or the one JSON document, that says no. It names
// the request and whom to ask, and nothing else: not the reason, no object,
// no other person's grant.
func (s *Service) Refuse(r Request, ref *refusal.Refusal) Page { return s.refuse(r, ref) }

func (s *Service) refuse(r Request, ref *refusal.Refusal) Page {
	status := Status(ref.Class)
	var p Page
	if r.HTML {
		p = render(status, "refused", refused{css(), title(ref.Class), text(ref), r.ID, s.Contact, ref.Class == refusal.Unauthenticated, StartPath, LogoutPath})
	} else {
		p = s.refuseJSON(r, ref, status)
	}
	if ref.Class == refusal.Unavailable {
		p.set("retry-after", "5")
	}
	p.Refusal = ref
	return p
}

func (s *Service) refuseJSON(r Request, ref *refusal.Refusal, status int) Page {
	answer := map[string]string{"error": title(ref.Class), "request_id": r.ID}
	if s.Contact != "" {
		answer["contact"] = s.Contact
	}
	if ref.Class == refusal.Unauthenticated {
		answer["login"] = s.PublicURL + StartPath
	}
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err) // strings only
	}
	p := bare(status)
	p.set("content-type", "application/json")
	p.Body = append(body, '\n')
	return p
}

func title(class refusal.Class) string {
	switch class {
	case refusal.Malformed, refusal.TooLarge:
		return "This request cannot be read"
	case refusal.Unauthenticated:
		return "Not signed in"
	case refusal.MethodNotAllowed:
		return "Not possible here"
	case refusal.Misdirected:
		return "Wrong address"
	case refusal.Unavailable:
		return "Not available right now"
	}
	return "Not allowed"
}

// accounts are sentences about a person's own account in the application, which
// only that person's login brings up.
var accounts = map[refusal.Code]string{
	"app_account_removed":    "Your account in the application was removed or deactivated.",
	"app_account_inactive":   "Your account in the application was removed or deactivated.",
	"app_account_shut":       "The application does not open your account. You may have been removed from it, or it is out of order.",
	"app_account_not_bound":  "The application has an account under your e-mail address, and this sign-in does not open it.",
	"app_account_privileged": "The application has an account under your e-mail address, and this sign-in does not open it.",
}

func text(ref *refusal.Refusal) string {
	if about, ok := accounts[ref.Code]; ok {
		return about
	}
	switch ref.Class {
	case refusal.Malformed, refusal.TooLarge:
		return "What the browser sent is not in a form that this site takes."
	case refusal.Unauthenticated:
		return "Sign in to go on."
	case refusal.MethodNotAllowed:
		return "This address does not do what was asked of it."
	case refusal.Misdirected:
		return "This site does not answer for the address that was used."
	case refusal.Unavailable:
		return "Something that is needed for this did not answer in time. Try again in a moment."
	}
	return "Your roles do not open this."
}

// lostCookie tells a person why the login goes round in circles.
func (s *Service) lostCookie(r Request) Page {
	p := render(http.StatusForbidden, "lost", struct {
		CSS                    template.CSS
		ID, Contact, StartPath string
	}{css(), r.ID, s.Contact, StartPath})
	p.Refusal = refusal.New(refusal.Forbidden, CodeLoginUnknown, "the login cookie did not come back with the IdP's POST: the browser or a proxy in front of Envoy drops or changes SameSite=None cookies, or public_url is not the address that people use")
	return p
}

// choose lets a person pick among several IdPs.
func (s *Service) choose(r Request) Page {
	type choice struct{ Name, Link string }
	var choices []choice
	for _, idp := range s.IdPs {
		query := url.Values{"idp": {idp.Name}, "to": {returnTo(r.Target)}}
		choices = append(choices, choice{idp.Name, StartPath + "?" + query.Encode()})
	}
	p := render(http.StatusOK, "choose", struct {
		CSS           template.CSS
		Choices       []choice
		ByDomain      bool
		StartPath, To string
	}{css(), choices, slices.ContainsFunc(s.IdPs, func(idp IdP) bool { return len(idp.Domains) > 0 }), StartPath, returnTo(r.Target)})
	p.replace("content-security-policy", strings.Replace(policy, "form-action 'none'", "form-action 'self' "+targets(s.PublicURL), 1))
	p.Event = "choose"
	return p
}

func (s *Service) signedOut() Page {
	p := render(http.StatusOK, "signed-out", struct {
		CSS                    template.CSS
		StartPath, ClearedPath string
	}{css(), StartPath, ClearedPath})
	p.replace("content-security-policy", policy+"; img-src 'self'")
	p.Event = "signed-out"
	return p
}

func (s *Service) metadata() Page {
	p := bare(http.StatusOK)
	p.set("content-type", "application/samlmetadata+xml")
	p.Body = s.IdPs[0].SP().Metadata()
	p.Event = "metadata"
	return p
}

// whoAmI shows a person what Rolepass knows of them: their roles, and the
// roles that could not be taken.
func (s *Service) whoAmI(ctx context.Context, r Request) Page {
	who, err := s.Sessions.Find(ctx, r.CookieLines)
	if errors.Is(err, session.ErrNone) {
		return s.refuse(r, refusal.New(refusal.Unauthenticated, "no_session", "nobody is signed in"))
	}
	if err != nil {
		return s.broken(r, err)
	}
	view := struct {
		CSS        template.CSS     `json:"-"`
		LogoutPath string           `json:"-"`
		KeepPath   string           `json:"-"`
		IdP        string           `json:"idp"`
		Name       string           `json:"name"`
		Roles      []string         `json:"roles"`
		Missed     []session.Missed `json:"missed"`
		Expires    string           `json:"expires"`
	}{css(), LogoutPath, KeepPath, who.Principal.IdP, who.Principal.SessionName, who.Roles, who.Missed, who.Expires.UTC().Format(time.RFC3339)}
	var p Page
	if r.HTML {
		p = render(http.StatusOK, "whoami", view)
	} else {
		p = bare(http.StatusOK)
		p.set("content-type", "application/json")
		body, err := json.Marshal(view)
		if err != nil {
			return s.broken(r, err)
		}
		p.Body = append(body, '\n')
	}
	p.Event, p.Session = "whoami", who
	return p
}
