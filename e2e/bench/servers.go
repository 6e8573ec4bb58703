package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/server"
	"github.com/rolepass/rolepass/telemetry"
)

// contestant is one server, and what it is asked.
type contestant struct {
	name string
	// asks are the CheckRequests: fetches of objects, or requests of the
	// application ("pass"); "shown" with those headers only that our
	// configuration of Envoy shows.
	asks string
	size size
	door door
	make func(size) (*grpc.Server, error)
}

// door is where a server listens, and on how many of Go's processors it runs.
type door int

const (
	overTCP  door = iota // as most servers of ext_authz do
	onSocket             // a Unix socket, as Rolepass does by default
	onOne                // a socket, and one processor (GOMAXPROCS=1)
)

// sets are what can be compared. Each begins with its baselines.
var sets = map[string][]contestant{
	"decision": {
		{"empty", "fetch", usual, onSocket, untuned},
		{"empty, our settings", "fetch", usual, onSocket, tuned},
		{"empty, over TCP", "fetch", usual, overTCP, untuned},
		{"empty, our settings, over TCP", "fetch", usual, overTCP, tuned},
		{"empty, our settings, one processor", "fetch", usual, onOne, tuned},
		{"floor, an empty yes", "fetch", usual, onSocket, floor(0)},
		{"floor, a yes as long as a fetch's", "fetch", usual, onSocket, floor(answerSize)},
		{"floor, over TCP", "fetch", usual, overTCP, floor(answerSize)},
		{"floor, one processor", "fetch", usual, onOne, floor(answerSize)},
		{"AWS SDK for each request", "fetch", usual, onSocket, sdkServer},
		{"rolepass fetch, bare", "fetch", usual, onSocket, plainly},
		{"rolepass fetch, bare, over TCP", "fetch", usual, overTCP, plainly},
		{"rolepass fetch, bare, one processor", "fetch", usual, onOne, plainly},
		{"rolepass fetch, audit and metrics", "fetch", usual, onSocket, watched},
		{"rolepass fetch, audit, metrics, 1 % of traces", "fetch", usual, onSocket, traced(0.01)},
		{"rolepass fetch, audit, metrics, every trace", "fetch", usual, onSocket, traced(1)},
		{"rolepass fetch, audit and metrics, one processor", "fetch", usual, onOne, watched},
		{"rolepass pass, bare", "pass", usual, onSocket, plainly},
		{"rolepass pass, bare, one processor", "pass", usual, onOne, plainly},
		{"rolepass shown fetch, bare", "fetch shown", usual, onSocket, plainly},
		{"rolepass shown fetch, audit and metrics", "fetch shown", usual, onSocket, watched},
		{"rolepass shown pass, bare", "pass shown", usual, onSocket, plainly},
		{"rolepass scanning fetch, bare", "fetch", usual, onSocket, scanning},
		{"rolepass scanning fetch, bare, one processor", "fetch", usual, onOne, scanning},
		{"rolepass scanning fetch, audit and metrics", "fetch", usual, onSocket, scanningWatched},
		{"rolepass scanning fetch, audit and metrics, one processor", "fetch", usual, onOne, scanningWatched},
		{"rolepass scanning pass, bare", "pass", usual, onSocket, scanning},
		{"rolepass scanning pass, bare, one processor", "pass", usual, onOne, scanning},
	},
	// peers are Rolepass beside what others use to authorize. They do general
	// policy work and know nothing of S3: what they cost is what a policy costs.
	"peers": {
		{"empty", "fetch", usual, overTCP, untuned},
		{"empty, our settings", "fetch", usual, overTCP, tuned},
		{"rolepass fetch, bare", "fetch", usual, overTCP, plainly},
		{"rolepass fetch, audit and metrics", "fetch", usual, overTCP, watched},
		{"OPA's library, a policy by session", peer, usual, overTCP, nil}, // a program of its own
	},
	// growth has the smallest first, and all else beside it.
	"growth": {
		{"rolepass, 10 sessions", "fetch", size{sessions: 10, grants: 1, buckets: 1, token: 1000}, onSocket, plainly},
		{"rolepass, 1,000 sessions", "fetch", usual, onSocket, plainly},
		{"rolepass, 2,000 grants", "fetch", size{sessions: 1000, grants: 2000, buckets: 1, token: 1000}, onSocket, plainly},
		{"rolepass, 1,000 buckets", "fetch", size{sessions: 1000, grants: 1, buckets: 1000, token: 1000}, onSocket, plainly},
		{"rolepass, 100,000 sessions, 1,000 at work", "fetch", size{sessions: 100_000, grants: 1, buckets: 1, token: 1000, working: 1000}, onSocket, plainly},
		{"rolepass, 100,000 sessions, 1,000 at work, 1.6 kB tokens", "fetch", size{sessions: 100_000, grants: 1, buckets: 1, token: 1600, working: 1000}, onSocket, plainly},
		{"rolepass, 100,000 sessions, 1,000 at work, 4 kB tokens", "fetch", size{sessions: 100_000, grants: 1, buckets: 1, token: 4000, working: 1000}, onSocket, plainly},
		{"rolepass, 100,000 sessions, all in turn", "fetch", size{sessions: 100_000, grants: 1, buckets: 1, token: 1000}, onSocket, plainly},
	},
}

// plainly is Rolepass as it is without a word in the configuration.
func plainly(s size) (*grpc.Server, error) { return rolepass(s, false) }

// watched is Rolepass with its audit and metrics.
func watched(s size) (*grpc.Server, error) { return rolepass(s, false, observed()...) }

// scanning reads a CheckRequest without its messages; scanningWatched has audit
// and metrics, too.
func scanning(s size) (*grpc.Server, error) { return rolepass(s, true) }

func scanningWatched(s size) (*grpc.Server, error) { return rolepass(s, true, observed()...) }

// untuned decides nothing, with what grpc does by itself; tuned, with our
// settings.
func untuned(size) (*grpc.Server, error) { return emptyServer(), nil }

func tuned(size) (*grpc.Server, error) {
	server.Tune(usual.stateMiB())
	return emptyServer(grpc.NumStreamWorkers(server.Workers())), nil
}

func emptyServer(options ...grpc.ServerOption) *grpc.Server {
	s := grpc.NewServer(options...)
	authv3.RegisterAuthorizationServer(s, empty{})
	return s
}

// observed are the sinks of a server whose audit and metrics are on.
func observed() []decision.Sink {
	metrics := telemetry.NewMetrics()
	audit := telemetry.NewAudit(io.Discard, telemetry.AuditOptions{Key: make([]byte, 32), JournalOptions: telemetry.JournalOptions{Lost: metrics.AuditLost, Log: slog.New(slog.DiscardHandler), Now: time.Now}})
	return []decision.Sink{audit.Sink, metrics.Sink}
}

// empty says yes to everything.
type empty struct {
	authv3.UnimplementedAuthorizationServer
}

func (empty) Check(context.Context, *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	return &authv3.CheckResponse{Status: &statuspb.Status{Code: int32(codes.OK)}, HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{}}}, nil
}

// rolepass is the whole decision behind the product's own door.
func rolepass(size size, scan bool, sinks ...decision.Sink) (*grpc.Server, error) {
	server.Tune(size.stateMiB())
	w, err := newWorld(size)
	if err != nil {
		return nil, err
	}
	w.Sinks = sinks
	return server.NewGRPC(w.Decide, scan), nil
}

// serveAs is the server process: it prints its address, and serves until it is
// ended.
func serveAs(set, name, profiles, s3 string) error {
	all := sets[set]
	i := slices.IndexFunc(all, func(c contestant) bool { return c.name == name })
	if i < 0 {
		return fmt.Errorf("no server %q", name)
	}
	c := all[i]
	c.size.host = s3
	if c.door == onOne {
		runtime.GOMAXPROCS(1)
	}
	s, err := c.make(c.size)
	if err != nil {
		return err
	}
	listener, err := c.door.listen()
	if err != nil {
		return err
	}
	if profiles != "" {
		file, err := os.Create(filepath.Join(profiles, strings.NewReplacer(" ", "-", ",", "").Replace(name)+".pprof"))
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if listener.Addr().Network() == "unix" {
		fmt.Print("unix://")
	}
	fmt.Println(listener.Addr())
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); s.Stop() }() // ends with whoever started it
	if strings.HasPrefix(name, "rolepass") || strings.HasPrefix(name, "floor") {
		listener = server.Batching(listener)
	}
	err = s.Serve(listener)
	if lost := spansLost.Load(); lost > 0 {
		fmt.Fprintf(os.Stderr, "%s: %d spans were lost\n", name, lost)
	}
	return err
}

// listen opens the door. The socket goes with its listener, unless that was killed.
func (d door) listen() (net.Listener, error) {
	if d == overTCP {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	path := filepath.Join(os.TempDir(), fmt.Sprintf("rolepass-bench-%d.sock", os.Getpid()))
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", path)
}
