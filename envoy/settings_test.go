package envoy_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/envoy"
)

// valid are complete settings; each test changes what it is about.
func valid() envoy.Settings {
	return envoy.Settings{
		PublicScheme: "https", PublicHost: "label.example.com",
		Listen: "0.0.0.0:443", CertFile: "/etc/envoy/tls.pem", KeyFile: "/etc/envoy/tls.key",
		Admin:        "127.0.0.1:9901",
		CheckAddress: "unix:///run/rolepass/check.sock",
		AppURL:       &url.URL{Scheme: "http", Host: "label-studio:8080"},
		S3:           []envoy.S3Endpoint{{Host: "s3.eu-west-1.amazonaws.com", Scheme: "https"}},
		ACSPath:      "/rolepass/saml/acs",
	}
}

func TestUnsafeSettingsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*envoy.Settings)
		says   string
	}{
		{"no public scheme", func(s *envoy.Settings) { s.PublicScheme = "" }, "public scheme"},
		{"no public host", func(s *envoy.Settings) { s.PublicHost = "" }, "public host"},
		{"any public host", func(s *envoy.Settings) { s.PublicHost = "*" }, "public host"},
		{"a wildcard host", func(s *envoy.Settings) { s.PublicHost = "*.example.com" }, "public host"},
		{"a host with a path", func(s *envoy.Settings) { s.PublicHost = "label.example.com/x" }, "public host"},
		{"a host with a user", func(s *envoy.Settings) { s.PublicHost = "u@label.example.com" }, "public host"},
		{"an open port", func(s *envoy.Settings) { s.PublicHost = "label.example.com:" }, "public host"},
		{"listening at a name", func(s *envoy.Settings) { s.Listen = "localhost:80" }, "listen address"},
		{"admin for everybody", func(s *envoy.Settings) { s.Admin = "0.0.0.0:9901" }, "loopback"},
		{"no admin", func(s *envoy.Settings) { s.Admin = "" }, "admin address"},
		{"half a certificate", func(s *envoy.Settings) { s.KeyFile = "" }, "both"},
		{"no application", func(s *envoy.Settings) { s.AppURL = nil }, "application's address"},
		{"an application with a path", func(s *envoy.Settings) { s.AppURL = &url.URL{Scheme: "http", Host: "a", Path: "/x"} }, "no path"},
		{"an application by ftp", func(s *envoy.Settings) { s.AppURL = &url.URL{Scheme: "ftp", Host: "a"} }, "http or https"},
		{"no ACS", func(s *envoy.Settings) { s.ACSPath = "" }, "ACS path"},
		{"an ACS with dots", func(s *envoy.Settings) { s.ACSPath = "/a/../b" }, "ACS path"},
		{"an ACS with a query", func(s *envoy.Settings) { s.ACSPath = "/a?b" }, "ACS path"},
		{"an ACS with an escape", func(s *envoy.Settings) { s.ACSPath = "/a%2Fb" }, "ACS path"},
		{"no Check", func(s *envoy.Settings) { s.CheckAddress = "" }, "Check address"},
		{"Check at a relative socket", func(s *envoy.Settings) { s.CheckAddress = "unix://check.sock" }, "absolute path"},
		{"Check without a port", func(s *envoy.Settings) { s.CheckAddress = "127.0.0.1" }, "host and port"},
		{"Check in plaintext elsewhere", func(s *envoy.Settings) { s.CheckAddress = "10.0.0.7:9001" }, "mutual TLS"},
		{"Check in plaintext by name", func(s *envoy.Settings) { s.CheckAddress = "rolepass:9001" }, "mutual TLS"},
		{"mutual TLS by halves", func(s *envoy.Settings) {
			s.CheckAddress = "rolepass:9001"
			s.CheckTLS = &envoy.MutualTLS{CAFile: "/ca"}
		}, "server's name"},
		{"no S3", func(s *envoy.Settings) { s.S3 = nil }, "S3 endpoint"},
		{"S3 in plaintext", func(s *envoy.Settings) { s.S3 = []envoy.S3Endpoint{{Host: "minio:9000", Scheme: "http"}} }, "use https"},
		{"S3 without a scheme", func(s *envoy.Settings) { s.S3 = []envoy.S3Endpoint{{Host: "minio:9000"}} }, "give https"},
		{"S3 without a host", func(s *envoy.Settings) { s.S3 = []envoy.S3Endpoint{{Scheme: "https"}} }, "S3 host"},
	} {
		s := valid()
		c.change(&s)
		b, err := envoy.Bootstrap(s)
		if err == nil || b != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want a sentence about %q", c.name, err, c.says)
		}
	}
}

func TestEveryProblemIsNamedAtOnce(t *testing.T) {
	_, err := envoy.Bootstrap(envoy.Settings{})
	if err == nil {
		t.Fatal("empty settings were accepted")
	}
	for _, about := range []string{"public scheme", "public host", "listen address", "admin address", "application", "ACS path", "Check address", "S3 endpoint"} {
		if !strings.Contains(err.Error(), about) {
			t.Errorf("nothing about the %s in:\n%v", about, err)
		}
	}
}

func TestSettingsAreLeftAlone(t *testing.T) {
	s := valid()
	endpoint := s.S3[0]
	s.S3 = []envoy.S3Endpoint{endpoint, endpoint, {Host: "b.s3.amazonaws.com", Scheme: "https"}}
	if _, err := envoy.Bootstrap(s); err != nil {
		t.Fatal(err)
	}
	if len(s.S3) != 3 || s.S3[1] != endpoint || s.CAFile != "" {
		t.Errorf("Bootstrap changed its caller's settings: %+v", s)
	}
}
