// Package server builds Rolepass from its configuration and runs it: the one
// door that Envoy asks through, the admin listener beside it, and what has to
// be refreshed meanwhile.
//
//	s, err := server.New(ctx, config, server.Options{Log: log})
//	err = s.Run(ctx) // until ctx ends, then drains
//
// It decides nothing and verifies nothing; it wires packages together.
package server

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/state"
	"github.com/rolepass/rolepass/telemetry"
)

// drain is how long answers under way may still take at the end.
const drain = 15 * time.Second

// Options are what a configuration does not say.
type Options struct {
	// Log is the service's own log. Required.
	Log *slog.Logger
	// Now is the clock, time.Now by default, and Rand the source of
	// randomness, crypto/rand.Reader by default.
	Now  func() time.Time
	Rand io.Reader
	// RefreshEvery is how often the IdPs' metadata is read again, an hour by
	// default: an IdP announces a new certificate days before it signs with it.
	RefreshEvery time.Duration
}

// Server is Rolepass, ready to run.
type Server struct {
	config *config.Config
	log    *slog.Logger
	idps   []*idp
	// refreshEvery is how often their metadata is read again.
	refreshEvery time.Duration

	audit   *telemetry.Journal
	record  *telemetry.Journal // nil where nothing is recorded
	traces  *telemetry.Traces  // nil where there are none
	metrics *telemetry.Metrics
	sealer  *state.Sealer
	kept    keeping
	pages   *login.Service
	// version asks Label Studio for its own; nil: it is another application.
	version func(context.Context) (string, error)
	grpc    *grpc.Server
	admin   *http.Server
	// operator is on the admin socket: it may change something.
	operator *http.Server
	ready    atomic.Bool
	// standing are the roles of workloads.
	standing []*credcache.Standing
}

// New builds everything: it reads the keys and the IdPs' metadata, and opens
// the audit file. Nothing listens yet.
func New(ctx context.Context, c *config.Config, o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.RefreshEvery == 0 {
		o.RefreshEvery = time.Hour
	}
	s := &Server{config: c, log: o.Log, metrics: telemetry.NewMetrics(), refreshEvery: o.RefreshEvery}
	var err error
	if s.idps, err = loadIdPs(ctx, c, o); err != nil {
		return nil, err
	}
	for _, one := range s.idps {
		s.sayEnd(one)
	}
	ring, err := state.LoadKeyring(c.Keys)
	if err != nil {
		return nil, err
	}
	if err := s.openLogs(ctx, c, o, ring); err != nil {
		return nil, err
	}
	if err := s.assemble(ctx, c, o, ring); err != nil {
		return nil, errors.Join(err, s.closeLogs(ctx))
	}
	return s, nil
}

// assemble makes what answers, at the door and at the admin addresses.
func (s *Server) assemble(ctx context.Context, c *config.Config, o Options, ring *state.Keyring) error {
	if err := s.pinTitles(ctx, c, o); err != nil {
		return err
	}
	decider, err := s.build(c, o, ring)
	if err != nil {
		return err
	}
	decide := decider.Decide
	if c.Traces.FollowEnvoy {
		decide = followed(decide)
	}
	if s.grpc = NewGRPC(decide, c.CheckCodec == config.CodecScan); decider.Shadow {
		s.metrics.InShadow()
		s.grpc = inShadow(decide, decider.Unread)
	}
	s.admin = adminServer(s.adminHandler())
	s.operator = &http.Server{Handler: s.operatorHandler(), ReadHeaderTimeout: 5 * time.Second}
	s.sayState(ctx)
	return nil
}

// adminServer bounds what one connection may cost, in time and in headers.
func adminServer(handler http.Handler) *http.Server {
	return &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
}

// Run listens, serves until ctx ends, lets answers under way finish, and
// writes out what the audit still holds.
func (s *Server) Run(ctx context.Context) error {
	check, err := Door(ctx, s.config)
	if err != nil {
		return err
	}
	admin, err := new(net.ListenConfig).Listen(ctx, "tcp", s.config.Admin)
	if err != nil {
		return errors.Join(unheard("admin", s.config.Admin, err), check.Close())
	}
	monitoring, err := s.monitoring(ctx)
	if err != nil {
		return errors.Join(err, check.Close(), admin.Close())
	}
	socket, err := s.adminSocket(ctx)
	if err != nil {
		return errors.Join(err, check.Close(), admin.Close(), closed(monitoring))
	}
	Tune(s.config.State.MiB)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.grpc.Serve(check) })
	group.Go(func() error { return ended(s.admin.Serve(admin)) })
	if monitoring != nil {
		group.Go(func() error { return ended(s.admin.Serve(monitoring)) })
	}
	if socket != nil {
		group.Go(func() error { return ended(s.operator.Serve(socket)) })
	}
	group.Go(func() error { return s.refresh(ctx) })
	if s.version != nil {
		group.Go(func() error { return s.watchVersion(ctx) })
	}
	for _, one := range s.standing {
		group.Go(func() error { return one.Run(ctx) })
	}
	group.Go(func() error { <-ctx.Done(); return s.shutDown() })
	s.ready.Store(true)
	if s.config.Mode == config.Shadow {
		s.log.Warn("SHADOW MODE: decisions are logged and counted, and nothing is enforced: everybody reaches everything that Label Studio serves", "to_enforce", "remove mode: shadow from the configuration")
	}
	s.log.Info("serving", "check", s.config.Listen.String(), "admin", s.config.Admin)
	return group.Wait()
}

// ended makes an ordinary end of an HTTP server no error.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// shutDown ends the door first, so that Envoy looks elsewhere.
func (s *Server) shutDown() error {
	s.ready.Store(false)
	s.log.Info("draining", "at_most", drain.String())
	stopped := make(chan struct{})
	go func() { s.grpc.GracefulStop(); close(stopped) }()
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	select {
	case <-stopped:
	case <-ctx.Done():
		s.grpc.Stop()
		<-stopped
	}
	return errors.Join(s.admin.Close(), s.operator.Close(), s.kept.close(), s.closeLogs(ctx))
}
