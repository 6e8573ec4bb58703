package envoytest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/envoy"
	"github.com/rolepass/rolepass/server"
)

// A trusted authority is not enough: the certificate must name the S3 host.
func TestS3MustProveItsName(t *testing.T) {
	trusted, other := newAuthority(t), newAuthority(t)
	for _, c := range []struct {
		name   string
		host   string
		signer *authority
		names  []string
		status int
	}{
		{"right", "localhost", trusted, []string{"localhost"}, 200},
		{"right among others", "localhost", trusted, []string{"s3.example", "localhost"}, 200},
		{"by address", "127.0.0.1", trusted, []string{"127.0.0.1"}, 200},
		{"another name", "localhost", trusted, []string{"evil.test"}, 503},
		{"a longer name", "localhost", trusted, []string{"localhost.evil.test"}, 503},
		{"a name for an address", "127.0.0.1", trusted, []string{"localhost"}, 503},
		{"another authority", "localhost", other, []string{"localhost"}, 503},
	} {
		s3 := startTLS(t, c.signer, c.names...)
		_, port, _ := net.SplitHostPort(s3.host())
		host := net.JoinHostPort(c.host, port)
		r := newRig(t, func(r *rig) {
			r.settings.S3 = []envoy.S3Endpoint{{Host: host, Scheme: "https"}}
			r.settings.CAFile = trusted.file
		})
		r.check.answers(stream(host, "/imaging/x"+signature))
		got := r.send("GET /tasks/7/resolve/?fileuri=x")
		if got.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, got.StatusCode, c.status)
		}
		if reached := len(s3.requests()) > 0; reached != (c.status == 200) {
			t.Errorf("%s: the server got the signed location: %v", c.name, reached)
		}
		if c.status == 200 && s3.only(t).Host != host {
			t.Errorf("%s: the server was addressed as %s", c.name, s3.only(t).Host)
		}
	}
}

// The application by https has to prove its name just the same.
func TestApplicationMustProveItsName(t *testing.T) {
	trusted := newAuthority(t)
	for name, status := range map[string]int{"localhost": 200, "evil.test": 503} {
		app := startTLS(t, trusted, name)
		r := newRig(t, func(r *rig) {
			_, port, _ := net.SplitHostPort(app.host())
			r.settings.AppURL.Scheme, r.settings.AppURL.Host = "https", "localhost:"+port
			r.settings.AppCAFile = trusted.file
		})
		if got := r.send("GET /projects"); got.StatusCode != status {
			t.Errorf("a certificate for %s: %d, want %d", name, got.StatusCode, status)
		}
	}
}

// T-EXT-05: beyond this machine, Envoy and Rolepass prove to each other who they are.
func TestCheckOverMutualTLS(t *testing.T) {
	ours, other := newAuthority(t), newAuthority(t)
	dir := t.TempDir()
	envoyCert, envoyKey := ours.issue(t, dir, "envoy", "envoy.internal")
	strangerCert, strangerKey := other.issue(t, dir, "stranger", "envoy.internal")
	colleagueCert, colleagueKey := ours.issue(t, dir, "colleague", "grafana.internal")
	ambiguousCert, ambiguousKey := ours.issue(t, dir, "ambiguous", "envoy.internal\x00.evil.test")
	wildCert, wildKey := ours.issue(t, dir, "wild", "*.internal")
	for _, c := range []struct {
		name      string
		server    string
		serverCA  *authority
		cert, key string
		status    int
	}{
		{"both right", "rolepass.internal", ours, envoyCert, envoyKey, 200},
		{"another server", "evil.internal", ours, envoyCert, envoyKey, 503},
		{"another authority", "rolepass.internal", other, envoyCert, envoyKey, 503},
		{"a stranger asks", "rolepass.internal", ours, strangerCert, strangerKey, 503},
		{"a colleague asks", "rolepass.internal", ours, colleagueCert, colleagueKey, 503},
		{"a name that ends twice", "rolepass.internal", ours, ambiguousCert, ambiguousKey, 503},
		{"any name", "rolepass.internal", ours, wildCert, wildKey, 503},
	} {
		cert, key := c.serverCA.issue(t, dir, "rolepass", c.server)
		l, err := server.Door(t.Context(), &config.Config{
			Listen:   config.Listen{Network: "tcp", Address: "127.0.0.1:0"},
			CheckTLS: &config.CheckTLS{Certificate: cert, PrivateKey: key, CA: ours.file, Name: c.server, EnvoyName: "envoy.internal"},
		})
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t, func(r *rig) {
			r.check.serve(l)
			r.settings.CheckAddress = l.Addr().String()
			r.settings.CheckTLS = &envoy.MutualTLS{CertFile: c.cert, KeyFile: c.key, CAFile: ours.file, ServerName: "rolepass.internal"}
		})
		if got := r.send("GET /projects"); got.StatusCode != c.status || (r.check.count() > 0) != (c.status == 200) {
			t.Errorf("%s: %d, and Check was asked %d times; want %d", c.name, got.StatusCode, r.check.count(), c.status)
		}
	}
}

// T-EXT-06, T-CFG-10: one HTTP/2 connection may carry requests for several
// hosts, and each is judged by its own; TLS before 1.2 is refused.
func TestBrowserOverTLS(t *testing.T) {
	ours := newAuthority(t)
	cert, key := ours.issue(t, t.TempDir(), "edge", publicHost)
	r := newRig(t, func(r *rig) {
		r.settings.CertFile, r.settings.KeyFile, r.settings.PublicScheme = cert, key, "https"
	})
	transport := &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: ours.pool(), ServerName: publicHost},
	}
	defer transport.CloseIdleConnections()
	get := func(host string, change ...func(*http.Request)) (*http.Response, string) {
		request, err := http.NewRequest("GET", "https://"+r.addr+"/projects", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		for _, f := range change {
			f(request)
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatalf("host %s: %v", host, err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return response, string(body)
	}
	response, body := get(publicHost, func(request *http.Request) {
		request.Header["Cookie"] = []string{"a=1; b=2", "c=3"}
		request.Header.Set("X_Api_Key", "k")
	})
	if response.ProtoMajor != 2 || response.StatusCode != 200 || body != "from app" {
		t.Errorf("%s %d %q", response.Proto, response.StatusCode, body)
	}
	var cookies []string
	for _, h := range r.check.last().GetAttributes().GetRequest().GetHttp().GetHeaderMap().GetHeaders() {
		if h.Key == "cookie" {
			cookies = append(cookies, string(h.RawValue))
		}
	}
	if got := strings.Join(cookies, "; "); got != "a=1; b=2; c=3" {
		t.Errorf("over HTTP/2 Check saw the cookies %q", cookies)
	}
	seen := r.app.only(t)
	if seen.Header.Get("X-Forwarded-Proto") != "https" || len(seen.Header["X_api_key"]) != 0 {
		t.Errorf("the application saw %v", seen.Header)
	}
	if response, _ := get("other.test"); response.StatusCode != 421 {
		t.Errorf("another host on the same connection: %d, want 421", response.StatusCode)
	}
	if got := r.check.last().GetAttributes().GetRequest().GetHttp().GetHost(); got != "other.test" {
		t.Errorf("Check judged host %q", got)
	}
	old := &tls.Config{RootCAs: ours.pool(), ServerName: publicHost, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if conn, err := tls.Dial("tcp", r.addr, old); err == nil {
		conn.Close()
		t.Error("TLS 1.1 was accepted")
	}
}

func startTLS(t *testing.T, signer *authority, names ...string) *recorder {
	t.Helper()
	cert, key := signer.issue(t, t.TempDir(), "server", names...)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	u := &recorder{name: "tls server", respond: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }}
	u.Server = httptest.NewUnstartedServer(u)
	u.Server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	u.Server.Config.ErrorLog = quiet
	u.StartTLS()
	t.Cleanup(u.Close)
	return u
}

// authority is a certificate authority for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := certificate("Test authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{cert: cert, key: key, file: filepath.Join(t.TempDir(), "ca.pem")}
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// issue writes a certificate for these DNS names or addresses, and its key.
func (a *authority) issue(t *testing.T, dir, name string, subjects ...string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := certificate(name)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, subject := range subjects {
		if ip := net.ParseIP(subject); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, subject)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	writePEM(t, certFile, "CERTIFICATE", der)
	writePEM(t, keyFile, "PRIVATE KEY", private)
	return certFile, keyFile
}

func certificate(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature}
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
