package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
	"github.com/rolepass/rolepass/state/valkey"
	"github.com/rolepass/rolepass/telemetry"
)

// keeping is where sessions, credentials and used assertions are.
type keeping struct {
	store state.Store
	used  state.Once
	// shared is the same place for several replicas; nil: this process is alone.
	shared session.Shared
	// of is what shared sessions are for: an application and a way to sign in.
	of string
	// since is from when on used assertions are remembered; zero: from before
	// this process began.
	since    time.Time
	holdings telemetry.Holdings
	// ping says whether it answers.
	ping  func(context.Context) error
	close func() error
}

// usedNames is how many used assertions are remembered: two names each, for a
// quarter of an hour at most.
const usedNames = 1 << 18

// nearby is how long a replica believes what the others may have changed.
const nearby = 2 * time.Second

// keep opens the state that is configured.
func (s *Server) keep(c *config.Config, o Options) keeping {
	used := state.NewMemoryOnce(usedNames, o.Now)
	if c.State.Kind != config.StateValkey {
		memory := state.NewMemory(c.State.MiB<<20, o.Now)
		return keeping{
			store: memory, used: used, since: o.Now(),
			ping: func(context.Context) error { return nil }, close: func() error { return nil },
			holdings: telemetry.Holdings{State: memory.Held, StateMax: c.State.MiB << 20},
		}
	}
	server := openValkey(c.State.Valkey, o.Now, s.metrics.StateFailed)
	return keeping{
		store:  state.NewNearby(server, nearby, opened(c.State.MiB)/2, o.Now),
		used:   state.InAll{server, used},
		shared: server, of: applicationOf(c), ping: server.Ping, close: server.Close,
	}
}

// applicationOf names the application whose accounts the sessions have. At another
// address the same number is perhaps another person's.
func applicationOf(c *config.Config) string {
	if c.Application != nil {
		return "an application of " + c.PublicURL.String()
	}
	return fmt.Sprintf("%s, signed in by %s", c.LabelStudio.URL, c.LabelStudio.SignIn)
}

// firstAnswer is how long the start waits for the state's server.
const firstAnswer = 3 * time.Second

// sayState says when the state's server does not answer. Rolepass starts all the
// same: it refuses everybody, with a page, until the server is there.
func (s *Server) sayState(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstAnswer)
	defer cancel()
	if err := s.kept.ping(ctx); err != nil {
		s.log.Error("the state's server does not answer: everybody is refused until it does", "error", stateFails(s.config.State.Valkey, err))
	}
}

func openValkey(v config.Valkey, now func() time.Time, failed func()) *valkey.Server {
	options := valkey.Options{
		Network: v.Network, Address: v.Address, DB: v.DB, User: v.User, Password: v.Password.Reveal(), Prefix: v.Prefix, Now: now, Failed: failed,
	}
	if v.TLS {
		options.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: v.Roots}
	}
	return valkey.Open(options)
}

// holds exports what is in memory.
func (s *Server) holds() {
	h := s.kept.holdings
	h.Waiting = s.pages.Waiting
	if s.kept.shared == nil {
		h.Sessions = s.pages.Sessions.Count
	}
	s.metrics.Holds(h)
}
