package stack

import (
	"bytes"
	"context"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Gateway is a gateway of a mesh: an Envoy that has its configuration from
// istiod, or from Envoy Gateway.
type Gateway struct {
	// Listen is where it would accept browsers, Admin its administration.
	Listen, Admin string
	// Config is the rolepass.yaml that it is made of.
	Config string
}

// istioSettings turn off what only istio-proxy has, and the certificate of a
// mesh, which istio-agent would fetch.
var istioSettings = []string{"PILOT_ENABLE_ALPN_FILTER=false", "PILOT_ENABLE_METADATA_EXCHANGE=false", "XDS_AUTH_PLAINTEXT=true"}

// meshed starts istiod's generators with what "rolepass generate istio" prints,
// and gives the bootstrap of an Envoy that asks them. The gateway listens on
// the stack's own address.
func (s *Stack) meshed(ctx context.Context) (string, error) {
	var manifest bytes.Buffer
	if err := s.rolepass(ctx, &manifest, "generate", "istio", "--config", s.Demo.Config); err != nil {
		return "", err
	}
	return s.plane(ctx, "mesh", manifest.Bytes(), s.listen, s.envoyAdmin)
}

// plane starts a control plane and gives the bootstrap of its Envoy.
func (s *Stack) plane(ctx context.Context, name string, manifest []byte, listen, admin string, more ...string) (string, error) {
	at := func(suffix string) string { return filepath.Join(s.Dir, name+suffix) }
	if err := os.WriteFile(at("-istio.yaml"), manifest, 0o600); err != nil {
		return "", err
	}
	addresses, err := s.ports.addresses(2)
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", err
	}
	args := append([]string{"-manifest", at("-istio.yaml"), "-listen", listen, "-port", port,
		"-ads", addresses[0], "-ready", addresses[1], "-admin", admin, "-bootstrap", at("-envoy.yaml")}, more...)
	p, err := s.starts(name+"-plane", istioSettings, s.Mesh, args...)
	if err != nil {
		return "", err
	}
	return at("-envoy.yaml"), p.await(ctx, "http://"+addresses[1]+"/ready")
}

// Lint gives what Rolepass says of what the gateway runs with.
func (s *Stack) Lint(ctx context.Context, g *Gateway) (string, error) {
	var out bytes.Buffer
	err := s.rolepass(ctx, &out, "lint", "--config", g.Config, g.Admin)
	return out.String(), err
}

// Gateway starts another gateway beside the stack's own: Rolepass's manifest
// for these settings, changed. It returns when Envoy has what istiod gave it,
// whatever that is.
func (s *Stack) Gateway(ctx context.Context, name string, settings map[string]any, change func(manifest string) string, certificate ...string) (*Gateway, error) {
	g, port, err := s.gateway(name, settings)
	if err != nil {
		return nil, err
	}
	var manifest bytes.Buffer
	generate := []string{"generate", "istio", "--config", g.Config, "--port", port}
	var secret []string
	if len(certificate) == 2 { // and its key
		generate = append(generate, "--credential", "label-tls")
		secret = []string{"-certificate", certificate[0], "-key", certificate[1]}
	}
	if err := s.rolepass(ctx, &manifest, generate...); err != nil {
		return nil, err
	}
	return g, s.Applies(ctx, name, g, port, []byte(change(manifest.String())), secret...)
}

// Applies gives a manifest to istiod's generators and starts the gateway's Envoy,
// whose Service has that port. It returns when Envoy has what istiod gave it.
func (s *Stack) Applies(ctx context.Context, name string, g *Gateway, port string, manifest []byte, more ...string) error {
	bootstrap, err := s.plane(ctx, name, manifest, g.Listen, strings.TrimPrefix(g.Admin, "http://"), append(more, "-port", port)...)
	if err != nil {
		return err
	}
	p, err := s.starts(name+"-envoy", nil, s.Tools.Envoy, "--config-path", bootstrap, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning", "--file-flush-interval-msec", "50")
	if err != nil {
		return err
	}
	return p.await(ctx, g.Admin+"/ready")
}

// Addresses are those of another gateway, which has no configuration yet.
func (s *Stack) Addresses() (*Gateway, error) {
	addresses, err := s.ports.addresses(2)
	if err != nil {
		return nil, err
	}
	return &Gateway{Listen: addresses[0], Admin: "http://" + addresses[1]}, nil
}

// gateway chooses addresses for another gateway, and writes its rolepass.yaml:
// the stack's own with these settings.
func (s *Stack) gateway(name string, settings map[string]any) (g *Gateway, port string, err error) {
	if g, err = s.Addresses(); err != nil {
		return nil, "", err
	}
	config := maps.Clone(s.config)
	maps.Copy(config, settings)
	envoy := map[string]any{"listen": g.Listen, "admin": strings.TrimPrefix(g.Admin, "http://"), "access_log": filepath.Join(s.Dir, name+"-access.log")}
	if more, ok := settings["envoy"].(map[string]any); ok {
		maps.Copy(envoy, more)
	}
	config["envoy"] = envoy
	if g.Config, err = s.writesYAML(name+".yaml", config); err != nil {
		return nil, "", err
	}
	_, port, err = net.SplitHostPort(g.Listen)
	return g, port, err
}
