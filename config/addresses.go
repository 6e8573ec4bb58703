package config

import (
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// Defaults of addresses.
const (
	defaultACSPath    = "/rolepass/saml/acs"
	metadataPath      = "/rolepass/saml/metadata"
	defaultListen     = "/run/rolepass/check.sock"
	defaultAdmin      = "127.0.0.1:9002"
	defaultEnvoyAdmin = "127.0.0.1:9901"
)

// addresses reads public_url, acs_path, entity_id, listen, admin, monitoring
// and keys.
func (s section) addresses(c *Config) {
	c.PublicURL = s.publicURL(s.need("public_url", "give the address that browsers use, such as https://label.example.com"))
	c.ACSPath = defaultACSPath
	if v := s.get("acs_path"); v.given() {
		c.ACSPath = s.acsPath(v)
	}
	c.EntityID = s.text(s.get("entity_id"))
	if c.EntityID == "" && c.PublicURL != nil {
		c.EntityID = c.PublicURL.String() + metadataPath
	}
	c.Listen = Listen{"unix", defaultListen}
	if v := s.get("listen"); v.given() {
		c.Listen = s.listen(v)
	}
	s.checkTLS(c)
	c.Admin = defaultAdmin
	if v := s.get("admin"); v.given() {
		c.Admin = s.loopbackAddress(v, "health and metrics are for this machine only (monitoring is for others)")
	}
	if v := s.get("monitoring"); v.given() {
		c.Monitoring = s.machineAddress(v)
	}
	if v := s.get("admin_socket"); v.given() {
		c.AdminSocket = s.filename(v)
	}
	if v := s.get("saml_keys"); v.given() {
		c.SAMLKeys = s.filename(v)
	}
	c.Keys = s.filename(s.wanted(s.whole(), "keys", "give the directory that `rolepass keys new` made"))
}

// publicURL reads an origin: https, or http on loopback.
func (r *reader) publicURL(v value) *url.URL {
	u := r.origin(v)
	if u != nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		r.problem(v.place, "plain http is for localhost, 127.0.0.0/8 and ::1 only: use https")
		return nil
	}
	return u
}

// origin reads scheme, host and port, with nothing behind them. The host is
// made lower case and the scheme's own port left out, as browsers do it.
func (r *reader) origin(v value) *url.URL {
	text := r.text(v)
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || !plainHost(u.Host):
		r.problem(v.place, "%s is not a web address: write https:// and a host", strconv.Quote(text))
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#") || u.User != nil:
		r.problem(v.place, "the address has more than scheme, host and port: leave out path, final slash, query and user")
	default:
		host := strings.ToLower(u.Host)
		host = strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[u.Scheme])
		return &url.URL{Scheme: u.Scheme, Host: host}
	}
	return nil
}

// plainHost says that HOST or HOST:PORT has only what names and addresses
// have, and a port that exists.
func plainHost(hostport string) bool {
	if strings.Trim(strings.ToLower(hostport), "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != "" || strings.HasSuffix(hostport, ":") {
		return false
	}
	u, err := url.Parse("//" + hostport)
	return err == nil && (u.Port() == "" || validPort(u.Port()))
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func (r *reader) acsPath(v value) string {
	p := r.text(v)
	if p == "" {
		return ""
	}
	if !strings.HasPrefix(p, "/") || p == "/" || path.Clean(p) != p || strings.Trim(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-._~") != "" {
		r.problem(v.place, "%q is not a plain path: write one like %s, without a final slash, query or escapes", p, defaultACSPath)
		return ""
	}
	return p
}

// listen reads unix:///PATH, or IP:PORT; checkTLS says what else the second
// needs.
func (r *reader) listen(v value) Listen {
	text := r.text(v)
	if text == "" {
		return Listen{}
	}
	if socket, ok := strings.CutPrefix(text, "unix://"); ok {
		if !strings.HasPrefix(socket, "/") || path.Clean(socket) != socket || socket == "/" || len(socket) > 107 {
			r.problem(v.place, "%q is no socket: write unix:// and an absolute path of at most 107 characters, such as unix://%s", text, defaultListen)
			return Listen{}
		}
		return Listen{"unix", socket}
	}
	if address, err := loopback(text); err == nil {
		return Listen{"tcp", address}
	}
	if a, err := netip.ParseAddrPort(text); err != nil || a.Port() == 0 {
		r.problem(v.place, "%q is neither unix:///PATH nor an address and a port: write one like 127.0.0.1:9001, or 10.0.0.7:9001 with check_tls", text)
		return Listen{}
	}
	return Listen{"tcp", text}
}

// machineAddress reads IP:PORT, where 0.0.0.0 is every address of this machine.
func (r *reader) machineAddress(v value) string {
	text := r.text(v)
	if a, err := netip.ParseAddrPort(text); text != "" && (err != nil || a.Port() == 0) {
		r.problem(v.place, "%q is not IP:PORT: write the address at which a kubelet or Prometheus reaches this machine, such as 0.0.0.0:9003", text)
		return ""
	}
	return text
}

// loopbackAddress reads HOST:PORT on loopback.
func (r *reader) loopbackAddress(v value, why string) string {
	text := r.text(v)
	if text == "" {
		return ""
	}
	address, err := loopback(text)
	if err != nil {
		r.problem(v.place, "%q is not HOST:PORT on loopback: %s; write one like %s", text, why, defaultAdmin)
	}
	return address
}

// loopback reads HOST:PORT where the host is this machine, with localhost as
// 127.0.0.1.
func loopback(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil || !validPort(port) || !isLoopback(host) {
		return "", net.InvalidAddrError(text)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
