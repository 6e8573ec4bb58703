package main

import (
	"context"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/rolepass/rolepass/server"
)

// A floor is what is left of a server when it reads nothing and writes what was
// written before: grpc and its HTTP/2, with our settings. No decision that is made
// behind grpc costs less.

// answerSize is about what a fetch of the bench is answered with, in bytes.
const answerSize = 1790

// floor answers with nothing, or with as many bytes as a fetch gets.
func floor(answer int) func(size) (*grpc.Server, error) {
	return func(size) (*grpc.Server, error) {
		server.Tune(usual.stateMiB())
		ok := &authv3.OkHttpResponse{}
		if answer > 0 {
			ok.Headers = []*corev3.HeaderValueOption{{Header: &corev3.HeaderValue{Key: ":path", Value: strings.Repeat("x", answer)}}}
		}
		text, err := proto.Marshal(&authv3.CheckResponse{HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: ok}})
		if err != nil {
			return nil, err
		}
		s := grpc.NewServer(append(server.DoorOptions(), grpc.ForceServerCodecV2(raw{}))...)
		s.RegisterService(&grpc.ServiceDesc{
			ServiceName: authv3.Authorization_ServiceDesc.ServiceName,
			HandlerType: (*any)(nil),
			Methods: []grpc.MethodDesc{{MethodName: "Check", Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				var in []byte
				return text, decode(&in)
			}}},
		}, nil)
		return s, nil
	}
}
