package config

import (
	"net"
	"net/netip"
)

func (s section) envoy(c *Config) {
	v := s.get("envoy")
	e := s.section(v, "listen", "admin", "certificate", "private_key", "access_log", "ca", "dynamic_forward_proxy", "trusted_hops", "check_address", "check_certificate", "check_private_key", "check_ca")
	c.Envoy = Envoy{
		Listen:      defaultEnvoyListen(c),
		Admin:       defaultEnvoyAdmin,
		Certificate: e.filename(e.get("certificate")),
		PrivateKey:  e.filename(e.get("private_key")),
		AccessLog:   "/dev/stdout",
		CA:          "/etc/ssl/certs/ca-certificates.crt",

		DynamicForwardProxy: e.boolean(e.get("dynamic_forward_proxy")),
		TrustedHops:         e.number("trusted_hops", 0, 1, mostHops),
	}
	if at := e.get("listen"); at.given() {
		c.Envoy.Listen = e.text(at)
		if a, err := netip.ParseAddrPort(c.Envoy.Listen); c.Envoy.Listen != "" && (err != nil || a.Port() == 0) {
			e.problem(at.place, "%q is not IP:PORT: write one like 0.0.0.0:8443", c.Envoy.Listen)
		}
	}
	if at := e.get("admin"); at.given() {
		c.Envoy.Admin = e.loopbackAddress(at, "whoever reaches Envoy's administration controls it")
	}
	if at := e.get("access_log"); at.given() {
		c.Envoy.AccessLog = e.filename(at)
	}
	if at := e.get("ca"); at.given() {
		c.Envoy.CA = e.filename(at)
	}
	e.certificate(c, v.given())
	e.envoysEnd(c, v.given())
}

// mostHops is how many proxies in front of Envoy anybody has.
const mostHops = 8

// certificate wants both files or none, and both where Envoy speaks https and no
// proxy in front of it does.
func (s section) certificate(c *Config, given bool) {
	certificate, key := s.get("certificate"), s.get("private_key")
	https := c.PublicURL != nil && c.PublicURL.Scheme == "https" && (s.needs == ForEnvoy || s.needs == Everything && given)
	ends := c.Envoy.TrustedHops > 0
	switch {
	case !certificate.given() && key.given():
		s.problem(certificate.place, "it is missing: give the PEM file of the certificate beside its private_key")
	case !key.given() && certificate.given():
		s.problem(key.place, "it is missing: give the PEM file of the key beside its certificate")
	case !certificate.given() && https && !ends:
		s.problem(certificate.place, "it is missing: public_url is https, so give the PEM files of a certificate and of its private_key, or trusted_hops where a proxy in front ends TLS")
	case certificate.given() && c.PublicURL != nil && c.PublicURL.Scheme == "http":
		s.problem(certificate.place, "public_url is plain http and needs no certificate: leave it out, or make public_url https")
	}
}

// defaultEnvoyListen is public_url's own address where that is this machine.
func defaultEnvoyListen(c *Config) string {
	if c.PublicURL == nil || !isLoopback(c.PublicURL.Hostname()) {
		return "0.0.0.0:8443"
	}
	host, port := c.PublicURL.Hostname(), c.PublicURL.Port()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[c.PublicURL.Scheme]
	}
	return net.JoinHostPort(host, port)
}

// envoysEnd reads what Envoy needs to ask beyond its machine. Whether section envoy
// is given at all says if Envoy's configuration is to be written here.
func (s section) envoysEnd(c *Config, given bool) {
	names := []string{"check_certificate", "check_private_key", "check_ca"}
	files := []*string{&c.Envoy.CheckCertificate, &c.Envoy.CheckPrivateKey, &c.Envoy.CheckCA}
	for i, name := range names {
		v := s.get(name)
		switch {
		case v.given() && c.CheckTLS == nil:
			s.problem(v.place, "it is for mutual TLS: leave it out, or give check_tls")
		case !v.given() && c.CheckTLS != nil && (s.needs.anEnvoy() || s.needs == Everything && given):
			s.problem(v.place, "it is missing: check_tls is given, so give the PEM file that Envoy has on its machine")
		}
		*files[i] = s.filename(v)
	}
	s.checkAddress(c, given)
}

// checkAddress reads where Envoy reaches Rolepass, which is Listen unless that is
// every address.
func (s section) checkAddress(c *Config, given bool) {
	c.Envoy.CheckAddress = c.Listen.String()
	v := s.get("check_address")
	if !v.given() {
		if host, _, _ := net.SplitHostPort(c.Listen.Address); c.CheckTLS != nil && net.ParseIP(host).IsUnspecified() && (s.needs.anEnvoy() || given) {
			s.problem(v.place, "it is missing: listen is every address of that machine, so give the one at which Envoy reaches it")
		}
		return
	}
	c.Envoy.CheckAddress = s.text(v)
	if host, port, err := net.SplitHostPort(c.Envoy.CheckAddress); c.CheckTLS == nil || err != nil || !validPort(port) || !plainHost(host) {
		s.problem(v.place, "%q is for mutual TLS, and HOST:PORT: give check_tls, or leave it out", c.Envoy.CheckAddress)
	}
}
