package state_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/state"
)

// sealed is everything that a record is bound to.
type sealed struct {
	kind, name string
	half       []byte
}

func drawSealed(r *rapid.T, label string) sealed {
	return sealed{
		kind: rapid.StringN(0, 8, -1).Draw(r, label+" kind"), name: rapid.StringN(0, 8, -1).Draw(r, label+" name"),
		half: rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 255}), 0, 70).Draw(r, label+" half"),
	}
}

// A record opens with what it was sealed with, and with nothing else: above
// all not with a half that differs in trailing zeros, which HMAC would fill in.
func TestARecordIsBoundToAllItsParts(t *testing.T) {
	s := newSealer(t, newClock())
	rapid.Check(t, func(r *rapid.T) {
		a, b := drawSealed(r, "a"), drawSealed(r, "b")
		if rapid.Bool().Draw(r, "only zeros more") {
			b = a
			b.half = append(bytes.Clone(a.half), 0)
		}
		record, err := s.Seal(a.kind, a.name, a.half, []byte("value"), start.Add(time.Hour))
		if err != nil {
			r.Fatal(err)
		}
		if value, _, err := s.Open(a.kind, a.name, a.half, record); err != nil || string(value) != "value" {
			r.Fatalf("its own does not open: %v", err)
		}
		same := a.kind == b.kind && a.name == b.name && bytes.Equal(a.half, b.half)
		if _, _, err := s.Open(b.kind, b.name, b.half, record); (err == nil) != same {
			r.Fatalf("%+v opens what %+v sealed: %v", b, a, err)
		}
	})
}

// The end stands in the open; a later one does not open.
func TestAnEndCannotBeMoved(t *testing.T) {
	s := newSealer(t, newClock())
	short, err := s.Seal("k", "n", nil, []byte("v"), start.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	long, err := s.Seal("k", "n", nil, []byte("v"), start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(long) { // the head of one, the rest of the other
		mixed := append(bytes.Clone(long[:n]), short[n:]...)
		if _, _, err := s.Open("k", "n", nil, mixed); !bytes.Equal(mixed, short) && !bytes.Equal(mixed, long) && !errors.Is(err, state.ErrNotFound) {
			t.Fatalf("the first %d bytes of a longer record: %v", n, err)
		}
	}
}

func TestAKeyringDoesNotPrintItsKeys(t *testing.T) {
	s := newSealer(t, newClock())
	secret := make([]byte, 32)
	if _, err := random(0).Read(secret); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		for _, v := range []any{s.Keys, *s.Keys, s, struct{ Ring state.Keyring }{*s.Keys}} {
			shown := fmt.Sprintf(verb, v)
			for _, form := range []string{fmt.Sprintf("%x", secret), fmt.Sprint(secret[:8])[1:20], fmt.Sprintf("%#v", secret[:4])[8:]} {
				if strings.Contains(shown, strings.TrimSuffix(form, "}")) {
					t.Errorf("%s of %T: %s", verb, v, shown)
				}
			}
		}
	}
}

// What could never fit makes nobody leave.
func TestARecordThatNeverFitsEvictsNobody(t *testing.T) {
	m := state.NewMemory(1000, newClock().now)
	if err := m.Put(t.Context(), "a", []byte("kept"), start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if m.Put(t.Context(), "b", make([]byte, 1000), start.Add(time.Hour)) == nil || m.Replace(t.Context(), "a", make([]byte, 1000), start.Add(time.Hour)) == nil {
		t.Error("taken")
	}
	if record, err := m.Get(t.Context(), "a"); err != nil || string(record) != "kept" {
		t.Errorf("%q, %v", record, err)
	}
}

// A key is replaced while records live: what the old one sealed opens as long
// as it is there, and the new one seals.
func TestRekeying(t *testing.T) {
	c := newClock()
	dir := filepath.Join(t.TempDir(), "keys")
	first := newKey(t, dir, 0)
	old := &state.Sealer{Keys: ring(t, dir), Now: c.now, Rand: random(99)}
	s := &state.Sealer{Keys: ring(t, dir), Now: c.now, Rand: random(98)}
	seal := func() []byte {
		record, err := s.Seal("k", "n", nil, []byte("v"), start.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return record
	}
	before := seal()
	newKey(t, dir, 1)
	s.Rekey(ring(t, dir))
	if value, _, err := s.Open("k", "n", nil, before); err != nil || string(value) != "v" {
		t.Errorf("sealed before: %q, %v", value, err)
	}
	if _, _, err := old.Open("k", "n", nil, seal()); err == nil {
		t.Error("the old key still seals")
	}
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	s.Rekey(ring(t, dir))
	if _, _, err := s.Open("k", "n", nil, before); err == nil {
		t.Error("sealed under a key that is gone, and it opens")
	}
}
