package server

import (
	"bytes"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/e2e/valkeytest"
	"github.com/rolepass/rolepass/telemetry"
)

// shares puts the state of a configuration on a server.
func shares(c *config.Config, socket string) {
	c.State.Kind = config.StateValkey
	c.State.Valkey = config.Valkey{Network: "unix", Address: socket, Prefix: "rolepass:", Password: "canary-password"}
}

// Rolepass starts without the state's server, and says so; with it, nothing is said.
func TestTheStartSaysThatTheStatesServerIsAway(t *testing.T) {
	server := valkeytest.Start(t)
	server.WantPassword("canary-password")
	idp := newIdP(t, "https://idp.test")
	for name, c := range map[string]struct {
		socket string
		says   bool
	}{"there": {server.Socket, false}, "away": {filepath.Join(t.TempDir(), "nobody"), true}} {
		loaded := configured(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(idp.Metadata()) })
		shares(loaded, c.socket)
		var log bytes.Buffer
		o := quiet()
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		s, err := New(t.Context(), loaded, o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.kept.close()
		if said := strings.Contains(log.String(), "the state's server does not answer"); said != c.says || strings.Contains(log.String(), "canary") {
			t.Errorf("%s: said %v:\n%s", name, said, log.String())
		}
	}
}

// A logout message that came while the server was away counts when it comes again:
// it is not used up by an answer that nobody had. What was used here stays so, though
// the server lost it.
func TestWhatCouldNotBeKnownIsNotUsedUp(t *testing.T) {
	server := valkeytest.Start(t)
	s := &Server{metrics: telemetry.NewMetrics()}
	c := &config.Config{State: config.State{MiB: 8}}
	shares(c, server.Socket)
	kept := s.keep(c, Options{Now: time.Now})
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
