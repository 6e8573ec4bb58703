package login

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

//go:embed pages.html
var pagesHTML string

//go:embed pages.css
var pagesCSS string

var pages = template.Must(template.New("pages").Funcs(template.FuncMap{
	"css":         func() template.CSS { return template.CSS(pagesCSS) },
	"startPath":   func() string { return StartPath },
	"logoutPath":  func() string { return LogoutPath },
	"clearedPath": func() string { return ClearedPath },
	"keepPath":    func() string { return KeepPath },
}).Parse(pagesHTML))

// policy is what a page may do (CSP Level 3): have its one style, which is named
// by its hash, and send a form to where it says; load and run nothing else but
// what further directives name.
func policy(forms string, further ...string) string {
	return strings.Join(append([]string{"default-src 'none'", "style-src " + hashed(pagesCSS), "base-uri 'none'", "form-action " + forms, "frame-ancestors 'none'"}, further...), "; ")
}

// closed is the policy of a page that sends no form.
var closed = policy("'none'")

// hashed names a style or a script in a policy.
func hashed(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// targets are where a form may go, and be redirected to: browsers hold the
// whole way of a form against the policy, and an IdP may redirect to another
// host of its own. Plain http is for a demonstration on one machine.
func targets(address string) string {
	if strings.HasPrefix(address, "http://") {
		return "https: http:"
	}
	return "https:"
}

func (p *Page) set(name, value string) { p.Header = append(p.Header, Header{name, value}) }

// replace gives a header another value.
func (p *Page) replace(name, value string) {
	for i := range p.Header {
		if p.Header[i].Name == name {
			p.Header[i].Value = value
		}
	}
}

// bare is a page's common part: never cached, never framed, never sniffed.
func bare(status int) Page {
	p := Page{Status: status}
	p.set("cache-control", "no-store")
	p.set("referrer-policy", "no-referrer")
	p.set("x-content-type-options", "nosniff")
	p.set("content-security-policy", closed)
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

// choose lets a person pick among several IdPs.
func (s *Service) choose(r Request) Page {
	type choice struct{ Name, Link string }
	var choices []choice
	for _, idp := range s.IdPs {
		query := url.Values{"idp": {idp.Name}, "to": {returnTo(r.Target)}}
		choices = append(choices, choice{idp.Name, StartPath + "?" + query.Encode()})
	}
	p := render(http.StatusOK, "choose", struct {
		Choices  []choice
		ByDomain bool
		To       string
	}{choices, slices.ContainsFunc(s.IdPs, func(idp IdP) bool { return len(idp.Domains) > 0 }), returnTo(r.Target)})
	p.replace("content-security-policy", policy("'self' "+targets(s.PublicURL)))
	p.Event = "choose"
	return p
}

func (s *Service) signedOut() Page {
	p := render(http.StatusOK, "signed-out", nil)
	p.replace("content-security-policy", policy("'none'", "img-src 'self'"))
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
