package valkey

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Options say where the server is, and how Rolepass is known there.
type Options struct {
	// Network and Address: "tcp" and host:port, or "unix" and a path.
	Network, Address string
	// DB is the number of the database.
	DB int
	// TLS is how the server is verified; nil: the connection is in the clear.
	TLS *tls.Config
	// User and Password are empty where the server wants none; with a password
	// alone the user is the server's default one.
	User, Password string
	// Prefix is the beginning of every key.
	Prefix string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Failed is told of each call that failed; optional.
	Failed func()
}

// Format shows where the server is, and nothing else.
func (o Options) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, o.Network+" "+o.Address) }

// Server is a connection to the server, or several.
type Server struct {
	client *redis.Client
	prefix string
	now    func() time.Time
	failed func()
}

// oneTry is how long the server may take for one answer, or for a connection. A
// data fetch has less time than that, by its own deadline; a login has more.
const oneTry = time.Second

// connections are kept at most, so that a flood here is none there; and some
// always, so that no fetch has to make one.
const connections, waiting = 32, 2

// Open prepares connections, and waits for none: a server that is away when
// Rolepass starts may come later.
func Open(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Failed == nil {
		o.Failed = func() {}
	}
	return &Server{prefix: o.Prefix, now: o.Now, failed: o.Failed, client: redis.NewClient(&redis.Options{
		Network: o.Network, Addr: o.Address, DB: o.DB, TLSConfig: o.TLS,
		Username: o.User, Password: o.Password,
		DialTimeout: oneTry, ReadTimeout: oneTry, WriteTimeout: oneTry, PoolTimeout: oneTry,
		ContextTimeoutEnabled: true,
		MaxRetries:            1, DialerRetries: 1,
		PoolSize: connections, MinIdleConns: waiting,
		// Nothing is said to the server beyond what is asked of it.
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})}
}

// silent is go-redis's own log: what goes wrong is an error of the call, and is
// told there.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(silent{}) }

// Ping says whether the server answers, and lets us in.
func (s *Server) Ping(ctx context.Context) error { return s.told("ping", s.client.Ping(ctx).Err()) }

// Close ends the connections.
func (s *Server) Close() error { return s.client.Close() }
