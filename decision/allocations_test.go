package decision_test

import (
	"testing"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/e2e/raced"
)

// A decision out of memory makes few things, and no more from one release to
// the next without somebody saying why.
func TestADecisionAllocatesLittle(t *testing.T) {
	w := newWorld(t)
	w.Sinks = nil
	cookie := w.signedIn(radiology)
	for name, c := range map[string]struct {
		request decision.Request
		kind    decision.Kind
		most    float64
	}{
		"fetch": {request("GET", fetching("7", lung), cookie), decision.Stream, 10},
		"pass":  {request("GET", "/api/tasks?project=12&page=1", "csrftoken=c; "+cookie), decision.Pass, 16},
	} {
		if got := w.Decider.Decide(t.Context(), c.request); got.Kind != c.kind {
			t.Fatalf("%s: decided %v %s", name, got.Kind, got.Code)
		}
		if got := testing.AllocsPerRun(200, func() { w.Decider.Decide(t.Context(), c.request) }); got > c.most+raced.Room {
			t.Errorf("a %s takes %.0f allocations, more than %.0f", name, got, c.most)
		} else {
			t.Logf("a %s takes %.0f allocations", name, got)
		}
	}
}
