package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

// A session that was renewed lives half a minute on, and no use of it, not
// even one that was just going to write it anew, gives it more.
func TestARenewedSessionEndsInAMoment(t *testing.T) {
	w := newWorld(t)
	s, cookie := w.signedIn()
	lines := []string{cookie}
	w.passes(2 * time.Minute) // the next use writes the record anew
	if err := w.EndSoon(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.passes(9 * time.Second)
		if err := w.EndSoon(t.Context(), s.ID); err != nil { // renewed again meanwhile
			t.Fatal(err)
		}
		if _, err := w.Find(t.Context(), lines); err != nil {
			t.Fatalf("while its pages' requests are under way: %v", err)
		}
	}
	w.passes(4 * time.Second) // half a minute, whenever it was used
	if _, err := w.Find(t.Context(), lines); !errors.Is(err, session.ErrNone) {
		t.Errorf("it lives on: %v", err)
	}
	if err := w.EndSoon(t.Context(), s.ID); err != nil {
		t.Errorf("ending what has ended: %v", err)
	}
}

// Until it has ended, whoever looks for a person's sessions finds it, and ends
// it at once.
func TestASessionThatIsEndingIsFound(t *testing.T) {
	w := newWorld(t)
	s, cookie := w.signedIn()
	if err := w.EndSoon(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	all := func(session.Listed) bool { return true }
	w.passes(20 * time.Second)
	listed := w.List(all)
	if len(listed) != 1 || listed[0].ID != s.ID || !listed[0].Ending || listed[0].Expires.Sub(w.now()) > 10*time.Second {
		t.Fatalf("the list is %v", listed)
	}
	if w.PerPerson = 1; len(w.Surplus(s.Principal)) != 0 {
		t.Error("a session that ends anyway counts against its person")
	}
	w.passes(11 * time.Second)
	if listed := w.List(all); len(listed) != 0 || w.isKnown(cookie) {
		t.Errorf("it has ended, and the list is %v", listed)
	}
}

// overtaken is a store in which something happens just before a record is
// written anew.
type overtaken struct {
	state.Store
	by func()
}

func (o *overtaken) Replace(ctx context.Context, name string, record []byte, expires time.Time) error {
	if by := o.by; by != nil {
		o.by = nil
		by()
	}
	return o.Store.Replace(ctx, name, record, expires)
}

// Also when a use of the session writes it anew just as it is told to end.
func TestASessionThatIsEndingIsFoundAfterItsLastUse(t *testing.T) {
	w := newWorld(t)
	s, cookie := w.signedIn()
	w.Store = &overtaken{Store: w.Store, by: func() {
		if err := w.EndSoon(t.Context(), s.ID); err != nil {
			t.Error(err)
		}
	}}
	w.passes(2 * time.Minute) // the next use writes the record anew
	if !w.isKnown(cookie) {
		t.Fatal("not known while its pages' requests are under way")
	}
	listed := w.List(func(session.Listed) bool { return true })
	if len(listed) != 1 || !listed[0].Ending || listed[0].Expires.Sub(w.now()) > 30*time.Second {
		t.Errorf("the list is %v", listed)
	}
	w.passes(31 * time.Second)
	if w.isKnown(cookie) {
		t.Error("its last use gave it more life")
	}
}
