package state_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/state"
)

var start = time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)

// clock is a clock that the test drives.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: start} }

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) passes(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

func random(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

// newKey adds a key to a directory, as of some day after the start.
func newKey(t testing.TB, dir string, day int) string {
	t.Helper()
	name, err := state.NewKey(dir, start.AddDate(0, 0, day), random(byte(day)))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func ring(t testing.TB, dir string) *state.Keyring {
	t.Helper()
	loaded, err := state.LoadKeyring(dir)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func newSealer(t testing.TB, c *clock) *state.Sealer {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	newKey(t, dir, 0)
	return &state.Sealer{Keys: ring(t, dir), Now: c.now, Rand: random(99)}
}

func TestASealedRecordOpens(t *testing.T) {
	c := newClock()
	s := newSealer(t, c)
	record, err := s.Seal("session", "name", []byte("half"), []byte("canary"), start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	value, ends, err := s.Open("session", "name", []byte("half"), record)
	if err != nil || string(value) != "canary" || !ends.Equal(start.Add(time.Hour)) {
		t.Errorf("opened %q until %v, %v", value, ends, err)
	}
	if strings.Contains(string(record), "canary") {
		t.Error("the record shows its value")
	}
	c.passes(time.Hour)
	if _, _, err := s.Open("session", "name", []byte("half"), record); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("opened after its end: %v", err)
	}
}

// A record opens whole, under its own kind, name and half, or not at all.
func TestNothingElseOpens(t *testing.T) {
	s := newSealer(t, newClock())
	record, err := s.Seal("session", "name", []byte("half"), []byte("value"), start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() ([]byte, time.Time, error){
		"another kind":      func() ([]byte, time.Time, error) { return s.Open("credentials", "name", []byte("half"), record) },
		"another name":      func() ([]byte, time.Time, error) { return s.Open("session", "names", []byte("half"), record) },
		"a shifted name":    func() ([]byte, time.Time, error) { return s.Open("sessionn", "ame", []byte("half"), record) },
		"another half":      func() ([]byte, time.Time, error) { return s.Open("session", "name", []byte("other"), record) },
		"no half":           func() ([]byte, time.Time, error) { return s.Open("session", "name", nil, record) },
		"nothing":           func() ([]byte, time.Time, error) { return s.Open("session", "name", []byte("half"), nil) },
		"another's keyring": func() ([]byte, time.Time, error) { return newOther(t).Open("session", "name", []byte("half"), record) },
	} {
		if value, _, err := open(); !errors.Is(err, state.ErrNotFound) || value != nil {
			t.Errorf("%s: %q, %v", name, value, err)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		changed := append([]byte{}, record...)
		switch rapid.SampledFrom([]string{"flip", "cut", "append"}).Draw(r, "how") {
		case "flip":
			changed[rapid.IntRange(0, len(record)-1).Draw(r, "at")] ^= byte(rapid.IntRange(1, 255).Draw(r, "by"))
		case "cut":
			changed = changed[:rapid.IntRange(0, len(record)-1).Draw(r, "to")]
		case "append":
			changed = append(changed, rapid.Byte().Draw(r, "byte"))
		}
		if value, _, err := s.Open("session", "name", []byte("half"), changed); !errors.Is(err, state.ErrNotFound) || value != nil {
			r.Fatalf("a changed record opens: %q, %v", value, err)
		}
	})
}

func newOther(t testing.TB) *state.Sealer {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	if _, err := state.NewKey(dir, start, random(7)); err != nil { // the same name, another secret
		t.Fatal(err)
	}
	return &state.Sealer{Keys: ring(t, dir), Now: newClock().now, Rand: random(1)}
}

// A key may be replaced without a logout: the new one seals, both open, until
// the old one is taken away.
func TestKeysRotate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	old := newKey(t, dir, 0)
	c := newClock()
	sealer := func() *state.Sealer { return &state.Sealer{Keys: ring(t, dir), Now: c.now, Rand: random(1)} }
	seal := func() []byte {
		record, err := sealer().Seal("k", "n", nil, []byte("v"), start.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return record
	}
	opens := func(record []byte) bool { _, _, err := sealer().Open("k", "n", nil, record); return err == nil }
	before := seal()
	newKey(t, dir, 1)
	after := seal()
	if !opens(before) || !opens(after) {
		t.Error("with both keys, not all opens")
	}
	if err := os.Remove(old); err != nil {
		t.Fatal(err)
	}
	if opens(before) || !opens(after) {
		t.Error("the new key is not the one that seals")
	}
	if len(ring(t, dir).Derive("x")) != 1 || string(ring(t, dir).Derive("x")[0]) == string(ring(t, dir).Derive("y")[0]) {
		t.Error("two purposes share a key")
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		make func(dir string) error
		want string
	}{
		"no directory": {func(string) error { return nil }, "rolepass keys new"},
		"none":         {func(dir string) error { return os.MkdirAll(dir, 0o700) }, "rolepass keys new"},
		"readable by others": {func(dir string) error {
			return errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(dir+"/a.key", []byte(strings.Repeat("ab", 32)), 0o640))
		}, "chmod 600"},
		"too short": {func(dir string) error {
			return errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(dir+"/a.key", []byte(strings.Repeat("ab", 31)), 0o600))
		}, "32 bytes"},
		"not hexadecimal": {func(dir string) error {
			return errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(dir+"/a.key", []byte(strings.Repeat("zz", 32)), 0o600))
		}, "32 bytes"},
	} {
		dir := filepath.Join(t.TempDir(), "keys")
		if err := c.make(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := state.LoadKeyring(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want it to say %q", name, err, c.want)
		}
	}
}

// TestADirectoryThatCannotBeListedIsNoEmptyOne: who is told that there is no key
// makes a new one, and loses what the old one opens.
func TestADirectoryThatCannotBeListedIsNoEmptyOne(t *testing.T) {
	file := newKey(t, filepath.Join(t.TempDir(), "keys"), 0)
	if _, err := state.LoadKeyring(file); err == nil || strings.Contains(err.Error(), "keys new") {
		t.Errorf("the error is %v", err)
	}
	odd := filepath.Join(t.TempDir(), "keys[1]")
	newKey(t, odd, 0)
	if _, err := state.LoadKeyring(odd); err != nil {
		t.Errorf("a directory with brackets in its name: %v", err)
	}
}

func TestAKeyFileIsItsOwnersAlone(t *testing.T) {
	name := newKey(t, filepath.Join(t.TempDir(), "keys"), 0)
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestAKeyDoesNotPrintItself(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	name := newKey(t, dir, 0)
	secret, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	loaded := ring(t, dir)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		text := fmt.Sprintf(verb, loaded)
		if strings.Contains(text, string(secret[:16])) || strings.Contains(text, "secret") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

func TestMemoryKeepsUntilTheEnd(t *testing.T) {
	c := newClock()
	m := state.NewMemory(1<<20, c.now)
	put(t, m, "a", "1", time.Minute)
	if has(t, m, "a") != "1" || has(t, m, "b") != "" {
		t.Error("a record is not where it was put")
	}
	put(t, m, "a", "2", time.Minute)
	if has(t, m, "a") != "2" {
		t.Error("a record is not replaced")
	}
	c.passes(time.Minute)
	if has(t, m, "a") != "" {
		t.Error("a record is there after its end")
	}
}

func put(t testing.TB, s state.Store, name, value string, life time.Duration) {
	t.Helper()
	if err := s.Put(t.Context(), name, []byte(value), start.Add(life)); err != nil {
		t.Fatal(err)
	}
}

func has(t testing.TB, s state.Store, name string) string {
	t.Helper()
	value, err := s.Get(t.Context(), name)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		t.Fatal(err)
	}
	return string(value)
}

// What was deleted does not come back by somebody who read it before.
func TestReplaceIsNoPut(t *testing.T) {
	c := newClock()
	m := state.NewMemory(1<<20, c.now)
	put(t, m, "a", "1", time.Minute)
	if err := m.Replace(t.Context(), "a", []byte("2"), start.Add(time.Hour)); err != nil || has(t, m, "a") != "2" {
		t.Errorf("replacing: %v", err)
	}
	if err := m.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if err := m.Replace(t.Context(), "a", []byte("3"), start.Add(time.Hour)); !errors.Is(err, state.ErrNotFound) || has(t, m, "a") != "" {
		t.Errorf("replacing what is gone: %v", err)
	}
	put(t, m, "b", "1", time.Minute)
	c.passes(time.Minute)
	if err := m.Replace(t.Context(), "b", []byte("2"), start.Add(time.Hour)); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("replacing what has ended: %v", err)
	}
}

// Memory is bounded in bytes: what was used longest ago goes first.
func TestMemoryIsBounded(t *testing.T) {
	m := state.NewMemory(100_000, newClock().now)
	put(t, m, "used", "1", time.Hour)
	for i := range 1000 {
		put(t, m, fmt.Sprint("n", i), strings.Repeat("x", 1000), time.Hour)
		has(t, m, "used")
	}
	if has(t, m, "used") == "" || has(t, m, "n0") != "" || has(t, m, "n999") == "" {
		t.Error("the wrong ones went")
	}
	left := 0
	for i := range 1000 {
		left += len(has(t, m, fmt.Sprint("n", i)))
	}
	if left > 100_000 {
		t.Errorf("%d bytes are kept", left)
	}
	if err := m.Put(t.Context(), "huge", make([]byte, 200_000), start.Add(time.Hour)); err == nil || has(t, m, "used") == "" {
		t.Errorf("one that never fits: %v", err)
	}
}

func TestEachNameIsUsedOnce(t *testing.T) {
	c := newClock()
	o := state.NewMemoryOnce(3, c.now)
	var group sync.WaitGroup
	var mu sync.Mutex
	first := 0
	for range 32 {
		group.Go(func() {
			ok, err := o.Use(context.Background(), "a", start.Add(time.Minute))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if ok {
				first++
			}
		})
	}
	group.Wait()
	if first != 1 {
		t.Errorf("%d of 32 were first", first)
	}
}

// A memory that is full of names that still count calls no name unused.
func TestAFullMemoryRefuses(t *testing.T) {
	c := newClock()
	o := state.NewMemoryOnce(2, c.now)
	use := func(name string) (bool, error) { return o.Use(t.Context(), name, c.now().Add(time.Minute)) }
	for _, name := range []string{"a", "b"} {
		if ok, err := use(name); !ok || err != nil {
			t.Fatal(name, ok, err)
		}
	}
	if ok, err := use("c"); ok || !errors.Is(err, state.ErrFull) {
		t.Errorf("a third name: %v, %v", ok, err)
	}
	if ok, err := use("a"); ok || err != nil {
		t.Errorf("a name again: %v, %v", ok, err)
	}
	c.passes(time.Minute)
	if ok, err := use("c"); !ok || err != nil {
		t.Errorf("after the first have ended: %v, %v", ok, err)
	}
}

// Who reads while others write, delete and push out gets a whole record of that
// name, or none; what they hold stays as it was.
func TestMemoryIsReadWhileItChanges(t *testing.T) {
	m := state.NewMemory(300_000, newClock().now)
	record := func(name string, round int) []byte {
		return []byte(strings.Repeat(fmt.Sprint(name, "/", round, ";"), 10+round*7919%300))
	}
	whole := func(name string, got []byte) bool {
		first, _, _ := strings.Cut(string(got), ";")
		round := 0
		_, err := fmt.Sscanf(first, name+"/%d", &round)
		return err == nil && string(got) == string(record(name, round))
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			var held []byte
			for round := range 2000 {
				name := fmt.Sprint("n", (round*31+worker*7)%200)
				switch err := m.Put(t.Context(), name, record(name, round), start.Add(time.Hour)); {
				case err != nil:
					t.Error(err)
				case round%5 == 0:
					_ = m.Delete(t.Context(), name)
				}
				name = fmt.Sprint("n", round*17%200)
				got, err := m.Get(t.Context(), name)
				if err == nil && !whole(name, got) {
					t.Errorf("%s is %.60q", name, got)
					return
				}
				if held != nil && !whole(strings.Split(string(held), "/")[0], held) {
					t.Error("what was got before has changed")
					return
				}
				held = got
			}
		})
	}
	group.Wait()
}

// What is held is counted, and what left for want of room; not what had ended.
func TestWhatIsHeldIsCounted(t *testing.T) {
	const most = 10 << 10
	c := newClock()
	m := state.NewMemory(most, c.now)
	put := func(name string, life time.Duration) {
		t.Helper()
		if err := m.Put(t.Context(), name, make([]byte, 1000), c.now().Add(life)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 6 {
		put(fmt.Sprint("short ", i), time.Minute)
	}
	if bytes, evicted := m.Held(); bytes < 6000 || bytes > most || evicted != 0 {
		t.Fatalf("%d bytes are held, %d records left", bytes, evicted)
	}
	c.passes(time.Minute)
	for i := range 20 {
		put(fmt.Sprint("long ", i), time.Hour)
	}
	held := 0
	for i := range 20 {
		if _, err := m.Get(t.Context(), fmt.Sprint("long ", i)); err == nil {
			held++
		}
	}
	if bytes, evicted := m.Held(); bytes > most || held == 0 || evicted != 20-held {
		t.Errorf("%d bytes are held in %d records, %d left", bytes, held, evicted)
	}
}

// A record that comes is never the one that leaves, even where all others were
// used since it last came to that.
func TestWhatComesStays(t *testing.T) {
	c := newClock()
	m := state.NewMemory(10<<10, c.now)
	for i := range 50 {
		name := fmt.Sprint(i)
		if err := m.Put(t.Context(), name, make([]byte, 1000), c.now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		for j := range i + 1 {
			_, err := m.Get(t.Context(), fmt.Sprint(j))
			if j == i && err != nil {
				t.Fatalf("record %d is gone at once: %v", i, err)
			}
		}
	}
}
