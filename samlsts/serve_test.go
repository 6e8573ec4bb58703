package samlsts_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/samlsts"
)

// listening serves until the test ends, and returns the address and a function
// that stops it and returns what Serve returned.
func listening(t *testing.T, server *samlsts.Server) (string, func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- server.Serve(ctx, func(address string) { ready <- address }) }()
	stop := func() error { cancel(); return <-done }
	select {
	case address := <-ready:
		return address, stop
	case err := <-done:
		t.Fatalf("serving: %v", err)
		return "", nil
	}
}

// Ready asks the address that a configuration file names.
func TestReadySaysWhetherSomebodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "samlsts.yaml")
	if err := os.WriteFile(file, []byte("listen: "+listener.Addr().String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := samlsts.Ready(t.Context(), file); err != nil {
		t.Errorf("somebody listens: %v", err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := samlsts.Ready(t.Context(), file); err == nil {
		t.Error("nobody listens, and it is ready")
	}
}

// A call that is under way when the server is stopped gets its answer.
func TestServeFinishesWhatItBegan(t *testing.T) {
	r := newRig(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	assume := r.server.Assume
	r.server.Assume = func(ctx context.Context, o samlsts.Order) (*samlsts.Credentials, error) {
		close(entered)
		<-leave
		return assume(ctx, o)
	}
	address, stop := listening(t, r.server)
	status := make(chan int, 1)
	encoded := form(said().issue(t)).Encode()
	go func() {
		answer, err := http.Post("http://"+address, "application/x-www-form-urlencoded", strings.NewReader(encoded))
		if err != nil {
			status <- 0
			return
		}
		answer.Body.Close()
		status <- answer.StatusCode
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	close(leave)
	if got := <-status; got != 200 {
		t.Errorf("the call under way was answered with %d", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stopping: %v", err)
	}
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("it still listens")
	}
}

func TestServeWithTLS(t *testing.T) {
	cfg := configure(t)
	own := must(t, idpKey)
	private, err := x509.MarshalPKCS8PrivateKey(own.private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cfg.Listen = "0.0.0.0:0"
	cfg.TLS = &samlsts.TLS{CertificateFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	for file, block := range map[string]*pem.Block{cfg.TLS.CertificateFile: {Type: "CERTIFICATE", Bytes: own.der}, cfg.TLS.KeyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := serve(t, cfg)
	address, stop := listening(t, r.server)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(own.der)
	if err != nil {
		t.Fatal(err)
	}
	trust := &tls.Config{RootCAs: x509.NewCertPool(), Time: func() time.Time { return noon }}
	trust.RootCAs.AddCert(certificate)
	conn, err := tls.Dial("tcp", "127.0.0.1:"+port, trust)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	trust.MinVersion, trust.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, err := tls.Dial("tcp", "127.0.0.1:"+port, trust); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
	if err := stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
}

func TestServeSaysWhyItCannot(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := configure(t)
	cfg.Listen = taken.Addr().String()
	if err := serve(t, cfg).server.Serve(context.Background(), func(string) { t.Error("it says that it is ready") }); err == nil || !strings.Contains(err.Error(), "listening") {
		t.Errorf("got %v", err)
	}
}

func TestSecretsRedactThemselves(t *testing.T) {
	secret := samlsts.Secret("canary")
	held := samlsts.ServiceUser{AccessKeyID: "a", SecretAccessKey: secret}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", secret, "user", held)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", secret, "user", held)
	text, err := json.Marshal(held)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%s %v %+v %#v %q %s", text, secret, held, held, secret, &samlsts.Credentials{SecretAccessKey: secret})
	if strings.Contains(out.String(), "canary") || !strings.Contains(out.String(), "[redacted]") {
		t.Errorf("shown as %s", out.String())
	}
}
