package decision_test

import (
	"errors"
	"io"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/e2e/raced"
	"github.com/rolepass/rolepass/telemetry"
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
		"pass":  {request("GET", "/api/tasks?project=12&page=1", "csrftoken=c; "+cookie), decision.Pass, 8},
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

// An audit costs a fetch eight allocations; metrics, and traces that are not
// made, cost none.
func TestAnAuditedDecisionAllocatesLittle(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedIn(radiology)
	metrics := telemetry.NewMetrics()
	audit := telemetry.NewAudit(io.Discard, telemetry.AuditOptions{Key: make([]byte, 32), JournalOptions: telemetry.JournalOptions{Lost: metrics.AuditLost, Log: slog.New(slog.DiscardHandler), Now: time.Now}})
	traces, err := telemetry.NewTraces(t.Context(), telemetry.TracesOptions{Collector: "127.0.0.1:1", Key: make([]byte, 32), Lost: metrics.SpansLost, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	w.Sinks = []decision.Sink{audit.Sink, metrics.Sink, traces.Sink}
	fetch := request("GET", fetching("7", lung), cookie)
	if got := w.Decider.Decide(t.Context(), fetch); got.Kind != decision.Stream {
		t.Fatalf("decided %v %s", got.Kind, got.Code)
	}
	// What else the process does is counted, too: the least of some is ours.
	const most = 10 + 8
	got := math.Inf(1)
	for range 10 {
		got = min(got, testing.AllocsPerRun(50, func() { w.Decider.Decide(t.Context(), fetch) }))
	}
	if got > most+raced.Room {
		t.Errorf("an audited fetch takes %.0f allocations, more than %d", got, most)
	} else {
		t.Logf("an audited fetch takes %.0f allocations", got)
	}
	if err := errors.Join(audit.Close(t.Context()), traces.Close(t.Context())); err != nil {
		t.Error(err)
	}
}
