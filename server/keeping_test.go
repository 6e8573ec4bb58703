package server

import (
	"testing"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/e2e/valkeytest"
	"github.com/rolepass/rolepass/telemetry"
)

// A logout message that came while the server was away counts when it comes again:
// it is not used up by an answer that nobody had. What was used here stays so, though
// the server lost it.
func TestWhatCouldNotBeKnownIsNotUsedUp(t *testing.T) {
	server := valkeytest.Start(t)
	s := &Server{metrics: telemetry.NewMetrics()}
	kept := s.keep(&config.Config{State: config.State{Kind: config.StateValkey, MiB: 8, Valkey: config.Valkey{Network: "unix", Address: server.Socket, Prefix: "test:"}}}, Options{Now: time.Now})
	t.Cleanup(func() { _ = kept.close() })
	first := func(name string) (bool, error) { return kept.used.Use(t.Context(), name, time.Now().Add(time.Minute)) }
	if ok, err := first("assertion:1"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	server.Kill()
	if ok, err := first("logout:2"); ok || err == nil {
		t.Errorf("used for the first time, by a server that is away: %v, %v", ok, err)
	}
	server.Run()
	if ok, err := first("logout:2"); !ok || err != nil {
		t.Errorf("the message was never taken, and counts as used: %v, %v", ok, err)
	}
	if ok, err := first("assertion:1"); ok || err != nil {
		t.Errorf("the server came back without what was used, and so it is taken again: %v, %v", ok, err)
	}
}
