package login_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/login"
)

// FuzzReturnTo: wherever a login began, it leads to a path of this site and
// never to one of Rolepass's own pages: as a browser reads the address (WHATWG
// URL), and as Go does.
func FuzzReturnTo(f *testing.F) {
	for _, target := range []string{"/", "/projects/12/data?tab=1", "//evil.test/", `/\evil.test`, "https://evil.test", "/\t/evil.test", "/%2e%2e/rolepass/logout",
		"/a/../rolepass/logout", "/.%2E/x", "javascript:alert(1)", "/a?b=//evil.test", "/a#/../x", "/\u2215evil", "/x/%2f..", "/rolepass%2flogout"} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		to := login.ReturnTo(target)
		if to != "/" && to != target {
			t.Fatalf("%q leads to %q", target, to)
		}
		if path, same := browserReads(to); !same || strings.HasPrefix(path, login.Prefix) {
			t.Fatalf("%q leads to %q, which a browser reads as %q", target, to, path)
		}
		read, err := (&url.URL{Scheme: "https", Host: "label.test", Path: "/x"}).Parse(to)
		if err != nil && strings.Contains(to, "%") {
			return // an escape that is none, which a browser leaves as it is
		}
		if err != nil || read.Host != "label.test" || read.Scheme != "https" || read.User != nil {
			t.Fatalf("%q leads to %q, which Go reads as %v, %v", target, to, read, err)
		}
	})
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

// browserReads is how a browser takes an address in a Location: the path after
// dot segments, and whether it is still of the same origin.
func browserReads(address string) (path string, same bool) {
	address = strings.Trim(address, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f ")
	address = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(address)
	if scheme.MatchString(address) || strings.HasPrefix(address, "//") || !strings.HasPrefix(address, "/") {
		return address, false
	}
	if end := strings.IndexAny(address, "?#"); end >= 0 {
		address = address[:end]
	}
	var kept []string
	for segment := range strings.SplitSeq(strings.TrimPrefix(address, "/"), "/") {
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, segment)
		}
	}
	return "/" + strings.Join(kept, "/"), true
}
