package server

import (
	"bytes"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/e2e/valkeytest"
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
