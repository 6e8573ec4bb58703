package server

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/net/http2"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/labelstudio/client"
)

// single listens for one connection, which is there already.
type single struct {
	conns chan net.Conn
	once  atomic.Bool
}

func (l *single) Accept() (net.Conn, error) {
	conn, open := <-l.conns
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l *single) Addr() net.Addr { return &net.TCPAddr{} }

func (l *single) Close() error {
	if !l.once.Swap(true) {
		close(l.conns)
	}
	return nil
}

// TestAConnectionThatSendsNoHeadersEnds: after the time for headers, and
// whether or not it begins as HTTP/2 would, which nothing here speaks without
// TLS (GO-2026-6089).
func TestAConnectionThatSendsNoHeadersEnds(t *testing.T) {
	for name, sent := range map[string]string{
		"nothing":           "",
		"a beginning":       "GET / HTTP/1.1\r\nHost: a\r\n",
		"half of a preface": "PRI * HTTP/2.0\r\n",
		"a whole preface":   http2.ClientPreface,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				theirs, ours := net.Pipe()
				listener := &single{conns: make(chan net.Conn, 1)}
				listener.conns <- ours
				server := adminServer(http.NotFoundHandler())
				served := make(chan error, 1)
				go func() { served <- server.Serve(listener) }()
				go func() { _, _ = io.WriteString(theirs, sent) }()
				began := time.Now()
				answer, _ := io.ReadAll(theirs)
				if took := time.Since(began); took > 6*time.Second {
					t.Errorf("it ended after %s", took)
				}
				if len(answer) > 0 && !strings.HasPrefix(string(answer), "HTTP/1.1 4") && !strings.HasPrefix(string(answer), "HTTP/1.1 5") {
					t.Errorf("it was answered %q", answer)
				}
				_ = theirs.Close()
				_ = server.Close()
				if err := <-served; !errors.Is(err, http.ErrServerClosed) {
					t.Error(err)
				}
			})
		})
	}
}

// TestSTSLeadsNowhere: an endpoint that redirects gets no second request, here
// or elsewhere, and what it says of where to is not worth a second of reading
// (GO-2026-6218).
func TestSTSLeadsNowhere(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for name, location := range map[string]string{
		"elsewhere":   other.URL,
		"up and away": "/" + strings.Repeat("a/../", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.Header().Set("Location", location)
				w.WriteHeader(http.StatusFound)
			}))
			defer endpoint.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, err := stsClient(config.STS{Region: "eu-west-1", Endpoint: endpoint.URL}, aws.AnonymousCredentials{}).AssumeRoleWithSAML(ctx, &sts.AssumeRoleWithSAMLInput{
				PrincipalArn: aws.String("arn:aws:iam::111122223333:saml-provider/corp"), RoleArn: aws.String("arn:aws:iam::111122223333:role/radiology"), SAMLAssertion: aws.String("c2VjcmV0"),
			})
			if err == nil || ctx.Err() != nil || asked.Load() != 1 || elsewhere.Load() != 0 {
				t.Errorf("%.200s; asked %d times, and elsewhere %d times", fmt.Sprint(err), asked.Load(), elsewhere.Load())
			}
		})
	}
}

// TestFramesOfNoSizeEndTheConnection: a server that allows frames of no size
// made HTTP/2 clients write such frames without an end (GO-2026-4918).
func TestFramesOfNoSizeEndTheConnection(t *testing.T) {
	lender := httptest.NewTLSServer(http.NotFoundHandler())
	defer lender.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lender.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: lender.TLS.Certificates, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var frames atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go noSize(conn, &frames)
		}
	}()
	app, err := appHTTP(&config.Config{LabelStudio: config.LabelStudio{CA: ca}})
	if err != nil {
		t.Fatal(err)
	}
	defer app.CloseIdleConnections()
	asks := client.New(&url.URL{Scheme: "https", Host: listener.Addr().String()}, app, time.Now)
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if said, err := asks.Version(ctx); err == nil || ctx.Err() != nil {
			t.Errorf("%q, %v", said, err)
		}
		cancel()
	}
	if n := frames.Load(); n == 0 || n > 1000 {
		t.Errorf("%d frames were sent", n)
	}
}

// noSize allows frames of no size and counts what comes.
func noSize(conn net.Conn, frames *atomic.Int64) {
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(conn, conn)
	if framer.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 0}) != nil {
		return
	}
	for frames.Load() < 100_000 {
		if _, err := framer.ReadFrame(); err != nil {
			return
		}
		frames.Add(1)
	}
}
