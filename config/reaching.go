package config

import (
	"regexp"
	"strings"
)

// mountPath is a path of plain segments, which every server reads in one way.
var mountPath = regexp.MustCompile(`^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$`)

// reaching reads how Label Studio is reached: below which path by browsers, by
// which authorities and through which proxy by us.
func (s section) reaching(ls *LabelStudio) {
	if v := s.get("path"); v.given() {
		switch ls.Path = s.text(v); {
		case ls.Path == "":
		case !mountPath.MatchString(ls.Path):
			s.problem(v.place, "%q is no path that an application can stand below: write plain segments, such as /label, without a slash at the end", ls.Path)
			ls.Path = ""
		case strings.EqualFold(firstSegment(ls.Path), "rolepass"):
			s.problem(v.place, "%s is where Rolepass's own pages are: choose another path", ls.Path)
		}
	}
	if v := s.get("ca"); v.given() {
		if ls.CA = s.filename(v); ls.URL != nil && ls.URL.Scheme != "https" {
			s.problem(v.place, "url is plain http, which has no certificate to verify: write https, or leave ca out")
		}
	}
	if v := s.get("proxy"); v.given() {
		if ls.Proxy = s.origin(v); ls.Proxy != nil && ls.URL != nil && ls.URL.Scheme == "http" {
			s.warn(v.place, "url is plain http, so the proxy reads the bearers with which Rolepass asks: use https for url")
		}
	}
}

// compareMount: whoever takes the path off must see every request on its way.
func (s section) compareMount(c *Config) {
	at, path := s.at("label_studio.path"), c.LabelStudio.Path
	switch {
	case path == "":
	case c.LabelStudio.SignIn == SignInObserve:
		s.problem(at, "sign_in: observe does not go with a path: the application's own consumer services are at paths of public_url")
	case c.Mode == Shadow:
		s.problem(at, "in shadow requests reach Label Studio as they came, with the path on them: leave path out, or shadow")
	case c.ACSPath == path || strings.HasPrefix(c.ACSPath, path+"/"):
		s.problem(s.at("acs_path"), "acs_path is below label_studio path, where everything is Label Studio's: choose another")
	}
}

func firstSegment(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first
}
