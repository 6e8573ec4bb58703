package session_test

import (
	"strings"
	"testing"

	"github.com/rolepass/rolepass/session"
)

// TestManyCookiesCostLittle: a header as long as Envoy lets through, of the
// smallest cookies there are, is read without a copy of any (GO-2025-4012).
func TestManyCookiesCostLittle(t *testing.T) {
	lines := []string{strings.Repeat("a=;", 20<<10) + session.CookieName + "=x"}
	if n := testing.AllocsPerRun(10, func() {
		if value, found := session.Cookie(lines, session.CookieName); !found || value != "x" {
			t.Fatalf("%q, %t", value, found)
		}
	}); n != 0 {
		t.Errorf("looking for one allocates %v times", n)
	}
	read := 0
	if n := testing.AllocsPerRun(10, func() {
		read = 0
		for range session.Cookies(lines) {
			read++
		}
	}); n != 0 || read != 20<<10+1 {
		t.Errorf("reading %d cookies allocates %v times", read, n)
	}
}
