package credcache_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/state"
)

// When the state is full, whose credentials leave first is who does not use them,
// also where those in use are opened and the state need not be asked.
func TestCredentialsInUseStayInAFullState(t *testing.T) {
	w := newWorld(t, 0)
	w.store = state.NewMemory(30<<10, w.now)
	w.sessions.Store = w.store
	w.Cache = credcache.New(w.store, w.sealer, 10<<10, w.now)
	ada := credcache.Key{Session: w.session(), Role: "role"}
	w.puts(ada, "ADA")
	others := func(n int, every time.Duration, do func()) {
		for i := range n {
			w.puts(credcache.Key{Session: w.session(), Role: "role"}, fmt.Sprint("OTHER", i))
			w.passes(every)
			do()
		}
	}
	others(40, time.Minute, func() {
		if w.gets(ada) != "ADA" {
			t.Fatal("the credentials that are in use have left")
		}
	})
	others(8, 0, func() {}) // more than are opened at a time
	if w.gets(ada) != "ADA" {
		t.Error("what was in use all the time has left, and others' that were never used are there")
	}
}
