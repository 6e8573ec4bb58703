package config

import (
	"crypto/tls"
	"net"
)

// checkTLS reads check_tls, and wants it where Check is asked from beyond this
// machine: the answers carry signed locations, and whoever answers in
// Rolepass's place says yes to everybody.
func (s section) checkTLS(c *Config) {
	v := s.get("check_tls")
	host, _, _ := net.SplitHostPort(c.Listen.Address)
	beyond := c.Listen.Network == "tcp" && !isLoopback(host)
	switch {
	case beyond && !v.given():
		s.problem(s.at("listen"), "%s is beyond this machine, and the answers carry signed locations: give check_tls (mutual TLS), or listen on unix:///PATH or on loopback", c.Listen.Address)
	case v.given() && c.Listen.Network == "unix":
		s.problem(v.place, "a Unix socket needs no TLS: leave check_tls out, or give listen HOST:PORT")
	}
	if !v.given() {
		return
	}
	t := s.section(v, "certificate", "private_key", "ca", "name", "envoy_name")
	const missing = "give it: with mutual TLS each end proves its name"
	c.CheckTLS = &CheckTLS{
		Certificate: t.filename(t.need("certificate", missing)),
		PrivateKey:  t.filename(t.need("private_key", missing)),
		CA:          t.filename(t.need("ca", missing)),
		Name:        t.dnsName(t.need("name", missing)),
		EnvoyName:   t.dnsName(t.need("envoy_name", missing)),
	}
}

// dnsName reads a plain name: no wildcard, no port, no address.
func (r *reader) dnsName(v value) string {
	text := r.text(v)
	if text != "" && (!plainHost(text) || portOf(text) != "" || net.ParseIP(text) != nil) {
		r.problem(v.place, "%q is no DNS name: write the one in the certificate, such as rolepass.internal", text)
	}
	return text
}

func portOf(hostport string) string {
	_, port, _ := net.SplitHostPort(hostport)
	return port
}

// checkFiles looks into Rolepass's own certificates.
func (s section) checkFiles(t *CheckTLS) {
	s.secretFile(t.PrivateKey, s.at("check_tls.private_key"))
	pair, err := tls.LoadX509KeyPair(t.Certificate, t.PrivateKey)
	switch {
	case err != nil:
		s.problem(s.at("check_tls.certificate"), "it cannot be used with its private_key: %v", err)
	case pair.Leaf.VerifyHostname(t.Name) != nil:
		s.problem(s.at("check_tls.certificate"), "it is not for %s (name): Envoy would refuse it", t.Name)
	default:
		t.ends = pair.Leaf.NotAfter
	}
	s.authorities(t.CA, s.at("check_tls.ca"))
}
