package config

import (
	"regexp"

	"github.com/rolepass/rolepass/grants"
)

// cookieName is RFC 6265's token, without the characters that Envoy's and
// browsers' readers disagree about.
var cookieName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// labelStudio reads the application, where that is Label Studio.
func (s section) labelStudio(c *Config) {
	v := s.wanted(s.whole() && !s.get("application").given(), "label_studio", "say where Label Studio is, with url, secret_key_file and owner_id")
	if !v.given() {
		return
	}
	a := s.section(v, "url", "path", "ca", "proxy", "sign_in", "secret_key_file", "owner_id", "owner_token_file", "adopt", "acs", "confirm", "session_cookie", "administrators", "api_clients")
	ls := &c.LabelStudio
	ls.URL = a.origin(a.need("url", "give the address at which Envoy reaches Label Studio, such as http://label-studio:8080"))
	a.reaching(ls)
	ls.SignIn = SignIn(a.word("sign_in", "bearer", "token", "own", "observe"))
	a.signingIn(ls)
	ls.Adopt = Adopt(a.word("adopt", "none", "email"))
	if v := a.get("adopt"); ls.Adopt == AdoptEmail && ls.SignIn != SignInBearer {
		a.problem(v.place, "sign_in: %s opens no account that it did not make, so it adopts none: leave adopt out, or use bearer", ls.SignIn)
	}
	ls.Confirm = Confirm(a.word("confirm", "uri", "permission", "none"))
	ls.SessionCookie = "sessionid"
	if v := a.get("session_cookie"); v.given() {
		if ls.SessionCookie = a.text(v); ls.SessionCookie != "" && !cookieName.MatchString(ls.SessionCookie) {
			a.problem(v.place, "%q is no name of a cookie: give Label Studio's SESSION_COOKIE_NAME", ls.SessionCookie)
		}
	}
	ls.APIClients = APIClients(a.word("api_clients", "refuse", "pass"))
	ls.Administrators = a.administrators(a.get("administrators"))
	a.warnOfConfirm(ls.Confirm)
}

// administrators reads role ARNs.
func (r *reader) administrators(v value) []string {
	var roles []string
	for _, item := range r.list(v) {
		text := r.text(item)
		if text == "" {
			continue
		}
		if err := grants.CheckRole(text); err != nil {
			r.problem(item.place, "%v", err)
			continue
		}
		roles = append(roles, text)
	}
	return roles
}

// signingIn reads what the way of signing in needs, and refuses what another
// way would.
func (s section) signingIn(ls *LabelStudio) {
	needed, known := map[SignIn]string{SignInBearer: "secret_key_file", SignInToken: "owner_token_file", SignInOwn: "", SignInObserve: "acs"}[ls.SignIn]
	if !known {
		return
	}
	for _, name := range []string{"secret_key_file", "owner_token_file", "acs"} {
		if v := s.get(name); v.given() && name != needed {
			s.problem(v.place, "sign_in: %s does not use %s: leave it out, and keep no secret where none is needed", ls.SignIn, name)
		}
	}
	switch ls.SignIn {
	case SignInBearer:
		ls.SecretKeyFile = s.filename(s.need("secret_key_file", "name the file that holds Label Studio's SECRET_KEY"))
	case SignInObserve:
		ls.ACS = s.observed(s.need("acs", "list the application's own consumer services, each with path, such as /saml/TOKEN/acs, and idp"))
	case SignInToken:
		ls.OwnerTokenFile = s.filename(s.need("owner_token_file", "name the file that holds a personal access token of the Label Studio user as whom new people are invited"))
	}
	if ls.SignIn.Accounts() {
		ls.OwnerID = s.integer(s.need("owner_id", "give the number of the Label Studio user as whom new people are invited, often 1"))
	} else if v := s.get("owner_id"); v.given() { // only workloads are compared with it
		ls.OwnerID = s.integer(v)
	}
}

// observed reads the application's own consumer services.
func (r *reader) observed(v value) []ObservedACS {
	var all []ObservedACS
	taken := map[string]int{}
	for _, item := range r.list(v) {
		s := r.section(item, "path", "idp", "organization")
		at := s.need("path", "give the path to which the IdP posts, such as /saml/TOKEN/acs")
		one := ObservedACS{Path: r.acsPath(at), IdP: r.text(s.need("idp", "name one of idps"))}
		if v := s.get("organization"); v.given() {
			one.Organization = r.integer(v)
		}
		if before, twice := taken[one.Path]; twice {
			r.problem(at.place, "the path is there already, on line %d: one consumer service belongs to one IdP", before)
		}
		taken[one.Path] = at.line
		all = append(all, one)
	}
	return all
}

func (s section) warnOfConfirm(c Confirm) {
	switch at := s.get("confirm").place; c {
	case ConfirmPermission:
		s.warn(at, "Label Studio is asked whether the task is the person's, and not whether the object is in it: whoever sees one task can read all that their role may read in its place")
	case ConfirmNone:
		s.warn(at, "Label Studio is not asked at all: whoever has a role can read all that it is granted, whatever they may see in Label Studio")
	}
}
