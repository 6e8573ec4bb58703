package session_test

import (
	"strings"
	"testing"

	"github.com/rolepass/rolepass/session"
)

// FuzzCookie: whoever is known has sent one cookie of the name, and its value
// to the letter.
func FuzzCookie(f *testing.F) {
	w := newWorld(f)
	_, cookie := w.signedIn()
	value := strings.TrimPrefix(cookie, session.CookieName+"=")
	f.Add("", "", "")
	f.Add("a=b; ", value, "; c=d")
	f.Add(session.CookieName+"=x; ", value, "")
	f.Add("", value[:len(value)-1]+"A", "")
	f.Add("", value, "=")
	f.Add(`"`, value, `"`)
	f.Add("", value, "\n"+session.CookieName+"=")
	f.Fuzz(func(t *testing.T, before, sent, behind string) {
		lines := strings.Split(before+session.CookieName+"="+sent+behind, "\n")
		ours, values := 0, ""
		for name, value := range session.Cookies(lines) {
			if name == session.CookieName {
				ours, values = ours+1, value
			}
		}
		if got, found := session.Cookie(lines, session.CookieName); found != (ours == 1) || found && got != values {
			t.Fatalf("two readers of %q: %q, %t and %d times %q", lines, got, found, ours, values)
		}
		s, err := w.Find(t.Context(), lines)
		if (err == nil) != (ours == 1 && values == value) {
			t.Fatalf("%q: %v, %v", lines, s, err)
		}
	})
}
