package envoytest_test

import (
	"io"
	"log"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/envoy"
)

var quiet = log.New(io.Discard, "", 0)

// unfinished is Envoy's one known warning: by its own rules the messages of
// custom_response may still change. See docs/decisions/0011.
var unfinished = regexp.MustCompile(`(?m)^.*\[warning\].* message 'envoy\.extensions\.(filters\.)?http\.custom_response\.[a-zA-Z_.0-9]+' is contained in proto file .* marked as work-in-progress.*$`)

// Envoy itself accepts what is generated, without an unknown warning, for
// every shape of settings.
func TestEnvoyAcceptsEveryShape(t *testing.T) {
	dir := t.TempDir()
	ours := newAuthority(t)
	cert, key := ours.issue(t, dir, "edge", publicHost)
	full := func() envoy.Settings {
		return envoy.Settings{
			PublicScheme: "https", PublicHost: "label.example.com", Listen: "127.0.0.1:8443", CertFile: cert, KeyFile: key,
			Admin: "127.0.0.1:9901", CheckAddress: "unix:///run/rolepass/check.sock", AppURL: &url.URL{Scheme: "http", Host: "label-studio:8080"},
			S3:     []envoy.S3Endpoint{{Host: "s3.eu-west-1.amazonaws.com", Scheme: "https"}},
			CAFile: ours.file, ACSPath: acsPath,
		}
	}
	for name, change := range map[string]func(*envoy.Settings){
		"as it is":   func(*envoy.Settings) {},
		"plain http": func(s *envoy.Settings) { s.PublicScheme, s.CertFile, s.KeyFile = "http", "", "" },
		"IPv6": func(s *envoy.Settings) {
			s.PublicHost, s.Listen, s.Admin, s.CheckAddress = "[::1]:8443", "[::1]:8443", "[::1]:9901", "[::1]:9001"
		},
		"app over https":    func(s *envoy.Settings) { s.AppURL = &url.URL{Scheme: "https", Host: "app.example.com"} },
		"app at an address": func(s *envoy.Settings) { s.AppURL = &url.URL{Scheme: "http", Host: "10.0.0.1:8080"} },
		"check by name":     func(s *envoy.Settings) { s.CheckAddress = "localhost:9001" },
		"check over TLS": func(s *envoy.Settings) {
			s.CheckAddress = "rolepass:9001"
			s.CheckTLS = &envoy.MutualTLS{CertFile: cert, KeyFile: key, CAFile: ours.file, ServerName: "rolepass"}
		},
		"behind a proxy":     func(s *envoy.Settings) { s.TrustedHops = 2 },
		"browser's own keys": func(s *envoy.Settings) { s.KeepCredentials = true },
		"many endpoints": func(s *envoy.Settings) {
			for _, host := range []string{"s3.eu-west-1.amazonaws.com", "s3.us-east-1.amazonaws.com", "bucket.s3.eu-central-1.amazonaws.com", "minio.internal:9000"} {
				s.S3 = append(s.S3, envoy.S3Endpoint{Host: host, Scheme: "https"})
			}
			s.S3 = append(s.S3, envoy.S3Endpoint{Host: "127.0.0.1:9000", Scheme: "http"}, envoy.S3Endpoint{Host: "[::1]:9000", Scheme: "http"})
		},
	} {
		s := full()
		change(&s)
		config := writeConfig(t, t.TempDir(), s, nil)
		out, err := exec.Command(envoyBinary(t), "--mode", "validate", "--config-path", config, "--log-level", "warning").CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if text := strings.ToLower(unfinished.ReplaceAllString(string(out), "")); strings.Contains(text, "deprecated") || strings.Contains(text, "[warning]") {
			t.Errorf("%s: Envoy warns:\n%s", name, out)
		}
	}
}
