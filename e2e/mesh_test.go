//go:build mesh

package e2e_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// These are about an Istio ingress gateway; see make e2e-istio, which tells the
// stories through one as well.

// What istiod renders is what Rolepass asks for, by Rolepass's own rules, and
// Envoy took all of it.
func TestTheGatewayRunsWhatWasGenerated(t *testing.T) {
	s := running(t)
	admin := "http://" + envoyAdmin(t, s)
	said, err := s.Rolepass(t.Context(), "lint", admin)
	if err != nil {
		t.Errorf("lint: %v\n%s", err, said)
	}
	stats := body(t, http.DefaultClient, admin+"/stats?filter=update_rejected|update_success")
	for _, want := range []string{"cluster_manager.cds.update_rejected: 0", "listener_manager.lds.update_rejected: 0"} {
		if !strings.Contains(stats, want) {
			t.Errorf("%s is not among\n%s", want, stats)
		}
	}
	if strings.Contains(stats, "lds.update_success: 0") {
		t.Error("Envoy got no listener from istiod")
	}
}

// Whatever goes wrong with the filter, the gateway serves nothing: there is no
// route beside it.
func TestWithoutTheFilterTheGatewayServesNothing(t *testing.T) {
	s := running(t)
	for name, change := range map[string]func(string) string{
		"forgotten":     func(m string) string { return m[:strings.LastIndex(m, "---\n")] },
		"for elsewhere": func(m string) string { return strings.Replace(m, "context: GATEWAY", "context: SIDECAR_INBOUND", -1) },
	} {
		t.Run(name, func(t *testing.T) {
			before := appRequests(t, s)
			g, err := s.Gateway(t.Context(), "mesh-"+strings.ReplaceAll(name, " ", "-"), nil, change)
			if err != nil {
				t.Fatal(err)
			}
			for _, target := range []string{"/", "/rolepass/saml/metadata", "/tasks/1/resolve/", "/api/projects/"} {
				response, err := http.Get("http://" + g.Listen + target)
				if err != nil {
					t.Fatal(err) // the Gateway opens the port all the same
				}
				response.Body.Close()
				if response.StatusCode != http.StatusNotFound {
					t.Errorf("%s: %s", target, response.Status)
				}
			}
			if after := appRequests(t, s); after != before {
				t.Errorf("%d requests reached the application", after-before)
			}
		})
	}
}

// istiod drops a field that it does not know and says nothing to Envoy: only a
// look at what it rendered tells.
func TestATypoInTheFilterIsFound(t *testing.T) {
	s := running(t)
	g, err := s.Gateway(t.Context(), "mesh-typo", nil, func(m string) string { return strings.Replace(m, "clear_route_cache:", "clear_route_cach:", 1) })
	if err != nil {
		t.Fatal(err)
	}
	said, err := s.Lint(t.Context(), g)
	if err == nil || !strings.Contains(said+err.Error(), "RP115") {
		t.Errorf("lint says %v %s, want RP115", err, said)
	}
}

// Over TLS the gateway's certificate comes from the mesh's Secret, and the one
// filter chain of the public host is Rolepass's: it asks, and Rolepass, which
// answers for another host, refuses.
func TestAGatewayWithTLS(t *testing.T) {
	s := running(t)
	certificate, key, roots := certificateFor(t, "label.example.test")
	before := appRequests(t, s)
	g, err := s.Gateway(t.Context(), "mesh-tls", map[string]any{"public_url": "https://label.example.test"}, func(m string) string { return m }, certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	if said, err := s.Lint(t.Context(), g); err != nil {
		t.Errorf("lint: %v\n%s", err, said)
	}
	get := func(name, host string) (int, string, error) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{ServerName: name, RootCAs: roots, MinVersion: tls.VersionTLS12}}, Timeout: 10 * time.Second}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+g.Listen+"/tasks/1/resolve/", nil)
		if err != nil {
			return 0, "", err
		}
		request.Host = host
		response, err := client.Do(request)
		if err != nil {
			return 0, "", err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return response.StatusCode, string(text), err
	}
	if status, text, err := get("label.example.test", "label.example.test"); err != nil || status != http.StatusMisdirectedRequest || !strings.Contains(text, "Wrong address") {
		t.Errorf("the public host is answered %d %v: %s", status, err, text)
	}
	for _, host := range []string{"LABEL.example.test:1", "label.example.test:443", "elsewhere.test"} {
		if status, _, err := get("label.example.test", host); err != nil || status != http.StatusMisdirectedRequest {
			t.Errorf("%s is answered %d %v", host, status, err)
		}
	}
	if status, _, err := get("elsewhere.test", "label.example.test"); err == nil {
		t.Errorf("another server name is answered %d", status)
	}
	if after := appRequests(t, s); after != before {
		t.Errorf("%d requests reached the application", after-before)
	}
}

// docs/attach-istio.md, as it is written: its settings and its commands, one after
// the other in one shell. There is no cluster: kubectl hands over what it applies.
func TestAttachingIstioAsTheDocumentSays(t *testing.T) {
	s := running(t)
	g, err := s.Addresses()
	if err != nil {
		t.Fatal(err)
	}
	readsPage(t, "attach-istio.md").attach(t, g, "https://label.example.com", "15000", func(manifest []byte, certificate, key string) error {
		return s.Applies(t.Context(), "mesh-documented", g, "443", manifest, "-certificate", certificate, "-key", key)
	})
}
