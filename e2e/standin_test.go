//go:build mesh || gateway

package e2e_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/rolepass/rolepass/e2e/stack"
	"github.com/rolepass/rolepass/envoy/contract"
)

// around is what stands around a gateway where the gateway alone is tried: a
// Check that says yes, an application and an S3 that write down what reaches
// them. Nothing in it is a secret of the stories.
type around struct {
	check    *yes
	app, s3  *arrivals
	s3Host   string
	ca       string // the authorities of S3's certificates
	misnamed atomic.Bool
}

// signedPath is what Check makes of a fetch.
const signedPath = "/imaging/a.png?X-Amz-Signature=0123456789abcdef"

func newAround(t *testing.T) *around {
	t.Helper()
	a := &around{check: &yes{}, app: &arrivals{}, s3: &arrivals{}}
	a.check.serve(t, insecure.NewCredentials())
	a.app.serve(t, nil)
	named, misnamed := keyPair(t, a, "localhost"), keyPair(t, a, "evil.example.test")
	a.s3.serve(t, &tls.Config{MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if a.misnamed.Load() {
			return misnamed, nil
		}
		return named, nil
	}})
	_, port, err := net.SplitHostPort(a.s3.address)
	if err != nil {
		t.Fatal(err)
	}
	a.s3Host = net.JoinHostPort("localhost", port)
	a.check.route = contract.S3Route(a.s3Host)
	return a
}

// keyPair is a certificate for a name, whose authority everybody here trusts.
func keyPair(t *testing.T, a *around, name string) *tls.Certificate {
	t.Helper()
	certificate, key, _ := certificateFor(t, name)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	if a.ca == "" {
		a.ca = filepath.Join(t.TempDir(), "ca.crt")
	}
	all, err := os.ReadFile(a.ca)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.ca, append(all, text...), 0o600); err != nil {
		t.Fatal(err)
	}
	return &pair
}

// forget begins anew.
func (a *around) forget(streams bool) {
	a.check.asked.Store(0)
	a.check.streams.Store(streams)
	a.app.forget()
	a.s3.forget()
}

// yes is a Check that lets everything by: on to the application, or, when it
// streams, to S3 with another path.
type yes struct {
	auth.UnimplementedAuthorizationServer
	address, route string
	asked          atomic.Int64
	streams        atomic.Bool
}

func (y *yes) serve(t *testing.T, over credentials.TransportCredentials) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(over))
	auth.RegisterAuthorizationServer(server, y)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	y.address = listener.Addr().String()
}

func (y *yes) Check(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error) {
	y.asked.Add(1)
	ok := &auth.OkHttpResponse{}
	answer := &auth.CheckResponse{Status: &status.Status{}, HttpResponse: &auth.CheckResponse_OkResponse{OkResponse: ok}}
	if !y.streams.Load() {
		return answer, nil
	}
	ok.Headers = []*core.HeaderValueOption{{Header: &core.HeaderValue{Key: ":path", Value: signedPath}}}
	answer.DynamicMetadata = &structpb.Struct{Fields: map[string]*structpb.Value{contract.RouteKey: structpb.NewStringValue(y.route)}}
	return answer, nil
}

// arrivals are the requests that reached an upstream.
type arrivals struct {
	address string
	mu      sync.Mutex
	all     []*http.Request
}

func (a *arrivals) serve(t *testing.T, over *tls.Config) {
	t.Helper()
	server := httptest.NewUnstartedServer(a)
	server.Config.SetKeepAlivesEnabled(false)           // each request asks for the certificate anew
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that end early are what is tried
	if server.TLS = over; over == nil {
		server.Start()
	} else {
		server.StartTLS()
	}
	t.Cleanup(server.Close)
	a.address = server.Listener.Addr().String()
}

func (a *arrivals) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, r.Clone(context.Background()))
}

func (a *arrivals) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = nil
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.all)
}

// any says whether there is one like that.
func (a *arrivals) any(like func(*http.Request) bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.all {
		if like(r) {
			return true
		}
	}
	return false
}

func anything(*http.Request) bool { return true }

func isSigned(r *http.Request) bool { return r.URL.RequestURI() == signedPath }

// settings are those of a rolepass.yaml for the same surroundings.
func (a *around) settings(s *stack.Stack) map[string]any {
	var buckets []any
	for _, name := range []string{"imaging", "dictations", "notes"} {
		buckets = append(buckets, map[string]any{"name": name, "region": "eu-west-1", "sts": "demo", "endpoint": "https://" + a.s3Host})
	}
	return map[string]any{
		"listen":       a.check.address,
		"buckets":      buckets,
		"label_studio": map[string]any{"url": "http://" + a.app.address, "secret_key_file": filepath.Join(s.Dir, "label-studio.secret"), "owner_id": 1},
		"envoy":        map[string]any{"ca": a.ca},
	}
}

// door is a gateway, the host that it is for, and where its access log is.
type door struct {
	*stack.Gateway
	host, log string
	sent      int
}

// asks sends a request and gives the status; 0: no answer.
func (d *door) asks(t *testing.T, host string, headers ...string) int {
	t.Helper()
	conn, err := net.Dial("tcp", d.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(rawPatience)); err != nil {
		t.Fatal(err)
	}
	d.sent++
	lines := append([]string{"GET /tasks/1/resolve/ HTTP/1.1", "Host: " + host, "Connection: close"}, headers...)
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}
