package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/rolepass/rolepass/telemetry"
)

// spansTo is the collector's address, in a server's process.
var spansTo string

// collect takes spans and forgets them. It is in the process that asks, so that
// it is no part of what is measured.
func collect() (address string, end func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := grpc.NewServer(grpc.ForceServerCodecV2(raw{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		var in []byte
		if err := stream.RecvMsg(&in); err != nil {
			return err
		}
		return stream.SendMsg([]byte{})
	}))
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String(), server.Stop, nil
}

// spansLost are those that the collector did not take: they have cost less.
var spansLost atomic.Int64

// traced is a server whose audit, metrics and traces are on.
func traced(ratio float64) func(size) (*grpc.Server, error) {
	return func(s size) (*grpc.Server, error) {
		traces, err := telemetry.NewTraces(context.Background(), telemetry.TracesOptions{
			Collector: spansTo, Ratio: ratio, Key: make([]byte, 32), Version: "bench", Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Now: time.Now,
			Lost: func(n int) { spansLost.Add(int64(n)) },
		})
		if err != nil {
			return nil, err
		}
		return rolepass(s, false, append(observed(), traces.Sink)...)
	}
}
