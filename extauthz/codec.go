package extauthz

import (
	"context"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the plain codec
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/rolepass/rolepass/decision"
)

// Register serves Check like Server, but writes a yes without making its
// messages; and where the codec scans, it reads a CheckRequest of the usual shape
// in the same way. The server must have the Codec; its other services speak
// protobuf as ever.
//
//	server := grpc.NewServer(grpc.ForceServerCodecV2(extauthz.Codec{}))
//	extauthz.Register(server, decider.Decide)
//
// No interceptor sees these Checks: what Guard does is done here.
func Register(s grpc.ServiceRegistrar, decide func(context.Context, decision.Request) decision.Decision) {
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: authv3.Authorization_ServiceDesc.ServiceName,
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Check", Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := &question{}
			if err := decode(in); err != nil {
				return nil, err
			}
			return check(ctx, in, decide), nil
		}}},
	}, nil)
}

// question is a CheckRequest as the codec reads it, with room for its yes.
type question struct {
	request decision.Request
	problem string
	yes     yes
}

// check is Check, with Guard around it. It answers a yes, or a
// CheckResponse.
func check(ctx context.Context, in *question, decide func(context.Context, decision.Request) decision.Decision) (out any) {
	defer func() {
		if recover() != nil {
			out = unreadable("panic")
		}
	}()
	if in.problem != "" {
		return unreadable(in.problem)
	}
	knowsClient(ctx, &in.request)
	d := decide(ctx, in.request)
	if y := &in.yes; y.allows(d) && y.code != "" && y.encodable() {
		return y
	}
	response := answer(d)
	if !sound(response) {
		return unreadable("no_answer")
	}
	return response
}

// Codec is protobuf, with a faster way for what Register writes and, if it is to
// Scan, for what it reads.
type Codec struct{ Scan bool }

// plainly is grpc's own codec.
var plainly = encoding.GetCodecV2("proto")

// Name is that of protobuf: what is on the wire is the same.
func (Codec) Name() string { return "proto" }

// Unmarshal scans a question, if it is to, and reads it plainly where that says
// nothing.
func (c Codec) Unmarshal(data mem.BufferSlice, v any) error {
	in, ok := v.(*question)
	if !ok {
		return plainly.Unmarshal(data, v)
	}
	if c.Scan && scan(contents(data), &in.request) {
		return nil
	}
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	if request, ok := readReused(buffer.ReadOnlyData()); ok {
		in.request = request
		return nil
	}
	message := &authv3.CheckRequest{}
	if err := proto.Unmarshal(buffer.ReadOnlyData(), message); err != nil {
		return err
	}
	in.request, in.problem = read(message)
	return nil
}

// contents is a copy: the buffers are used again.
func contents(data mem.BufferSlice) string {
	if len(data) == 1 {
		return string(data[0].ReadOnlyData())
	}
	return string(data.Materialize())
}

// Marshal appends a yes to a buffer of grpc's pool.
func (Codec) Marshal(v any) (mem.BufferSlice, error) {
	y, ok := v.(*yes)
	if !ok {
		return plainly.Marshal(v)
	}
	pool := mem.DefaultBufferPool()
	buffer := pool.Get(y.size())
	*buffer = y.append((*buffer)[:0])
	return mem.BufferSlice{mem.NewBuffer(buffer, pool)}, nil
}
