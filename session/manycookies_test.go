package session_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/session"
)

// TestManyCookiesCostLittle: a header as long as Envoy lets through, of the
// smallest cookies there are, costs less than a hundred times its bytes, and
// looking for one cookie in it nothing (GO-2025-4012).
func TestManyCookiesCostLittle(t *testing.T) {
	lines := []string{strings.Repeat("a=;", 20<<10) + session.CookieName + "=x"}
	if n := testing.AllocsPerRun(10, func() {
		if value, found := session.Cookie(lines, session.CookieName); !found || value != "x" {
			t.Fatalf("%q, %t", value, found)
		}
	}); n != 0 {
		t.Errorf("looking for one allocates %v times", n)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	pairs := session.Cookies(lines)
	runtime.ReadMemStats(&after)
	if len(pairs) != 20<<10+1 {
		t.Errorf("%d cookies", len(pairs))
	}
	if cost, most := after.TotalAlloc-before.TotalAlloc, uint64(100*len(lines[0])); cost > most {
		t.Errorf("%d bytes for %d", cost, len(lines[0]))
	}
}
