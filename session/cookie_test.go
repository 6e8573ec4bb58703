package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/session"
)

// Any single character of a cookie that is another one makes it nobody's: at
// every place, each of the other 255 bytes, and also one more or one fewer.
func TestEveryChangedCharacterOfACookieIsARefusal(t *testing.T) {
	w := newWorld(t)
	_, cookie := w.signedIn()
	token := strings.TrimPrefix(cookie, session.CookieName+"=")
	tried := 0
	refused := func(value string) {
		tried++
		if w.isKnown(session.CookieName + "=" + value) {
			t.Fatalf("%q opens the session of %q", value, token)
		}
	}
	for i := range token {
		for b := range 256 {
			if byte(b) != token[i] && b != ';' { // what follows a semicolon is another cookie
				refused(token[:i] + string([]byte{byte(b)}) + token[i+1:])
			}
		}
		refused(token[:i] + token[i+1:])
		for _, more := range []string{"A", "=", "%", ".", "-", "\x00"} {
			refused(token[:i] + more + token[i:])
		}
	}
	for _, more := range []string{"A", "=", "==", "%3D", ".", ",", "\t\t."} {
		refused(token + more)
	}
	if !w.isKnown(cookie) || tried < 11_000 {
		t.Errorf("after %d tries the session is known: %v", tried, w.isKnown(cookie))
	}
}

// Two cookies of the name are none, however a browser or a proxy puts them
// together: HTTP/1.1 has one line with "; ", HTTP/2 may have several, and a
// proxy may join lines with a comma.
func TestTwoCookiesOfTheNameAreNone(t *testing.T) {
	w := newWorld(t)
	_, mine := w.signedIn()
	_, planted := w.signedIn()
	for name, lines := range map[string][]string{
		"one line":                {mine + "; " + planted},
		"no blank":                {mine + ";" + planted},
		"the other way round":     {planted + "; " + mine},
		"two lines":               {mine, planted},
		"others between":          {"a=b; " + mine + "; c=d", planted + "; e=f"},
		"the same twice":          {mine + "; " + mine},
		"a comma":                 {mine + "," + planted},
		"a comma and a blank":     {mine + ", " + planted},
		"an empty one beside":     {mine + "; " + session.CookieName + "="},
		"a planted one in quotes": {mine + `; ` + session.CookieName + `="x"`},
		"behind another's comma":  {"a=b," + mine},
		"a blank before the sign": {mine + "; " + session.CookieName + " =x"},
	} {
		if w.isKnown(lines...) {
			t.Errorf("%s: %q is somebody's", name, lines)
		}
	}
	for name, lines := range map[string][]string{
		"alone":                {mine},
		"among others":         {"a=b; " + mine + "; c=d"},
		"in a line of its own": {"a=b", mine, "c=d"},
		"beside a longer name": {mine + "; " + session.CookieName + "x=y"},
		"beside another case":  {mine + "; " + strings.ToUpper(session.CookieName) + "=y"},
	} {
		if !w.isKnown(lines...) {
			t.Errorf("%s: %q is nobody's", name, lines)
		}
	}
}

// What is listed has ended when the session has.
func TestListedSessionsAreThoseThatLive(t *testing.T) {
	w := newWorld(t)
	all := func(session.Listed) bool { return true }
	first, _ := w.signedIn()
	w.passes(time.Minute)
	second, _ := w.signedIn()
	if got := w.List(all); len(got) != 2 || got[0].ID != first.ID || got[1].ID != second.ID {
		t.Fatalf("listed: %+v", got)
	}
	w.passes(29 * time.Minute)
	if got := w.List(all); len(got) != 1 || got[0].ID != second.ID {
		t.Errorf("the first has been idle for 30 minutes, and listed are %+v", got)
	}
	w.passes(time.Minute)
	if got := w.List(all); len(got) != 0 {
		t.Errorf("both have been idle for 30 minutes, and are listed: %+v", got)
	}
	third, cookie := w.signedIn()
	w.passes(20 * time.Minute)
	if !w.isKnown(cookie) {
		t.Fatal("the third has ended early")
	}
	w.passes(20 * time.Minute)
	if got := w.List(all); len(got) != 1 || got[0].ID != third.ID {
		t.Errorf("the third was used 20 minutes ago, and listed are %+v", got)
	}
	if err := w.End(t.Context(), third); err != nil {
		t.Fatal(err)
	}
	if got := w.List(all); len(got) != 0 {
		t.Errorf("ended, and listed: %+v", got)
	}
}
