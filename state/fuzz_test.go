package state_test

import (
	"bytes"
	"testing"
	"time"
)

// FuzzOpen: a record opens only as it was sealed, under its own kind, name and
// half of the key, and gives what was sealed.
func FuzzOpen(f *testing.F) {
	c := newClock()
	s := newSealer(f, c)
	record, err := s.Seal("session", "name", []byte("half"), []byte("canary"), start.Add(time.Hour))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("session", "name", []byte("half"), uint16(0), []byte{})
	f.Add("credentials", "name", []byte("half"), uint16(0), []byte{})
	f.Add("session", "nam", []byte("ehalf"), uint16(0), []byte{})
	f.Add("session", "name", []byte("half"), uint16(1), []byte{0})
	f.Add("session", "name", []byte("half"), uint16(len(record)-1), []byte{0})
	f.Fuzz(func(t *testing.T, kind, name string, half []byte, at uint16, patch []byte) {
		changed := bytes.Clone(record)
		if int(at) <= len(changed) {
			changed = append(changed[:at:at], append(bytes.Clone(patch), changed[min(len(changed), int(at)+len(patch)):]...)...)
		}
		same := kind == "session" && name == "name" && string(half) == "half" && bytes.Equal(changed, record)
		value, ends, err := s.Open(kind, name, half, changed)
		if (err == nil) != same {
			t.Fatalf("%q %q opens: %v; it is the record: %t", kind, name, err, same)
		}
		if err == nil && (string(value) != "canary" || !ends.Equal(start.Add(time.Hour))) {
			t.Fatalf("opened %q until %v", value, ends)
		}
	})
}
