package extauthz

import (
	"context"
	"net"
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
	grpcmeta "google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/envoy/contract"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
)

// A yes is the same, written in both ways; and takes the room that was got.
func TestAYesIsTheSameInBothWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringN(100, 3000, -1))
		headers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) login.Header {
			return login.Header{Name: rapid.OneOf(rapid.Just("set-cookie"), text).Draw(t, "name"), Value: text.Draw(t, "value")}
		}), 0, 9)
		y := yes{
			code: rapid.StringN(1, 20, -1).Draw(t, "code"), session: text.Draw(t, "session"), route: text.Draw(t, "route"),
			set: headers.Draw(t, "set"), add: headers.Draw(t, "add"), remove: rapid.SliceOfN(text, 0, 5).Draw(t, "remove"),
		}
		encoded, got := y.append(nil), &authv3.CheckResponse{}
		if err := proto.Unmarshal(encoded, got); err != nil {
			t.Fatal(err)
		}
		if want := y.message(); !proto.Equal(got, want) {
			t.Fatalf("\n got %v\nwant %v", got, want)
		}
		if len(encoded) != y.size() {
			t.Fatalf("%d bytes in room for %d", len(encoded), y.size())
		}
	})
}

// serve answers over a connection, in one of the two ways.
func serve(t *testing.T, scanning bool, decide func(context.Context, decision.Request) decision.Decision) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.UnaryInterceptor(Guard))
	if scanning {
		s = grpc.NewServer(grpc.UnaryInterceptor(Guard), grpc.ForceServerCodecV2(Codec{Scan: true}))
		Register(s, decide)
	} else {
		authv3.RegisterAuthorizationServer(s, &Server{Decide: decide})
	}
	healthpb.RegisterHealthServer(s, health.NewServer())
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(s.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// decisions are one of each kind, and what must not become a yes.
func decisions(t *testing.T) map[string]func() decision.Decision {
	bucket, err := presign.NewBucket("imaging", "eu-west-1", "aws", "")
	if err != nil {
		t.Fatal(err)
	}
	credentials := &presign.Credentials{AccessKeyID: "ASIA", SecretAccessKey: "s", SessionToken: "t", STS: "aws", Expires: noon.AddDate(1, 0, 0)}
	signed, err := (&presign.Signer{Now: func() time.Time { return noon }}).Presign("GET", bucket, presign.Location{Bucket: "imaging", Key: "a b.png"}, credentials)
	if err != nil {
		t.Fatal(err)
	}
	of := func(d decision.Decision) func() decision.Decision { return func() decision.Decision { return d } }
	return map[string]func() decision.Decision{
		"pass":               of(decision.Decision{Kind: decision.Pass, Code: "pass", Session: "0123", Authorization: "Bearer x", Cookie: "theme=dark"}),
		"pass, no cookie":    of(decision.Decision{Kind: decision.Pass, Code: "pass", Authorization: "Bearer x"}),
		"open":               of(decision.Decision{Kind: decision.Open, Code: "open"}),
		"own":                of(decision.Decision{Kind: decision.PassOwn, Code: "pass", Cookie: "sessionid=s"}),
		"client":             of(decision.Decision{Kind: decision.PassClient, Code: "client"}),
		"stream":             of(decision.Decision{Kind: decision.Stream, Code: "stream", Session: "0123", Signed: signed, Bucket: bucket, Header: []login.Header{{Name: "vary", Value: "cookie"}, {Name: "empty"}}}),
		"a page":             of(decision.Decision{Kind: decision.Page, Code: "start", Answer: login.Page{Status: 302, Header: []login.Header{{Name: "set-cookie", Value: "a=b"}}}}),
		"a refusal":          of(decision.Decision{Code: "no_grant", Answer: login.Page{Status: 403, Body: []byte("no")}}),
		"nothing":            of(decision.Decision{}),
		"a pass for nobody":  of(decision.Decision{Kind: decision.Pass, Code: "pass"}),
		"a pass, no code":    of(decision.Decision{Kind: decision.Pass, Authorization: "Bearer x"}),
		"a stream nowhere":   of(decision.Decision{Kind: decision.Stream, Code: "stream", Signed: signed}),
		"a cookie, not text": of(decision.Decision{Kind: decision.Pass, Code: "pass", Authorization: "Bearer x", Cookie: "a=\xff"}),
		"a panic":            func() decision.Decision { panic("deciding") },
	}
}

// Over a connection both ways answer the same, errors included.
func TestBothWaysAnswerTheSame(t *testing.T) {
	for name, d := range decisions(t) {
		decide := func(context.Context, decision.Request) decision.Decision { return d() }
		plain, scanning := serve(t, false, decide), serve(t, true, decide)
		for i, encoded := range append(recordings(t), []byte{}, encode(t, &authv3.CheckRequest{Attributes: &authv3.AttributeContext{ContextExtensions: map[string]string{"a": "b"}}})) {
			in := &authv3.CheckRequest{}
			if err := proto.Unmarshal(encoded, in); err != nil {
				t.Fatal(err)
			}
			want, wantErr := authv3.NewAuthorizationClient(plain).Check(t.Context(), in)
			got, err := authv3.NewAuthorizationClient(scanning).Check(t.Context(), in)
			if (err == nil) != (wantErr == nil) || !proto.Equal(got, want) {
				t.Errorf("%s, request %d:\n got %v, %v\nwant %v, %v", name, i, got, err, want, wantErr)
			}
		}
	}
}

func TestOtherServicesKeepProtobuf(t *testing.T) {
	conn := serve(t, true, nil)
	out, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil || out.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health says %v, %v", out, err)
	}
}

// What protobuf cannot read, and a request larger than allowed, are errors; a
// call without an answer is a no to Envoy.
func TestWhatIsNoMessageIsAnError(t *testing.T) {
	for _, data := range []string{"\x0a\xff", "\x0a\x05x", "\xff"} {
		q := &question{}
		if err := (Codec{Scan: true}).Unmarshal(buffers(data), q); err == nil {
			t.Errorf("%x is read as %+v", data, q)
		}
	}
	whole := string(recordings(t)[0])
	q := &question{}
	if err := (Codec{Scan: true}).Unmarshal(buffers(whole[:7], whole[7:100], whole[100:]), q); err != nil || q.request.Host != "label.test" {
		t.Errorf("in pieces: %v, %+v", err, q.request)
	}
}

func buffers(pieces ...string) (all mem.BufferSlice) {
	for _, piece := range pieces {
		all = append(all, mem.SliceBuffer(piece))
	}
	return all
}

var noon = time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC)

// Behind a proxy Envoy names the client beside the CheckRequest, whose source is
// the proxy; one name is believed, and no list.
func TestTheClientBehindAProxy(t *testing.T) {
	in := &authv3.CheckRequest{}
	if err := proto.Unmarshal(recordings(t)[0], in); err != nil { // its source is 192.0.2.7
		t.Fatal(err)
	}
	for _, c := range []struct {
		named []string
		want  string
	}{{nil, "192.0.2.7"}, {[]string{"203.0.113.7"}, "203.0.113.7"}, {[]string{""}, "192.0.2.7"}, {[]string{"203.0.113.7", "203.0.113.8"}, "192.0.2.7"}} {
		for _, scanning := range []bool{false, true} {
			var from string
			client := authv3.NewAuthorizationClient(serve(t, scanning, func(_ context.Context, r decision.Request) decision.Decision {
				from = r.Source
				return decision.Decision{}
			}))
			ctx := t.Context()
			for _, name := range c.named {
				ctx = grpcmeta.AppendToOutgoingContext(ctx, contract.ClientAddress, name)
			}
			if _, err := client.Check(ctx, in); err != nil {
				t.Fatal(err)
			}
			if from != c.want {
				t.Errorf("named %q, scanning %v: the request is from %s, want %s", c.named, scanning, from, c.want)
			}
		}
	}
}
