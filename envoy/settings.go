// Package envoy writes Envoy's half of the contract: a bootstrap in which
// every choice that ext_authz depends on is deliberate. Fill Settings, call
// Bootstrap for the typed message and YAML for text to hand to
// `envoy --config-path`.
//
// It reads no configuration file, starts no Envoy and does not look at an
// Envoy that runs already. What it writes is meant for Envoy 1.39.1 and later.
package envoy

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strings"

	"github.com/rolepass/rolepass/envoy/contract"
)

// Settings are what the bootstrap depends on. Fields without a default are
// required.
type Settings struct {
	// PublicScheme is http or https, as the browser sees it.
	PublicScheme string
	// PublicHost is the host of the public address, with a port when that is
	// not the scheme's own. Every other host is answered 421.
	PublicHost string

	// Listen is the address to accept browsers on: IP and port.
	Listen string
	// CertFile and KeyFile hold the TLS certificate (PEM) for Listen. Both
	// empty: plain HTTP, for a loopback demo or behind a proxy that ends TLS.
	CertFile, KeyFile string
	// TrustedHops is how many proxies in front of Envoy are believed about
	// X-Forwarded-For. Zero: the browser connects to Envoy itself.
	TrustedHops uint32

	// Admin is Envoy's administration address: a loopback IP and port.
	Admin string
	// AccessLog is the file for the access log; default /dev/stdout.
	AccessLog string

	// CheckAddress is where Rolepass answers Check: unix:///path, or host and
	// port. Beyond loopback CheckTLS is required.
	CheckAddress string
	// CheckTLS is mutual TLS towards Rolepass; nil: plaintext.
	CheckTLS *MutualTLS

	// AppURL is the application's address: scheme, host and port, no path.
	AppURL *url.URL
	// KeepCredentials shows Authorization and X-Api-Key to Check and lets them
	// through to the application where Check says so. False removes them
	// before anything reads them: the application then sees only what Check
	// sets.
	KeepCredentials bool

	// S3 are the endpoints that objects are streamed from.
	S3 []S3Endpoint
	// DynamicForwardProxy reaches all S3 endpoints by one cluster per scheme
	// instead of one cluster each: where there are many. The routes still say
	// which ones there are.
	DynamicForwardProxy bool
	// S3SignedHeaders lets Check sign what goes to S3 by headers. False: by
	// query, and S3 sees no header of a signature.
	S3SignedHeaders bool
	// LocationHeader is the request header in which Check tells the application
	// where an object is; empty: none. No client can bring it along.
	LocationHeader string
	// AppCAFile holds the authorities (PEM) that the application's certificate
	// is verified against; default CAFile.
	AppCAFile string
	// CAFile holds the authorities (PEM) that S3 and application certificates
	// are verified against; default /etc/ssl/certs/ca-certificates.crt.
	CAFile string

	// ACSPath is the exact path that the IdP posts assertions to.
	ACSPath string
	// ObservedACS are the exact paths of the application's own consumer
	// services, whose POST goes on to the application.
	ObservedACS []string
}

// S3Endpoint is one S3 server as requests are signed for it.
type S3Endpoint struct {
	// Host is the signed host: a name or IP, with a port when that is not the
	// scheme's own.
	Host string
	// Scheme is https; http only for a loopback host.
	Scheme string
}

// MutualTLS names both ends of the connection to Rolepass.
type MutualTLS struct {
	// CertFile and KeyFile (PEM) are Envoy's own.
	CertFile, KeyFile string
	// CAFile (PEM) verifies Rolepass.
	CAFile string
	// ServerName is the DNS name that Rolepass' certificate must carry.
	ServerName string
}

// withDefaults fills what may be left empty.
func (s Settings) withDefaults() Settings {
	if s.AccessLog == "" {
		s.AccessLog = "/dev/stdout"
	}
	if s.CAFile == "" {
		s.CAFile = "/etc/ssl/certs/ca-certificates.crt"
	}
	if s.AppCAFile == "" {
		s.AppCAFile = s.CAFile
	}
	return s
}

// check reports everything that is wrong, in one error.
func (s Settings) check() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	if s.PublicScheme != "http" && s.PublicScheme != "https" {
		problem("the public scheme is %q: give http or https", s.PublicScheme)
	}
	if !plainHost(s.PublicHost) {
		problem("the public host is %q: give a host name, with a port if need be", s.PublicHost)
	}
	if _, err := netip.ParseAddrPort(s.Listen); err != nil {
		problem("the listen address is %q: give an IP and a port, such as 0.0.0.0:443", s.Listen)
	}
	if admin, err := netip.ParseAddrPort(s.Admin); err != nil || !admin.Addr().IsLoopback() {
		problem("Envoy's admin address is %q: give a loopback IP and a port, since whoever reaches it controls Envoy", s.Admin)
	}
	if (s.CertFile == "") != (s.KeyFile == "") {
		problem("give both the TLS certificate and its key, or neither")
	}
	if s.AppURL == nil || s.AppURL.Scheme != "http" && s.AppURL.Scheme != "https" || !plainHost(s.AppURL.Host) || strings.Trim(s.AppURL.Path, "/") != "" {
		problem("the application's address is %q: give http or https, a host and no path", s.AppURL)
	}
	for _, acs := range append([]string{s.ACSPath}, s.ObservedACS...) {
		if !strings.HasPrefix(acs, "/") || path.Clean(acs) != acs || strings.ContainsAny(acs, "?#%;\\ ") {
			problem("the ACS path is %q: give a plain absolute path, such as /rolepass/saml/acs", acs)
		}
	}
	if err := contract.CheckLocationHeader(s.LocationHeader); s.LocationHeader != "" && err != nil {
		problems = append(problems, err)
	}
	problems = append(problems, s.checkRolepass()...)
	problems = append(problems, s.checkS3()...)
	return errors.Join(problems...)
}

func (s Settings) checkRolepass() []error {
	var problems []error
	at, err := parseCheckAddress(s.CheckAddress)
	switch {
	case err != nil:
		problems = append(problems, err)
	case s.CheckTLS == nil && !at.local():
		problems = append(problems, fmt.Errorf("Check is at %q, beyond loopback: its answers carry signed locations, so give mutual TLS or a Unix socket", s.CheckAddress))
	}
	if t := s.CheckTLS; t != nil && (t.CertFile == "" || t.KeyFile == "" || t.CAFile == "" || t.ServerName == "") {
		problems = append(problems, errors.New("mutual TLS for Check needs a certificate, its key, an authority and the server's name"))
	}
	return problems
}

func (s Settings) checkS3() []error {
	var problems []error
	if len(s.S3) == 0 {
		problems = append(problems, errors.New("no S3 endpoint is given: name at least one bucket"))
	}
	for _, e := range s.S3 {
		switch {
		case !plainHost(e.Host):
			problems = append(problems, fmt.Errorf("the S3 host is %q: give a host name, with a port if need be", e.Host))
		case e.Scheme == "http" && !loopback(hostOf(e.Host)):
			problems = append(problems, fmt.Errorf("the S3 host %q is beyond loopback: use https", e.Host))
		case e.Scheme != "http" && e.Scheme != "https":
			problems = append(problems, fmt.Errorf("the scheme of S3 host %q is %q: give https", e.Host, e.Scheme))
		}
	}
	return problems
}

// checkAddress is a parsed CheckAddress: a socket's path, or host and port.
type checkAddress struct{ pipe, hostPort string }

func parseCheckAddress(s string) (checkAddress, error) {
	if p, ok := strings.CutPrefix(s, "unix://"); ok {
		s = p
		if !strings.HasPrefix(s, "/") {
			return checkAddress{}, fmt.Errorf("the Check socket is %q: give an absolute path, such as unix:///run/rolepass/check.sock", s)
		}
	}
	if strings.HasPrefix(s, "/") {
		return checkAddress{pipe: s}, nil
	}
	if _, port, err := net.SplitHostPort(s); err != nil || port == "" || !plainHost(s) {
		return checkAddress{}, fmt.Errorf("the Check address is %q: give unix:///path, or host and port", s)
	}
	return checkAddress{hostPort: s}, nil
}

func (a checkAddress) local() bool { return a.pipe != "" || loopback(hostOf(a.hostPort)) }

// plainHost reports whether s is a host with an optional port and nothing
// that YAML, a Host header or a route table could read as something else.
func plainHost(s string) bool {
	u, err := url.Parse("//" + s)
	return err == nil && u.Host == s && u.Hostname() != "" && !strings.ContainsAny(s, "*@/%?# ") && !strings.HasSuffix(s, ":")
}

// hostOf is the host of "host" or "host:port", without brackets.
func hostOf(hostport string) string {
	u, err := url.Parse("//" + hostport)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
