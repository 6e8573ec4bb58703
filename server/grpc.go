package server

import (
	"context"
	"runtime"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/extauthz"
	"github.com/rolepass/rolepass/refusal"
)

const (
	// largestCheck bounds a CheckRequest: the ACS's body and its headers.
	largestCheck = 1 << 20
	// atOnce bounds the Checks under way on one connection.
	atOnce = 4096
)

// NewGRPC is the door: Check, and the last resort around it. Scan reads a
// CheckRequest without making its messages, where it is of the usual shape.
func NewGRPC(decide func(context.Context, decision.Request) decision.Decision, scan bool) *grpc.Server {
	s := grpc.NewServer(append(DoorOptions(), grpc.ForceServerCodecV2(extauthz.Codec{Scan: scan}))...)
	extauthz.Register(s, decide)
	return s
}

// inShadow is the door in shadow. It makes every message: a request that
// cannot be read is asked about as it is.
func inShadow(decide func(context.Context, decision.Request) decision.Decision, unread func(decision.Request, refusal.Code) decision.Decision) *grpc.Server {
	s := grpc.NewServer(append(DoorOptions(), grpc.UnaryInterceptor(extauthz.Guard))...)
	authv3.RegisterAuthorizationServer(s, &extauthz.Server{Decide: decide, Unread: unread})
	return s
}

// DoorOptions are the settings of the door.
func DoorOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(largestCheck),
		grpc.MaxConcurrentStreams(atOnce),
		grpc.NumStreamWorkers(Workers()),
		// A fixed window: grpc would measure the way to Envoy by pings all the
		// time, which is on this machine or near.
		grpc.StaticStreamWindowSize(largestCheck), grpc.StaticConnWindowSize(4 * largestCheck),
	}
}

// Workers is how many goroutines answer one Check after the other. A decision
// needs a deep stack, and a goroutine of its own would have to grow one each
// time. When all are busy, as with questions to the application, grpc starts
// further ones. One that waits costs its stack, some kilobytes.
func Workers() uint32 { return uint32(32 * runtime.GOMAXPROCS(0)) }
