package server

import (
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/labelstudio/client"
)

// labelStudio answers for its version, by TLS with a certificate of nobody's
// for example.com and 127.0.0.1; ca is the file with its authority.
func labelStudio(t *testing.T) (address *url.URL, ca string) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"release": "1.23.2"}`)
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return address, ca
}

// version asks for it as Rolepass asks everything.
func version(t *testing.T, ls config.LabelStudio) (string, error) {
	t.Helper()
	toApp, err := appHTTP(&config.Config{LabelStudio: ls})
	if err != nil {
		t.Fatal(err)
	}
	defer toApp.CloseIdleConnections()
	return client.New(ls.URL, toApp, time.Now).Version(t.Context())
}

// Behind a private authority, Label Studio is believed by that authority and
// its name, and by nothing less.
func TestLabelStudioBehindAPrivateAuthority(t *testing.T) {
	address, ca := labelStudio(t)
	if got, err := version(t, config.LabelStudio{URL: address, CA: ca}); err != nil || got != "1.23.2" {
		t.Errorf("with its authority: %q, %v", got, err)
	}
	foreign := *address
	foreign.Host = "localhost:" + address.Port() // a name that the certificate does not have
	for name, ls := range map[string]config.LabelStudio{
		"the machine's authorities": {URL: address},
		"another name":              {URL: &foreign, CA: ca},
	} {
		if got, err := version(t, ls); err == nil {
			t.Errorf("%s: believed, it says %q", name, got)
		}
	}
	if _, err := appHTTP(&config.Config{LabelStudio: config.LabelStudio{URL: address, CA: filepath.Join(t.TempDir(), "none")}}); err == nil {
		t.Error("a file that is not there is no error")
	}
}

// Rolepass asks through the configured proxy, which carries TLS unread, and
// through none that only the environment names.
func TestLabelStudioThroughAProxy(t *testing.T) {
	address, ca := labelStudio(t)
	var tunnels, others atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			others.Add(1)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		tunnels.Add(1)
		tunnel(t, w, address.Host)
	}))
	defer proxy.Close()
	through, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := &url.URL{Scheme: "https", Host: "example.com"} // which only the proxy finds
	if got, err := version(t, config.LabelStudio{URL: elsewhere, CA: ca, Proxy: through}); err != nil || got != "1.23.2" || tunnels.Load() != 1 || others.Load() != 0 {
		t.Errorf("%q, %v; %d tunnels and %d other requests at the proxy", got, err, tunnels.Load(), others.Load())
	}
	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("HTTP_PROXY", proxy.URL)
	toApp, err := appHTTP(&config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if asks := toApp.Transport.(*http.Transport).Proxy; asks != nil {
		t.Error("a proxy of the environment would be asked")
	}
}

// tunnel joins the browser's end of a CONNECT with an address.
func tunnel(t *testing.T, w http.ResponseWriter, to string) {
	conn, err := net.Dial("tcp", to)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	ours, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer ours.Close()
	if _, err := io.WriteString(ours, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		t.Error(err)
		return
	}
	go func() { _, _ = io.Copy(conn, buffered) }()
	_, _ = io.Copy(ours, conn)
}
