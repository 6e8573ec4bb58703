package session_test

import (
	"context"
	"testing"
	"time"

	"github.com/rolepass/rolepass/state"
)

// hoarding is a Store that forgets nothing by itself.
type hoarding struct{ state.Store }

func (h *hoarding) Put(ctx context.Context, name string, record []byte, _ time.Time) error {
	return h.Store.Put(ctx, name, record, time.Unix(1<<40, 0))
}

// A session ends at its end, also where the store keeps its record and it was
// opened before.
func TestAnOpenedSessionEndsThoughItsRecordStays(t *testing.T) {
	w := newWorld(t)
	w.Store = &hoarding{w.Store}
	_, cookie := w.signedIn()
	if !w.isKnown(cookie) {
		t.Fatal("not known")
	}
	w.passes(30 * time.Minute)
	if w.isKnown(cookie) {
		t.Error("known after its idle limit")
	}
}

// That a session was opened before is no reason to believe another record.
func TestAnOpenedSessionIsNotBelievedBesideAnotherRecord(t *testing.T) {
	w := newWorld(t)
	_, cookie := w.signedIn()
	other, _ := w.signedIn()
	if !w.isKnown(cookie) {
		t.Fatal("not known")
	}
	w.Store = &swapping{Store: w.Store, to: "session:" + other.ID}
	if w.isKnown(cookie) {
		t.Error("a swapped record passes")
	}
}
