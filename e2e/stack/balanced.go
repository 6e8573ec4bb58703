package stack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Balanced is a Rolepass whose Envoy is behind a load balancer that ends TLS.
type Balanced struct {
	*Beside
	// Envoy is where the balancer reaches it.
	Envoy string
	// TLS trusts the balancer's certificate, and Pin is its key's hash as a
	// browser takes it.
	TLS *tls.Config
	Pin string
}

// balancerAddress is where the balancer connects to Envoy from. Browsers here
// are 127.0.0.1, so that a log can tell the two.
const balancerAddress = "127.0.0.2"

// balancerSettings surround a server of nginx's with what nginx needs to run as
// one of our processes.
const balancerSettings = `
daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr crit;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	proxy_bind %[2]s;
%[3]s
}
`

// balancedPublic is the balancer's address for browsers.
func (s *Stack) balancedPublic() string {
	address, _ := public(s.besides.balanced) // our own address has a port
	return strings.Replace(address, "http:", "https:", 1)
}

// Balanced starts the program nginx before a Rolepass that is told of it. The
// server is written for the documentation's machines: replaced are the port 443,
// the certificate's files and Envoy's address.
func (s *Stack) Balanced(ctx context.Context, nginx, server string) (*Balanced, error) {
	envoy, err := s.ports.address()
	if err != nil {
		return nil, err
	}
	b := &Balanced{Envoy: envoy}
	b.Beside, err = s.startBeside(ctx, "balanced", envoy, map[string]any{
		"public_url": s.balancedPublic(), "envoy": map[string]any{"trusted_hops": 1},
	})
	if err != nil {
		return nil, err
	}
	b.Public = s.balancedPublic()
	return b, s.startBalancer(ctx, b, nginx, server)
}

func (s *Stack) startBalancer(ctx context.Context, b *Balanced, nginx, server string) error {
	dir := filepath.Join(s.Dir, "balancer")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	certificate, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	if err := b.certify(certificate, key); err != nil {
		return err
	}
	for documented, here := range map[string]string{
		"listen 443 ": "listen " + s.besides.balanced + " ", "server_name label.example.com;": "server_name localhost;",
		"/etc/nginx/tls.crt": certificate, "/etc/nginx/tls.key": key, "10.0.0.5:8080": b.Envoy,
	} {
		if strings.Count(server, documented) != 1 {
			return fmt.Errorf("the balancer's settings do not have %q once", documented)
		}
		server = strings.Replace(server, documented, here, 1)
	}
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, balancerSettings, dir, balancerAddress, server), 0o600); err != nil {
		return err
	}
	p, err := s.starts("balancer", nil, nginx, "-e", "stderr", "-p", dir, "-c", config)
	if err != nil {
		return err
	}
	return p.until(ctx, func(ctx context.Context) error {
		conn, err := (&tls.Dialer{Config: b.TLS}).DialContext(ctx, "tcp", net.JoinHostPort("localhost", portOf(s.besides.balanced)))
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// certify gives the balancer a certificate of an authority of its own.
func (b *Balanced) certify(certificateFile, keyFile string) error {
	authority, err := newAuthority()
	if err != nil {
		return err
	}
	chain, key, err := authority.issues("localhost")
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.parsed)
	b.TLS, b.Pin = &tls.Config{RootCAs: roots}, pin(pair.Leaf)
	if err := os.WriteFile(certificateFile, chain, 0o600); err != nil {
		return err
	}
	return os.WriteFile(keyFile, key, 0o600)
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}
