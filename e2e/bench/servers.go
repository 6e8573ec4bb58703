package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
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
	// application.
	asks string
	make func() (*grpc.Server, error)
}

// contestants begin with the baseline.
var contestants = []contestant{
	{"empty", "fetch", func() (*grpc.Server, error) {
		s := grpc.NewServer()
		authv3.RegisterAuthorizationServer(s, empty{})
		return s, nil
	}},
	{"empty, our settings", "fetch", func() (*grpc.Server, error) {
		server.Tune()
		s := grpc.NewServer(grpc.NumStreamWorkers(server.Workers()))
		authv3.RegisterAuthorizationServer(s, empty{})
		return s, nil
	}},
	{"rolepass fetch, bare", "fetch", func() (*grpc.Server, error) { return rolepass(false) }},
	{"rolepass fetch, audit and metrics", "fetch", func() (*grpc.Server, error) {
		return rolepass(false, observed()...)
	}},
	{"rolepass pass, bare", "pass", func() (*grpc.Server, error) { return rolepass(false) }},
	{"rolepass scanning fetch, bare", "fetch", func() (*grpc.Server, error) { return rolepass(true) }},
	{"rolepass scanning fetch, audit and metrics", "fetch", func() (*grpc.Server, error) {
		return rolepass(true, observed()...)
	}},
	{"rolepass scanning pass, bare", "pass", func() (*grpc.Server, error) { return rolepass(true) }},
}

// observed are the sinks of a server whose audit and metrics are on.
func observed() []decision.Sink {
	metrics := telemetry.NewMetrics()
	audit := telemetry.NewAudit(io.Discard, telemetry.AuditOptions{Key: make([]byte, 32), Lost: metrics.AuditLost, Log: slog.New(slog.DiscardHandler), Now: time.Now})
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
func rolepass(scan bool, sinks ...decision.Sink) (*grpc.Server, error) {
	server.Tune()
	w, err := newWorld()
	if err != nil {
		return nil, err
	}
	w.Sinks = sinks
	return server.NewGRPC(w.Decide, scan), nil
}

// serveAs is the server process: it prints its address, and serves until it is
// ended.
func serveAs(name, profiles string) error {
	i := slices.IndexFunc(contestants, func(c contestant) bool { return c.name == name })
	if i < 0 {
		return fmt.Errorf("no server %q", name)
	}
	s, err := contestants[i].make()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
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
	fmt.Println(listener.Addr())
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); s.Stop() }() // ends with whoever started it
	return s.Serve(listener)
}
