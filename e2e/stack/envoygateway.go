package stack

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// gateways is the folder that Envoy Gateway watches: one file for each Gateway.
const gateways = "gateways"

// startsEnvoyGateway starts Envoy Gateway in its standalone mode, with what
// "rolepass generate envoy-gateway" prints. It starts Envoy itself, so that it is
// the stack's Envoy. Envoy speaks on its standard error, and has a log of its own:
// Envoy Gateway's repeats a manifest that it refuses.
func (s *Stack) startsEnvoyGateway(ctx context.Context) (*process, error) {
	var manifest bytes.Buffer
	if err := s.rolepass(ctx, &manifest, "generate", "envoy-gateway", "--config", s.Demo.Config); err != nil {
		return nil, err
	}
	if err := s.envoyGatewayHome(ctx); err != nil {
		return nil, err
	}
	if err := s.putsGateway(ctx, "edge", manifest.String(), s.envoyAdmin); err != nil {
		return nil, err
	}
	return s.starts("envoy", []string{"SAYS=" + filepath.Join(s.Dir, "envoy-gateway.log")},
		"/bin/sh", "-c", `exec "$0" "$@" >>"$SAYS"`, s.EnvoyGateway, "server", "--config-path", s.envoyGatewayAt("config.yaml"))
}

func (s *Stack) envoyGatewayAt(name string) string {
	return filepath.Join(s.Dir, "envoy-gateway", name)
}

// envoyGatewayHome makes its folders: certificates between it and Envoy, Envoy
// itself where it looks for one, its configuration, and the class of gateways.
func (s *Stack) envoyGatewayHome(ctx context.Context) error {
	version, err := s.envoyVersion(ctx)
	if err != nil {
		return err
	}
	if err := s.EnvoyGatewayHas(version, s.Tools.Envoy); err != nil {
		return err
	}
	if err := os.MkdirAll(s.envoyGatewayAt(gateways), 0o700); err != nil {
		return err
	}
	certificates := exec.CommandContext(ctx, s.EnvoyGateway, "certgen", "--local", "--config-home", s.envoyGatewayAt("home"))
	if said, err := certificates.CombinedOutput(); err != nil {
		return fmt.Errorf("making Envoy Gateway's certificates: %w\n%s", err, said)
	}
	class := "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: eg}\nspec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}\n"
	if err := os.WriteFile(s.envoyGatewayAt(filepath.Join(gateways, "class.yaml")), []byte(class), 0o600); err != nil {
		return err
	}
	return s.EnvoyGatewayPolicies(true)
}

// EnvoyGatewayHas puts an Envoy of that version where Envoy Gateway looks for it.
func (s *Stack) EnvoyGatewayHas(version, program string) error {
	place := s.envoyGatewayAt(filepath.Join("data", "envoy-versions", version, "bin", "envoy"))
	if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
		return err
	}
	if err := os.Symlink(program, place); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// EnvoyGatewayPolicies writes Envoy Gateway's own configuration, in which
// EnvoyPatchPolicies are on or off. It is read anew when it changes.
func (s *Stack) EnvoyGatewayPolicies(on bool) error {
	text := fmt.Sprintf(`apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
gateway: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
provider:
  type: Custom
  custom:
    resource: {type: File, file: {paths: [%q]}}
    infrastructure:
      type: Host
      host: {configHome: %q, dataHome: %q, stateHome: %q, runtimeDir: %q}
logging: {level: {default: info}}
extensionApis: {enableEnvoyPatchPolicy: %t, enableBackend: true}
`, s.envoyGatewayAt(gateways), s.envoyGatewayAt("home"), s.envoyGatewayAt("data"), s.envoyGatewayAt("state"), s.envoyGatewayAt("run"), on)
	return os.WriteFile(s.envoyGatewayAt("config.yaml"), []byte(text), 0o600)
}

var versionPattern = regexp.MustCompile(`/(\d+\.\d+\.\d+)/`)

func (s *Stack) envoyVersion(ctx context.Context) (string, error) {
	said, err := exec.CommandContext(ctx, s.Tools.Envoy, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking Envoy for its version: %w", err)
	}
	found := versionPattern.FindSubmatch(said)
	if found == nil {
		return "", fmt.Errorf("Envoy's version is not in %q", said)
	}
	return string(found[1]), nil
}

// putsGateway gives Envoy Gateway a manifest, at once and not by halves.
func (s *Stack) putsGateway(ctx context.Context, name, manifest, admin string) error {
	version, err := s.envoyVersion(ctx)
	if err != nil {
		return err
	}
	changed, err := onThisHost(manifest, version, admin)
	if err != nil {
		return err
	}
	partial := s.envoyGatewayAt(name + ".partial")
	if err := os.WriteFile(partial, []byte(changed), 0o600); err != nil {
		return err
	}
	return os.Rename(partial, s.envoyGatewayAt(filepath.Join(gateways, name+".yaml")))
}

// envoyProxy is a resource of that kind.
type envoyProxy struct {
	APIVersion string         `yaml:"apiVersion"`
	Kind       string         `yaml:"kind"`
	Metadata   map[string]any `yaml:"metadata"`
	Spec       map[string]any `yaml:"spec"`
}

// onThisHost changes where Envoy runs, in each EnvoyProxy of a manifest, and
// where it is administrated: there are no pods here. All else stays.
func onThisHost(manifest, version, admin string) (string, error) {
	at, err := netip.ParseAddrPort(admin)
	if err != nil {
		return "", err
	}
	documents := strings.Split(manifest, "---\n")
	for n, text := range documents {
		var proxy envoyProxy
		if err := yaml.Unmarshal([]byte(text), &proxy); err != nil {
			return "", fmt.Errorf("reading the manifest: %w", err)
		}
		if proxy.Kind != "EnvoyProxy" {
			continue
		}
		if err := proxy.moves(version, at.Port()); err != nil {
			return "", err
		}
		changed, err := yaml.Marshal(proxy)
		if err != nil {
			return "", err
		}
		documents[n] = string(changed)
	}
	return strings.Join(documents, "---\n"), nil
}

// moves lets Envoy run on this host, unless it is said to.
func (p envoyProxy) moves(version string, admin uint16) error {
	if provider, _ := p.Spec["provider"].(map[string]any); provider["type"] != "Host" {
		p.Spec["provider"] = map[string]any{"type": "Host", "host": map[string]any{"envoyVersion": version}}
	}
	p.Spec["concurrency"] = 1
	p.Spec["extraArgs"] = []string{"--file-flush-interval-msec", "50", "--disable-hot-restart"}
	bootstrap, _ := p.Spec["bootstrap"].(map[string]any)
	patches, _ := bootstrap["jsonPatches"].([]any)
	if len(patches) == 0 {
		return errors.New("the EnvoyProxy changes nothing of the bootstrap")
	}
	bootstrap["jsonPatches"] = append(patches, map[string]any{"op": "replace", "path": "/admin/address/socket_address/port_value", "value": admin})
	return nil
}

// GatewayBeside starts another gateway beside the stack's own, by the Envoy
// Gateway that runs: Rolepass's manifest for these settings, changed. It returns
// when Envoy has what Envoy Gateway gave it, whatever that is.
func (s *Stack) GatewayBeside(ctx context.Context, name string, settings map[string]any, change func(manifest string) string, certificate ...string) (*Gateway, error) {
	g, port, err := s.gateway(name, settings)
	if err != nil {
		return nil, err
	}
	generate := []string{"generate", "envoy-gateway", "--config", g.Config, "--port", port, "--namespace", name}
	if len(certificate) == 2 { // and its key
		generate = append(generate, "--credential", "label-tls")
	}
	var manifest bytes.Buffer
	if err := s.rolepass(ctx, &manifest, generate...); err != nil {
		return nil, err
	}
	return g, s.PutsGateway(ctx, name, change(manifest.String()), g, certificate...)
}

// PutsGateway gives the Envoy Gateway that runs the manifest of another gateway, in
// the namespace of that name, with the Secret of a certificate. It returns when the
// gateway's Envoy is ready.
func (s *Stack) PutsGateway(ctx context.Context, name, manifest string, g *Gateway, certificate ...string) error {
	if len(certificate) == 2 { // and its key
		secret, err := secretOf(name, certificate[0], certificate[1])
		if err != nil {
			return err
		}
		manifest += secret
	}
	if err := s.putsGateway(ctx, name, manifest, strings.TrimPrefix(g.Admin, "http://")); err != nil {
		return err
	}
	return s.named("envoy")[0].await(ctx, g.Admin+"/ready")
}

// secretOf is the Secret of a certificate, as a document.
func secretOf(namespace, certificate, key string) (string, error) {
	var parts []any
	for _, file := range []string{certificate, key} {
		pem, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		parts = append(parts, base64.StdEncoding.EncodeToString(pem))
	}
	return fmt.Sprintf("---\napiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {name: label-tls, namespace: %s}\ndata:\n  tls.crt: %s\n  tls.key: %s\n", append([]any{namespace}, parts...)...), nil
}
