package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

// world is a Manager with a clock that the test drives.
type world struct {
	*session.Manager
	*clock
	t    testing.TB
	keys string // their folder
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{at: time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)}, keys: t.TempDir() + "/keys"}
	ring := w.withNewKey()
	w.Manager = &session.Manager{
		Store: state.NewMemory(64<<20, w.now), Sealer: &state.Sealer{Keys: ring, Now: w.now, Rand: random(2)},
		Now: w.now, Rand: random(3), Idle: 30 * time.Minute, Absolute: 8 * time.Hour,
	}
	return w
}

// List, Named and Surplus are the Manager's, where no error may be.
func (w *world) List(wanted func(session.Listed) bool) []session.Listed {
	return w.must(w.Manager.List(w.t.Context(), wanted))
}

func (w *world) Named(nameID string, wanted func(session.Listed) bool) []session.Listed {
	return w.must(w.Manager.Named(w.t.Context(), nameID, wanted))
}

func (w *world) Surplus(p saml.Principal) []session.Listed {
	return w.must(w.Manager.Surplus(w.t.Context(), p))
}

func (w *world) must(all []session.Listed, err error) []session.Listed {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func random(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

// withNewKey is the keyring with one more key.
func (w *world) withNewKey() *state.Keyring {
	w.t.Helper()
	before, _ := os.ReadDir(w.keys)
	if _, err := state.NewKey(w.keys, w.now(), random(byte(100+len(before)))); err != nil {
		w.t.Fatal(err)
	}
	ring, err := state.LoadKeyring(w.keys)
	if err != nil {
		w.t.Fatal(err)
	}
	return ring
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) passes(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

func (w *world) signedIn() (*session.Session, string) { return w.signedInUntil(time.Time{}) }

func (w *world) signedInUntil(latest time.Time) (*session.Session, string) {
	w.t.Helper()
	s, token, err := w.New(latest)
	if err != nil {
		w.t.Fatal(err)
	}
	s.Principal, s.Roles, s.AppUser = saml.Principal{IdP: "corp", NameID: "4711", SessionName: "ada"}, []string{"arn:aws:iam::111122223333:role/radiology"}, 42
	if err := w.Keep(w.t.Context(), s); err != nil {
		w.t.Fatal(err)
	}
	return s, session.CookieName + "=" + token
}

func (w *world) isKnown(cookies ...string) bool {
	w.t.Helper()
	s, err := w.Find(w.t.Context(), cookies)
	if err != nil && !errors.Is(err, session.ErrNone) {
		w.t.Fatal(err)
	}
	return err == nil && s.AppUser == 42
}

func TestASessionIsFoundByItsCookie(t *testing.T) {
	w := newWorld(t)
	kept, cookie := w.signedIn()
	found, err := w.Find(t.Context(), []string{"a=b; " + cookie + "; c=d"})
	if err != nil || found.ID != kept.ID || found.Principal != kept.Principal || found.Roles[0] != kept.Roles[0] || found.AppUser != 42 || !found.Expires.Equal(kept.Expires) {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestWhatIsNoCookieOfASession(t *testing.T) {
	w := newWorld(t)
	_, cookie := w.signedIn()
	value := strings.TrimPrefix(cookie, session.CookieName+"=")
	for name, lines := range map[string][]string{
		"none":                    nil,
		"another name":            {"rolepass=" + value},
		"another case":            {"__host-rolepass=" + value},
		"twice":                   {cookie, cookie},
		"twice in a line":         {cookie + "; " + cookie},
		"a second, empty one":     {cookie, session.CookieName + "="},
		"cut":                     {cookie[:len(cookie)-1]},
		"longer":                  {cookie + "A"},
		"padded":                  {cookie + "="},
		"quoted":                  {session.CookieName + `="` + value + `"`},
		"another last character":  {cookie[:len(cookie)-1] + other(cookie[len(cookie)-1])},
		"another first character": {session.CookieName + "=" + other(value[0]) + value[1:]},
	} {
		if w.isKnown(lines...) {
			t.Errorf("%s: known", name)
		}
	}
	if !w.isKnown(cookie) {
		t.Error("the cookie itself: not known")
	}
}

func other(c byte) string {
	if c == 'A' {
		return "Q"
	}
	return "A"
}

func TestTheLifeOfASession(t *testing.T) {
	const known, ended = true, false
	for _, c := range []struct {
		name  string
		steps []time.Duration // asked after each
		want  bool
	}{
		{"used in time", []time.Duration{29 * time.Minute, 29 * time.Minute}, known},
		{"not used for too long", []time.Duration{30 * time.Minute}, ended},
		{"used, then not", []time.Duration{10 * time.Minute, 30 * time.Minute}, ended},
		{"used all day", repeat(20*time.Minute, 23), known},
		{"used beyond its end", repeat(20*time.Minute, 24), ended},
	} {
		w := newWorld(t)
		_, cookie := w.signedIn()
		last := false
		for _, step := range c.steps {
			w.passes(step)
			last = w.isKnown(cookie)
		}
		if last != c.want {
			t.Errorf("%s: known %v", c.name, last)
		}
	}
}

func repeat(d time.Duration, n int) (all []time.Duration) {
	for range n {
		all = append(all, d)
	}
	return all
}

// The IdP may say how long its word is good for.
func TestTheIdPsEndIsASessionsEnd(t *testing.T) {
	w := newWorld(t)
	_, cookie := w.signedInUntil(w.now().Add(5 * time.Minute))
	w.passes(4 * time.Minute)
	if !w.isKnown(cookie) {
		t.Error("ended before the IdP's word")
	}
	w.passes(time.Minute)
	if w.isKnown(cookie) {
		t.Error("goes on beyond the IdP's word")
	}
}

func TestALogoutIsFinal(t *testing.T) {
	w := newWorld(t)
	s, cookie := w.signedIn()
	w.passes(5 * time.Minute) // so that each Find writes the record again
	var busy sync.WaitGroup
	for range 8 {
		busy.Go(func() {
			for range 50 {
				_, _ = w.Find(context.Background(), []string{cookie})
			}
		})
	}
	if err := w.End(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	busy.Wait()
	if w.isKnown(cookie) {
		t.Error("requests under way brought an ended session back")
	}
}

// Sessions have nothing in common: neither cookie nor identifier nor record.
func TestEachLoginIsASessionOfItsOwn(t *testing.T) {
	w := newWorld(t)
	a, cookieA := w.signedIn()
	b, cookieB := w.signedIn()
	if a.ID == b.ID || cookieA == cookieB || string(a.Half()) == string(b.Half()) {
		t.Error("two logins share something")
	}
	if strings.Contains(cookieA, a.ID[:16]) {
		t.Error("the identifier leads back to the cookie")
	}
	if err := w.End(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if w.isKnown(cookieA) || !w.isKnown(cookieB) {
		t.Error("the end of one session is another's")
	}
}

// A store that swaps records gives nobody somebody else's session.
func TestARecordUnderAnotherNameDoesNotOpen(t *testing.T) {
	w := newWorld(t)
	_, cookie := w.signedIn()
	swapped := &swapping{Store: w.Store}
	other, _ := w.signedIn()
	swapped.to = "session:" + other.ID
	w.Store = swapped
	if w.isKnown(cookie) {
		t.Error("a swapped record opens")
	}
}

type swapping struct {
	state.Store
	to string
}

func (s *swapping) Get(ctx context.Context, _ string) ([]byte, error) { return s.Store.Get(ctx, s.to) }

// A state that does not answer is no reason to think that nobody is signed in.
func TestAStoreThatFailsIsAnError(t *testing.T) {
	w := newWorld(t)
	_, cookie := w.signedIn()
	w.Store = &failing{w.Store}
	if _, err := w.Find(t.Context(), []string{cookie}); err == nil || errors.Is(err, session.ErrNone) {
		t.Errorf("the error is %v", err)
	}
}

type failing struct{ state.Store }

func (failing) Get(context.Context, string) ([]byte, error) { return nil, errors.New("away") }

func TestTheCookiesAttributes(t *testing.T) {
	for _, attribute := range []string{"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(session.SetCookie("x"), attribute) || !strings.Contains(session.DropCookie(), attribute) {
			t.Errorf("no %s", attribute)
		}
	}
	if strings.Contains(session.SetCookie("x"), "Domain") || !strings.HasPrefix(session.SetCookie("x"), "__Host-") {
		t.Error("other hosts could set or read it")
	}
}

func TestASessionDoesNotPrintItsSecret(t *testing.T) {
	w := newWorld(t)
	s, _ := w.signedIn()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	printed := string(text) + s.LogValue().String() + s.Handle()
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		printed += fmt.Sprintf(verb, s.LogValue()) + fmt.Sprintf(verb, s) + fmt.Sprintf(verb, struct{ S *session.Session }{s})
	}
	if strings.Contains(printed, "ada") {
		t.Errorf("a person is printed: %s", printed)
	}
	if strings.Contains(printed, fmt.Sprint(s.Half())) || strings.Contains(printed, s.ID) {
		t.Errorf("printed: %s", printed)
	}
}
