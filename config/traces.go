package config

import (
	"crypto/tls"
	"net"
	"net/url"
)

// defaultCollectorPort is OTLP's over gRPC (OpenTelemetry Protocol 1.10).
const defaultCollectorPort = "4317"

// traces reads where traces go to; nowhere, if it is left out.
func (s section) traces(c *Config) {
	v := s.get("traces")
	if !v.given() {
		return
	}
	t := s.section(v, "endpoint", "ca", "certificate", "private_key", "ratio", "parent")
	const missing = "give the collector's address, such as https://otel.example.com:4317"
	c.Traces.Endpoint = t.collector(t.need("endpoint", missing))
	t.collectorTLS(c)
	c.Traces.Ratio = t.fraction(t.get("ratio"), 0.01)
	c.Traces.FollowEnvoy = t.word("parent", "ignore", "envoy") == "envoy"
	if c.Traces.Ratio == 0 && !c.Traces.FollowEnvoy {
		s.problem(t.get("ratio").place, "with ratio: 0 there is never a trace: leave traces out, or say parent: envoy")
	}
}

// collector reads https://HOST:PORT, or http.
func (r *reader) collector(v value) *url.URL {
	u := r.origin(v)
	if u == nil {
		return nil
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), defaultCollectorPort)
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		r.warn(v.place, "traces go to the collector in the clear: who can listen reads which sessions, roles and buckets were used when; use https, or a collector on this machine")
	}
	return u
}

// collectorTLS reads how both ends prove who they are.
func (s section) collectorTLS(c *Config) {
	t := &c.Traces
	for _, one := range []struct {
		name string
		file *string
	}{{"ca", &t.CA}, {"certificate", &t.Certificate}, {"private_key", &t.PrivateKey}} {
		v := s.get(one.name)
		if !v.given() {
			continue
		}
		if *one.file = s.filename(v); t.Endpoint != nil && t.Endpoint.Scheme == "http" {
			s.problem(v.place, "endpoint is plain http, which knows no certificates: write https, or leave %s out", one.name)
		}
	}
	if (t.Certificate == "") != (t.PrivateKey == "") {
		s.problem(s.place, "certificate and private_key go together: give both, or neither")
	}
}

// traceFiles looks into the files that are for the collector.
func (s section) traceFiles(t Traces) {
	if t.CA != "" {
		s.authorities(t.CA, s.at("traces.ca"))
	}
	if t.Certificate == "" || t.PrivateKey == "" {
		return
	}
	s.secretFile(t.PrivateKey, s.at("traces.private_key"))
	if _, err := tls.LoadX509KeyPair(t.Certificate, t.PrivateKey); err != nil {
		s.problem(s.at("traces.certificate"), "it cannot be used with its private_key: %v", err)
	}
}
