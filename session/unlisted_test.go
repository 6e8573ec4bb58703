package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/valkeytest"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

var errAway = errors.New("the server is away")

// away is a state's server that does not answer when it is asked for these names.
type away struct {
	session.Shared
	from string
}

func (a *away) fails(name string) error {
	if a.from != "" && strings.HasPrefix(name, a.from) {
		return errAway
	}
	return nil
}

func (a *away) Get(ctx context.Context, name string) ([]byte, error) {
	if err := a.fails(name); err != nil {
		return nil, err
	}
	return a.Shared.Get(ctx, name)
}

func (a *away) Replace(ctx context.Context, name string, record []byte, expires time.Time) error {
	if err := a.fails(name); err != nil {
		return err
	}
	return a.Shared.Replace(ctx, name, record, expires)
}

// falters lets the server fail a replica from now on, as the test says.
func (w *world) falters() *away {
	a := &away{Shared: w.Shared}
	w.Shared, w.Store = a, state.NewNearby(a, believed, 1<<20, w.now)
	return a
}

// Whoever breaks off their own request halfway has no session that outlives its
// place in the list, where a logout at the IdP would look for it.
func TestASessionLivesNoLongerThanTheListSays(t *testing.T) {
	one, _ := replicas(t, valkeytest.Start(t))
	server := one.falters()
	_, cookie := one.signedIn()
	one.passes(one.Idle - time.Second)
	server.from = "listed:"
	if _, err := one.Find(t.Context(), []string{cookie}); !errors.Is(err, errAway) {
		t.Fatalf("its use could not be listed: %v", err)
	}
	server.from = ""
	one.passes(time.Second)
	if len(one.List(everybody)) != 0 || one.isKnown(cookie) {
		t.Error("the session is known, and the list has it no more")
	}
}

// A server may lose one record and keep the other.
func TestWhatIsNotListedIsNoSession(t *testing.T) {
	server := valkeytest.Start(t)
	one, other := replicas(t, server)
	s, cookie := one.signedIn()
	server.Forget(":listed:" + s.ID)
	for range 3 {
		one.passes(time.Minute)
		if one.isKnown(cookie) || other.isKnown(cookie) {
			t.Error("nobody could end it")
		}
	}
}

// A server that is full may forget which sessions are one person's, and a logout at
// the IdP looks for them by that.
func TestSomebodysSessionsAreFoundAfterTheServerForgotWhose(t *testing.T) {
	server := valkeytest.Start(t)
	one, other := replicas(t, server)
	s, cookie := one.signedInAnew("ada@example.org")
	server.ForgetAll(":theirs:")
	one.passes(time.Minute)
	if !one.isKnown(cookie) {
		t.Fatal("the session has ended")
	}
	if listed := other.Named(s.Principal.NameID, everybody); len(listed) != 1 {
		t.Errorf("%d are found by their name", len(listed))
	}
	other.PerPerson = 1
	again, _ := other.signedInAnew("ada@example.org")
	if surplus := other.Surplus(again.Principal); len(surplus) != 1 || surplus[0].ID != s.ID {
		t.Errorf("too many by their address are %v", surplus)
	}
}

// signedInAnew is somebody whom their IdP names anew at each login.
func (w *world) signedInAnew(email string) (*session.Session, string) {
	w.t.Helper()
	s, token, err := w.New(time.Time{})
	if err != nil {
		w.t.Fatal(err)
	}
	s.AppUser, s.Principal = 42, saml.Principal{IdP: "corp", NameID: s.ID, NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:transient", Email: email}
	if err := w.Keep(w.t.Context(), s); err != nil {
		w.t.Fatal(err)
	}
	return s, session.CookieName + "=" + token
}

// A replica writes a session that was told to end anew, and cannot see that it was.
// It sees so at the next use.
func TestASessionThatEndsIsNotKeptByAFailure(t *testing.T) {
	server := valkeytest.Start(t)
	one, other := replicas(t, server)
	s, cookie := one.signedIn()
	one.passes(time.Minute)
	if err := one.EndSoon(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	behind := other.falters()
	behind.from = "ending:"
	if _, err := other.Find(t.Context(), []string{cookie}); !errors.Is(err, errAway) {
		t.Fatalf("it could not be known whether it ends: %v", err)
	}
	behind.from = ""
	one.passes(time.Minute)
	if one.isKnown(cookie) || other.isKnown(cookie) || len(other.List(everybody)) != 0 {
		t.Error("it lives on")
	}
	if left := server.Left(":ending:" + s.ID); left < one.Idle {
		t.Errorf("in %v nobody knows any more that it was to end, and it may live for %v", left, one.Idle)
	}
}
