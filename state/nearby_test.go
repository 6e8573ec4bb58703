package state_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/state"
)

// far is a Store that counts how often it is asked, and can do something while it is.
type far struct {
	*state.Memory
	asked int
	while func()
}

func (f *far) Get(ctx context.Context, name string) ([]byte, error) {
	f.asked++
	record, err := f.Memory.Get(ctx, name)
	if f.while != nil {
		f.while()
	}
	return record, err
}

func nearFar(t *testing.T) (near *state.Nearby, behind *far, passes func(time.Duration)) {
	t.Helper()
	now := time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	behind = &far{Memory: state.NewMemory(1<<20, clock)}
	return state.NewNearby(behind, 2*time.Second, 1000, clock), behind, func(d time.Duration) { now = now.Add(d) }
}

func keeps(t *testing.T, s state.Store, name, value string) {
	t.Helper()
	if err := s.Put(t.Context(), name, []byte(value), time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, s state.Store, name string) string {
	t.Helper()
	record, err := s.Get(t.Context(), name)
	if errors.Is(err, state.ErrNotFound) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(record)
}

// A page of thirty objects asks once, and what others changed is seen two seconds
// after it was asked for.
func TestWhatWasReadIsRememberedForAMoment(t *testing.T) {
	near, behind, passes := nearFar(t)
	keeps(t, behind, "session", "one")
	for range 30 {
		if got := holds(t, near, "session"); got != "one" {
			t.Fatalf("it is %q", got)
		}
	}
	if behind.asked != 1 {
		t.Errorf("asked %d times", behind.asked)
	}
	keeps(t, behind, "session", "two")
	passes(2*time.Second - 1)
	if got := holds(t, near, "session"); got != "one" {
		t.Errorf("before two seconds it is %q", got)
	}
	passes(1)
	if got := holds(t, near, "session"); got != "two" {
		t.Errorf("after two seconds it is %q", got)
	}
	if err := behind.Delete(t.Context(), "session"); err != nil {
		t.Fatal(err)
	}
	passes(2 * time.Second)
	if got := holds(t, near, "session"); got != "" {
		t.Errorf("two seconds after its end it is %q", got)
	}
	keeps(t, behind, "session", "three")
	if got := holds(t, near, "session"); got != "three" {
		t.Errorf("that there was none is remembered: %q", got)
	}
}

// How long it took to answer is no part of the moment.
func TestTheMomentBeginsBeforeTheQuestion(t *testing.T) {
	near, behind, passes := nearFar(t)
	keeps(t, behind, "session", "one")
	behind.while = func() { passes(time.Second) }
	holds(t, near, "session")
	passes(time.Second)
	keeps(t, behind, "session", "two")
	if got := holds(t, near, "session"); got != "two" {
		t.Errorf("it is %q two seconds after it was asked for", got)
	}
}

// What is changed here is seen here at once, also by whoever was asking meanwhile.
func TestWhatIsChangedHereIsSeenAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*testing.T, state.Store)
		want   string
	}{
		"put": {func(t *testing.T, s state.Store) { keeps(t, s, "session", "two") }, "two"},
		"replaced": {func(t *testing.T, s state.Store) {
			if err := s.Replace(t.Context(), "session", []byte("two"), time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
				t.Error(err)
			}
		}, "two"},
		"deleted": {func(t *testing.T, s state.Store) {
			if err := s.Delete(t.Context(), "session"); err != nil {
				t.Error(err)
			}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			near, behind, _ := nearFar(t)
			keeps(t, behind, "session", "one")
			holds(t, near, "session")
			c.change(t, near)
			if got := holds(t, near, "session"); got != c.want {
				t.Errorf("it is %q", got)
			}
		})
		t.Run(name+" while somebody asks", func(t *testing.T) {
			near, behind, _ := nearFar(t)
			keeps(t, behind, "session", "one")
			behind.while = func() { behind.while = nil; c.change(t, near) }
			holds(t, near, "session")
			if got := holds(t, near, "session"); got != c.want {
				t.Errorf("it is %q: the answer of before was remembered", got)
			}
		})
	}
}

// A thousand bytes hold three small records, or one large one, or none.
func TestSoManyAreRemembered(t *testing.T) {
	near, behind, _ := nearFar(t)
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		keeps(t, behind, name, name)
		holds(t, near, name)
	}
	before := behind.asked
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		holds(t, near, name)
	}
	if asked := behind.asked - before; asked < 3 {
		t.Errorf("%d of six were asked for again: more than three are kept", asked)
	}
	large := strings.Repeat("x", 700)
	for name, want := range map[string]int{large: 1, large + large: 2} {
		keeps(t, behind, "large", name)
		before = behind.asked
		holds(t, near, "large")
		holds(t, near, "large")
		if asked := behind.asked - before; asked != want {
			t.Errorf("%d bytes, asked twice for, were asked for %d times, want %d", len(name), asked, want)
		}
		if err := near.Delete(t.Context(), "large"); err != nil {
			t.Fatal(err)
		}
	}
	before = behind.asked
	for range 2 {
		for _, name := range []string{"a", "b", "c"} {
			holds(t, near, name)
		}
	}
	if asked := behind.asked - before; asked > 3 {
		t.Errorf("three small ones were asked for %d times: the room of the large ones is lost", asked)
	}
}

// Each of several must say that a name is unused, and the first is not asked in vain.
func TestANameIsUsedOnceForAll(t *testing.T) {
	now := func() time.Time { return time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC) }
	here, there := state.NewMemoryOnce(10, now), state.NewMemoryOnce(10, now)
	both := state.InAll{here, there}
	use := func(o state.Once, name string) bool {
		first, err := o.Use(t.Context(), name, now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		return first
	}
	use(here, "here")
	use(there, "there")
	if use(both, "here") || use(both, "there") || !use(both, "new") || use(both, "new") || use(there, "new") || use(here, "new") || use(state.InAll{}, "any") {
		t.Error("a name passes twice, or none does")
	}
}
