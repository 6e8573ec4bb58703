package config

import (
	"net/url"
	"regexp"
	"strings"
)

// providerARN is IAM's grammar for a SAML provider.
var providerARN = regexp.MustCompile(`^arn:(aws[a-z0-9-]*):iam::([0-9]{12}):saml-provider/[A-Za-z0-9_.-]{1,128}$`)

func (s section) idps(c *Config, l *lines) {
	list := s.wanted(s.whole() || s.needs == ForAssertion, "idps", "give at least one identity provider with name, metadata, audience and providers")
	taken := map[string]int{}
	for _, item := range s.list(list) {
		c.IdPs = append(c.IdPs, s.idp(item, taken, l))
	}
}

func (r *reader) idp(v value, taken map[string]int, l *lines) IdP {
	s := r.section(v, "name", "metadata", "audience", "providers", "decryption_key_file", "attributes", "domains", "binding", "authn_context")
	idp := IdP{Name: s.named(taken)}
	s.metadata(&idp, s.need("metadata", "give the https address of the IdP's SAML metadata, or a file that holds it"))
	idp.Audience = s.audience(s.need("audience", "list the Audience values that the IdP writes, such as [urn:amazon:webservices]"))
	idp.Providers = s.providers(s.wanted(r.needs != ForAssertion, "providers", "list the ARNs of the SAML providers in IAM that hold this IdP's metadata"), l)
	if key := s.get("decryption_key_file"); key.given() {
		idp.DecryptionKeyFile = r.filename(key)
	}
	idp.Domains = s.domains(s.get("domains"), l)
	idp.PostRequests = s.word("binding", "redirect", "post") == "post"
	idp.AuthnContext = s.audience(s.get("authn_context"))
	a := s.section(s.get("attributes"), "email", "first_name", "last_name")
	idp.Email, idp.FirstName, idp.LastName = a.texts(a.get("email")), a.texts(a.get("first_name")), a.texts(a.get("last_name"))
	return idp
}

// metadata tells an address from a file.
func (r *reader) metadata(idp *IdP, v value) {
	text := r.text(v)
	if !strings.Contains(text, "://") {
		idp.MetadataFile = r.filename(v)
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || !plainHost(u.Host) || u.User != nil || u.Fragment != "":
		r.problem(v.place, "%q is not an address: write https://HOST/PATH, or the name of a file", text)
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		r.problem(v.place, "metadata holds the keys that assertions are verified with and must come over https (http on loopback only): use https, or a file")
	default:
		idp.MetadataURL = u
	}
}

// audience reads values that are compared byte by byte, so that what forms
// and manuals add around them shows.
func (r *reader) audience(v value) []string {
	values := r.texts(v)
	for _, text := range values {
		if strings.ContainsAny(text, " {}<>\"") {
			r.problem(v.place, "%q has a blank, brace or bracket that no such value has: write the bare value", text)
		}
	}
	return values
}

// domains reads e-mail domains; one belongs to one IdP.
func (r *reader) domains(v value, l *lines) []string {
	var all []string
	for _, item := range r.list(v) {
		text := r.text(item)
		domain := strings.ToLower(text)
		if text != "" && (strings.Trim(domain, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || !strings.Contains(domain, ".")) {
			r.problem(item.place, "%q is not an e-mail domain: write one such as hospital.example", text)
			continue
		}
		if before, twice := l.domains[domain]; twice {
			r.problem(item.place, "the domain is there already, on line %d: its people sign in at one IdP", before.line)
			continue
		}
		l.domains[domain] = item.place
		all = append(all, domain)
	}
	return all
}

func (r *reader) providers(v value, l *lines) []string {
	var arns []string
	for _, item := range r.list(v) {
		text := r.text(item)
		if text == "" {
			continue
		}
		if !providerARN.MatchString(text) {
			r.problem(item.place, "%q is not the ARN of a SAML provider: write arn:aws:iam::ACCOUNT:saml-provider/NAME", text)
			continue
		}
		if before, twice := l.providers[text]; twice {
			r.problem(item.place, "the provider is there already, on line %d: one provider in IAM holds the metadata of one IdP", before.line)
			continue
		}
		l.providers[text] = item.place
		arns = append(arns, text)
	}
	return arns
}
