package state_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/state"
)

// What an earlier version sealed opens, to the byte: a format that changes keeps
// reading the one before, or every upgrade would sign everybody out where the state
// outlives the process. These bytes were sealed once and stay; a new format gets a
// second record beside them.
func TestWhatAnEarlierVersionSealedOpens(t *testing.T) {
	const first = "011a3230323730313031543030303030302e3030303030303030305a000001a318933e80" +
		"0e42d4cae8864908e0b8c75205ab0e8242a90033dda3c1fa91bb9e318bd03cbaa4f16570fddb1751cd"
	dir := t.TempDir()
	key := filepath.Join(dir, "20270101T000000.000000000Z.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("0123456789abcdef", 4)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newClock()
	s := &state.Sealer{Keys: ring(t, dir), Now: c.now}
	record, err := hex.DecodeString(first)
	if err != nil {
		t.Fatal(err)
	}
	value, ends, err := s.Open("session", "a name", []byte("a cookie's half"), record)
	if err != nil || string(value) != "what was kept" || !ends.Equal(start.Add(time.Hour)) {
		t.Errorf("%q until %v, %v", value, ends, err)
	}
	c.passes(time.Hour)
	if _, _, err := s.Open("session", "a name", []byte("a cookie's half"), record); err == nil {
		t.Error("it opens after its end")
	}
}
