package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/rolepass/rolepass/config"
)

// spanSink is a collector that takes spans from whoever has a certificate of an
// authority.
type spanSink struct {
	collector.UnimplementedTraceServiceServer
	mu sync.Mutex
	// parents are those of the spans, in hexadecimal; empty: none.
	parents []string
}

func (s *spanSink) Export(_ context.Context, in *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, resource := range in.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				s.parents = append(s.parents, hex.EncodeToString(span.ParentSpanId))
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func (s *spanSink) serve(t *testing.T, way credentials.TransportCredentials) *url.URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(way))
	collector.RegisterTraceServiceServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return &url.URL{Scheme: "https", Host: "localhost:" + port}
}

// ask runs a Rolepass, asks it, and ends it. Each traceparent is Envoy's of one
// question, beside which the browser sends its own, which wants a trace.
func ask(t *testing.T, c *config.Config, traceparents ...string) {
	t.Helper()
	s, err := New(t.Context(), c, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	await(t, "http://"+c.Admin+"/readyz", http.StatusOK)
	conn, err := grpc.NewClient("unix:"+c.Listen.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const browsers = "00-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-bbbbbbbbbbbbbbbb-01"
	in := &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
		Method: "GET", Host: "label.test", Path: "/", HeaderMap: &corev3.HeaderMap{Headers: []*corev3.HeaderValue{{Key: "traceparent", RawValue: []byte(browsers)}}},
	}}}}
	for _, traceparent := range traceparents {
		ctx := t.Context()
		if traceparent != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", traceparent)
		}
		if out, err := authv3.NewAuthorizationClient(conn).Check(ctx, in); err != nil || out.GetDeniedResponse() == nil {
			t.Errorf("asked with %q: %v, %v", traceparent, out, err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

const (
	envoyChose    = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	envoyChoseNot = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

// Spans go to the collector over mutual TLS, and a browser cannot have one made:
// only Envoy's own span counts, and only where the configuration says so.
func TestSpansGoToTheCollector(t *testing.T) {
	dir := t.TempDir()
	ours := newAuthority(t, dir, "ours")
	names := ours.issue(t, dir, "localhost")
	pair, err := tls.LoadX509KeyPair(names+".crt", names+".key")
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ours.cert)
	files := ours.issue(t, dir, "rolepass.internal")
	idp := newIdP(t, "https://idp.test")
	newAuthority(t, dir, "others")
	for name, c := range map[string]struct {
		follow bool
		ratio  float64
		ca     string
		want   []string
	}{
		"Envoy's is followed":     {true, 0, "ours", []string{"b7ad6b7169203331"}},
		"Envoy's is not followed": {false, 0, "ours", nil},
		"every decision":          {false, 1, "ours", []string{"", "", ""}},
		"somebody else answers":   {false, 1, "others", nil},
	} {
		sink := &spanSink{}
		loaded := configured(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(idp.Metadata()) })
		loaded.Traces = config.Traces{
			Endpoint: sink.serve(t, credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12})),
			CA:       filepath.Join(dir, c.ca+".pem"), Certificate: files + ".crt", PrivateKey: files + ".key", Ratio: c.ratio, FollowEnvoy: c.follow,
		}
		ask(t, loaded, "", envoyChose, envoyChoseNot)
		sink.mu.Lock()
		if len(sink.parents) != len(c.want) || len(c.want) > 0 && sink.parents[0] != c.want[0] {
			t.Errorf("%s: the spans have the parents %q, want %q", name, sink.parents, c.want)
		}
		sink.mu.Unlock()
	}
}

// Without its collector Rolepass answers, and ends, as ever.
func TestACollectorThatIsNotThere(t *testing.T) {
	idp := newIdP(t, "https://idp.test")
	c := configured(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(idp.Metadata()) })
	c.Traces = config.Traces{Endpoint: &url.URL{Scheme: "http", Host: freeAddress(t)}, Ratio: 1}
	began := time.Now()
	ask(t, c, "", "")
	if took := time.Since(began); took > drain {
		t.Errorf("it took %s", took)
	}
}
