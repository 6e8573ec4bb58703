package session_test

import (
	"testing"

	"github.com/rolepass/rolepass/e2e/raced"
)

// Finding the session of a cookie is a part of every decision, and makes two
// things: a name, and the store's copy of the record.
func TestFindingASessionAllocatesLittle(t *testing.T) {
	w := newWorld(t)
	_, cookie := w.signedIn()
	lines := []string{"csrftoken=abc; theme=dark", cookie}
	if got := testing.AllocsPerRun(200, func() {
		if _, err := w.Find(t.Context(), lines); err != nil {
			t.Fatal(err)
		}
	}); got > 2+raced.Room {
		t.Errorf("finding a session takes %.0f allocations, more than 2", got)
	}
}
