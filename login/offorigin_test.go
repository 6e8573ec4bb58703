package login_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/saml/samltest"
)

// The vectors are every beginning with every rest: ways to write an address
// that some reader, on the way from our check to the browser's, takes for one
// elsewhere.
var (
	beginnings = []string{
		"//", "///", "////", `/\`, `\/`, `\\`, `/\/`, `\\/`, "/\t/", "/\n/", "/\r/", "/\r\n/", "\t//", "\n//", " //", "/ /", "\x00//", "/\x00/", "\u00a0//", "\ufeff//",
		"/%2f", "/%2F/", "/%5c", "/%5C%5C", "/%09/", "/%0a/", "/%0d%0a/", "/%00/", "%2f%2f", "%5c%5c", "/./", "/.//", "/..//", "/../", "/%2e%2e//", "/.%2e/", "/a/..//", "/;//", "/?//", "/#//",
		"http:", "http:/", "http://", "http:///", `http:\\`, "HTTPS://", "hTtP:/", "https:", "https:/", "https://", `https:\`, "https:;//", "ht\ttps://", "https\n://",
		"javascript:", "JavaScript:", "java\tscript:", "\x01javascript:", "data:text/html,", "vbscript:", "file:///", "blob:https://", "view-source:https://", "about:", "ftp://", "ws://", "//\u2044", "\u2215\u2215", "\uff0f\uff0f", "/\uff0f", "/\u2024/",
		"@", "/@", "//@", "//user@", "//user:pw@", "//label.test@", "//label.test:443@", "//label.test\\@", "//label.test%40", "https://label.test@", "https://label.test%00.", "https://label.test.", "//label.test.", "label.test@", ".", "..", "./", "../", ":", ":80", "?", "#", "&", ";", "",
	}
	rests = []string{"evil.example", "evil.example/a", "evil.example:443/", "evil%2eexample/", "[::1]/", "2130706433/", "0x7f.1/", "ⓔvil.example/"}
)

// leaves says whether a browser that is at our site leaves it for a Location,
// after the WHATWG's URL standard and not after ours or Go's: blanks and
// controls at the ends, and tabs and line ends anywhere, are dropped, and a
// backslash is a slash.
func leaves(location string) bool {
	location = strings.TrimFunc(location, func(r rune) bool { return r <= ' ' })
	location = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(location)
	if strings.HasPrefix(location, "//") {
		return true
	}
	scheme, _, colon := strings.Cut(location, ":")
	return colon && scheme != "" && strings.Trim(strings.ToLower(scheme), "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}

func TestNothingLeadsOffTheSite(t *testing.T) {
	vectors, hostile := 0, 0
	for _, beginning := range beginnings {
		for _, rest := range rests {
			target := beginning + rest
			vectors++
			if leaves(target) {
				hostile++
			}
			to := login.ReturnTo(target)
			if leaves(to) || to == "" || to[0] != '/' || strings.HasPrefix(to, login.Prefix) || strings.ContainsAny(to, "\\\x00\t\r\n ") {
				t.Errorf("%q leads to %q", target, to)
			}
		}
	}
	if vectors < 600 || hostile < 250 {
		t.Errorf("there are %d vectors, of which %d would lead away as they stand", vectors, hostile)
	}
	t.Logf("%d vectors, of which %d would lead away as they stand", vectors, hostile)
}

// The same through a whole login: as the page that was asked for, as the
// parameter of the login page, and as what comes back from the IdP.
func TestNoLoginLeadsOffTheSite(t *testing.T) {
	for i, beginning := range beginnings {
		target := beginning + rests[i%len(rests)]
		w := newWorld(t)
		b := w.browser()
		request := b.starts(target)
		at := b.asks(login.Request{Path: login.StartPath, Query: url.Values{"to": {target}}.Encode()})
		for _, r := range []samltest.AuthnRequest{request, w.wasAsked(at)} {
			if to := header(b.asks(posting(w.idp.Response(right(r)), r.RelayState)), "location"); leaves(to) || !strings.HasPrefix(to, "/") {
				t.Errorf("%q leads to %q", target, to)
			}
		}
		request = b.starts("/")
		if to := header(b.asks(posting(w.idp.Response(right(request)), target)), "location"); leaves(to) || !strings.HasPrefix(to, login.StartPath) {
			t.Errorf("the relay state %q leads to %q", target, to)
		}
	}
}

// Someone who shares a name with the site is somewhere else; the check of the
// check.
func TestWhatLeavesIsSeen(t *testing.T) {
	for target, want := range map[string]bool{
		"/a": false, "/a?b=//c": false, "/a:b": false, "": false, "//a": true, `/\a`: true, "/\t/a": true, " //a": true, "https:a": true, "javascript:a": true, "ht\ttps://a": true, "a/b:c": false,
	} {
		if leaves(target) != want {
			t.Errorf("%q: %v", target, !want)
		}
	}
}
