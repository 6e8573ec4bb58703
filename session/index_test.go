package session_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// drawPerson draws one of few people, with names that others have parts of.
func drawPerson(t *rapid.T) saml.Principal {
	text := func(name string) string { return rapid.StringMatching(`[ab]{0,3}`).Draw(t, name) }
	format := rapid.SampledFrom([]string{"urn:oasis:names:tc:SAML:2.0:nameid-format:transient", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"}).Draw(t, "format")
	email := rapid.SampledFrom([]string{"", "ada@example.com", "Ada@example.com", "bo@example.com"}).Draw(t, "email")
	return saml.Principal{IdP: text("idp"), NameID: text("name id"), NameIDFormat: format, SessionName: text("session name"), Email: email, FirstName: text("first"), LastName: text("last")}
}

// listed is a Manager beside the list that it should give, kept in the plainest way.
type listed struct {
	*world
	plain   []session.Listed
	cookies map[string]string // :: ID → cookie
}

// The list of sessions says what a plain list of them would, whatever began, was
// used, is to end or has ended.
func TestTheListIsThatOfThePlainWay(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) { isThePlainList(r, newWorld(t)) })
}

// isThePlainList lets things happen to sessions, in these worlds in turn.
func isThePlainList(r *rapid.T, worlds ...*world) {
	w := &listed{cookies: map[string]string{}}
	for i := range rapid.IntRange(1, 60).Draw(r, "steps") {
		w.world = worlds[i%len(worlds)]
		switch what := rapid.SampledFrom([]string{"begin", "begin", "use", "end", "end soon", "wait"}).Draw(r, "what"); {
		case what == "begin":
			w.begins(r)
		case what == "wait":
			w.passes(rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Minute}).Draw(r, "for"))
		case len(w.plain) > 0:
			w.happens(r, what, rapid.IntRange(0, len(w.plain)-1).Draw(r, "which"))
		}
		w.plain = slices.DeleteFunc(w.plain, func(l session.Listed) bool {
			return !w.now().Before(l.Expires) || !w.now().Before(l.Seen.Add(w.Idle))
		})
		w.isListed(r)
		w.isNamed(r)
		w.hasSurplus(r)
	}
}

func (w *listed) begins(r *rapid.T) {
	s, token, err := w.New(w.now().Add(rapid.SampledFrom([]time.Duration{time.Minute, 20 * time.Minute, time.Hour}).Draw(r, "life")))
	if err != nil {
		r.Fatal(err)
	}
	s.Principal, s.IdPSession = drawPerson(r), rapid.StringMatching(`(_[0-9a-f]{2})?`).Draw(r, "idp session")
	s.Roles = rapid.SliceOfN(rapid.StringMatching(`role/[ab]{1,2}`), 1, 3).Draw(r, "roles")
	if err := w.Keep(r.Context(), s); err != nil {
		r.Fatal(err)
	}
	w.cookies[s.ID] = session.CookieName + "=" + token
	w.plain = append(w.plain, session.Listed{ID: s.ID, Principal: s.Principal, IdPSession: s.IdPSession, Roles: s.Roles, Created: s.Created, Seen: s.Seen, Expires: s.Expires})
}

// happens does something to the session i.
func (w *listed) happens(r *rapid.T, what string, i int) {
	var err error
	switch l := &w.plain[i]; what {
	case "use":
		if _, err = w.Find(r.Context(), []string{w.cookies[l.ID]}); w.now().Sub(l.Seen) >= time.Minute {
			l.Seen = w.now()
		}
	case "end":
		err = w.End(r.Context(), &session.Session{ID: l.ID})
		w.plain = slices.Delete(w.plain, i, i+1)
	case "end soon":
		soon := w.now().Add(30 * time.Second)
		if err = w.EndSoon(r.Context(), l.ID); !l.Ending && soon.Before(l.Expires) {
			l.Expires = soon
		}
		l.Ending = true
	}
	if err != nil {
		r.Fatal(err)
	}
}

func (w *listed) isListed(r *rapid.T) {
	got := w.List(func(session.Listed) bool { return true })
	if !slices.IsSortedFunc(got, func(a, b session.Listed) int { return a.Created.Compare(b.Created) }) {
		r.Fatalf("not in their order: %q", lines(got))
	}
	if !reflect.DeepEqual(lines(got), lines(w.plain)) {
		r.Fatalf("listed are\n%q\nwant\n%q", lines(got), lines(w.plain))
	}
}

func (w *listed) isNamed(r *rapid.T) {
	name, ending := rapid.StringMatching(`[ab]{0,2}`).Draw(r, "name"), rapid.Bool().Draw(r, "ending")
	var want []session.Listed
	for _, l := range w.plain {
		if l.Principal.NameID == name && l.Ending == ending {
			want = append(want, l)
		}
	}
	if got := w.Named(name, func(l session.Listed) bool { return l.Ending == ending }); !reflect.DeepEqual(lines(got), lines(want)) {
		r.Fatalf("of the name %q are\n%q\nwant\n%q", name, lines(got), lines(want))
	}
}

// lines are what is listed, in an order that does not hang on equal ages.
func lines(all []session.Listed) (lines []string) {
	for _, l := range all {
		p := l.Principal
		lines = append(lines, fmt.Sprint(l.ID, []string{p.IdP, p.NameID, p.NameIDFormat, p.SessionName, p.Email, p.FirstName, p.LastName, l.IdPSession}, l.Roles, l.Created.UTC(), l.Seen.UTC(), l.Expires.UTC(), l.Ending))
	}
	slices.Sort(lines)
	return lines
}

func (w *listed) hasSurplus(r *rapid.T) {
	w.PerPerson = 1
	for _, one := range w.plain {
		theirs := 0
		for _, other := range w.plain {
			if !other.Ending && same(one.Principal, other.Principal) {
				theirs++
			}
		}
		if got := len(w.Surplus(one.Principal)); got != max(0, theirs-1) {
			r.Fatalf("%d too many, want %d, of\n%q as\n%q", got, theirs-1, lines(w.plain), lines([]session.Listed{one}))
		}
	}
}

func same(a, b saml.Principal) bool {
	transient := func(p saml.Principal) bool { return strings.HasSuffix(p.NameIDFormat, ":transient") }
	email := a.Email != "" && strings.EqualFold(a.Email, b.Email)
	return a.IdP == b.IdP && (a.NameID == b.NameID || transient(a) && transient(b) && email)
}

// At a login and at an IdP's logout one person's sessions are looked for among
// everybody's, with the list locked: others' are not read for it.
func TestOthersSessionsAreNotRead(t *testing.T) {
	w := newWorld(t)
	w.PerPerson = 1
	for i := range 1000 {
		s, _, err := w.New(time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		s.Principal, s.Roles = saml.Principal{IdP: "corp", NameID: fmt.Sprint("G-", i), NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:transient", Email: fmt.Sprint("ada.", i%500, "@example.com")}, []string{"role"}
		if err := w.Keep(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	all := func(session.Listed) bool { return true }
	for name, found := range map[string]func() int{
		"by a name": func() int { return len(w.Named("G-777", all)) },
		"by an address, as where names are new each time": func() int {
			return len(w.Surplus(saml.Principal{IdP: "corp", NameID: "G-new", NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:transient", Email: "Ada.277@example.com"}))
		},
	} {
		if made := testing.AllocsPerRun(10, func() {
			if n := found(); n != 1 {
				t.Errorf("%s: %d found", name, n)
			}
		}); made > 50 {
			t.Errorf("%s: looking among a thousand makes %v things", name, made)
		}
	}
}

// BenchmarkSurplus looks through a hundred thousand sessions, as each login does.
func BenchmarkSurplus(b *testing.B) {
	w := newWorld(b)
	w.PerPerson = 20
	person := func(i int) saml.Principal {
		return saml.Principal{IdP: "corp", NameID: fmt.Sprintf("G-%032x", i), NameIDFormat: "persistent", SessionName: fmt.Sprint("person.", i), Email: fmt.Sprint("person.", i, "@example.com"), FirstName: "Maria", LastName: "Example"}
	}
	for i := range 100_000 {
		s, _, err := w.New(time.Time{})
		if err != nil {
			b.Fatal(err)
		}
		s.Principal, s.Roles = person(i), []string{"role"}
		if err := w.Keep(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		w.Surplus(person(7))
	}
}
