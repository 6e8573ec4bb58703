package envoy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/rolepass/rolepass/envoy"
)

// gatewayEdge is a usual one.
func gatewayEdge() envoy.GatewayEdge {
	return envoy.GatewayEdge{Namespace: "envoy-gateway-system", Class: "eg", Port: 443, Credential: "label-tls", CheckSecret: "rolepass-check-gateway"}
}

// overCheckTLS are settings with a Rolepass in another pod.
func overCheckTLS() envoy.Settings {
	s := valid()
	s.CheckAddress = "rolepass.rolepass.svc:9001"
	s.CheckTLS = &envoy.MutualTLS{CertFile: "/etc/rolepass-check/tls.crt", KeyFile: "/etc/rolepass-check/tls.key", CAFile: "/etc/rolepass-check/ca.crt", ServerName: "rolepass.internal"}
	return s
}

func gatewayText(t *testing.T, s envoy.Settings, g envoy.GatewayEdge) []byte {
	t.Helper()
	out, err := envoy.EnvoyGateway(s, generated(t, s), g)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// gatewayDocuments are the resources, as a cluster reads them.
func gatewayDocuments(t *testing.T, text []byte) (proxy, gateway, policy map[string]any) {
	t.Helper()
	parts := bytes.Split(text, []byte("---\n"))
	if len(parts) != 3 {
		t.Fatalf("there are %d documents, want 3", len(parts))
	}
	for n, into := range []*map[string]any{&proxy, &gateway, &policy} {
		if err := yaml.Unmarshal(parts[n], into); err != nil {
			t.Fatal(err)
		}
	}
	return proxy, gateway, policy
}

// compact is JSON, whose keys are in order.
func compact(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Behind Envoy Gateway the edge is the one that stands alone: every byte of its
// connection manager, of its clusters, and of what it says of Envoy as a program.
func TestEnvoyGatewayGetsTheSameEdge(t *testing.T) {
	for name, s := range shapes() {
		g := gatewayEdge()
		if s.PublicScheme == "http" {
			g.Credential = ""
		}
		proxy, _, policy := gatewayDocuments(t, gatewayText(t, s, g))
		var whole map[string]any
		if err := yaml.Unmarshal(text(t, s), &whole); err != nil {
			t.Fatal(err)
		}
		patches, _ := at(policy, "spec", "jsonPatches").([]any)
		clusters, _ := at(whole, "static_resources", "clusters").([]any)
		for n, cluster := range clusters {
			if got := at(patches, n, "operation", "value"); !reflect.DeepEqual(got, cluster) || at(patches, n, "name") != at(cluster, "name") {
				t.Errorf("%s: cluster %d is another", name, n)
			}
		}
		last := at(patches, len(patches)-1, "operation")
		want := at(whole, "static_resources", "listeners", 0, "filter_chains", 0, "filters", 0)
		if want == nil || !reflect.DeepEqual(at(last, "value"), want) {
			t.Errorf("%s: the connection manager is another", name)
		}
		for n, path := range [][]any{{"admin", "allow_paths"}, {"overload_manager"}} {
			if want := at(whole, path...); want == nil || !reflect.DeepEqual(at(proxy, "spec", "bootstrap", "jsonPatches", n, "value"), want) {
				t.Errorf("%s: %v is another", name, path)
			}
		}
	}
}

// Nothing leads anywhere but the policy: without it the Gateway answers 404, and
// nobody can attach a route.
func TestTheGatewayTakesNoRoute(t *testing.T) {
	out := gatewayText(t, valid(), gatewayEdge())
	if bytes.Contains(out, []byte("kind: HTTPRoute")) || bytes.Count(out, []byte("\nkind: ")) != 3 {
		t.Error("there is more than an EnvoyProxy, a Gateway and an EnvoyPatchPolicy")
	}
	_, gateway, policy := gatewayDocuments(t, out)
	listener := compact(t, at(gateway, "spec", "listeners"))
	if want := `[{"allowedRoutes":{"namespaces":{"from":"Selector","selector":{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"Exists"},{"key":"kubernetes.io/metadata.name","operator":"DoesNotExist"}]}}},` +
		`"hostname":"label.example.com","name":"edge","port":443,"protocol":"HTTPS","tls":{"certificateRefs":[{"kind":"Secret","name":"label-tls"}],"mode":"Terminate"}}]`; listener != want {
		t.Errorf("the listener is %s, want %s", listener, want)
	}
	patches, _ := at(policy, "spec", "jsonPatches").([]any)
	last, _ := patches[len(patches)-1].(map[string]any)
	if last["name"] != "envoy-gateway-system/rolepass/edge" || at(last, "operation", "path") != "/filter_chains/0/filters/0" || at(last, "operation", "op") != "replace" {
		t.Errorf("the connection manager goes to %v %v", last["name"], at(last, "operation", "path"))
	}
}

// Plain HTTP is for a load balancer that ends TLS: the listener then has one
// chain, which Envoy Gateway keeps elsewhere.
func TestAGatewayOfPlainHTTP(t *testing.T) {
	s, g := valid(), gatewayEdge()
	s.PublicScheme, s.PublicHost, s.Listen, g.Credential, g.Port = "http", "localhost:8080", "127.0.0.1:8080", "", 8080
	s.CertFile, s.KeyFile = "", ""
	_, gateway, policy := gatewayDocuments(t, gatewayText(t, s, g))
	if at(gateway, "spec", "listeners", 0, "tls") != nil || at(gateway, "spec", "listeners", 0, "hostname") != nil {
		t.Error("it has a certificate, or a host that Kubernetes takes for none")
	}
	var paths []any
	patches, _ := at(policy, "spec", "jsonPatches").([]any)
	for _, p := range patches {
		if path := at(p, "operation", "path"); path != "" {
			paths = append(paths, path, at(p, "operation", "op"))
		}
	}
	if want := []any{"/address/socket_address/address", "replace", "/per_connection_buffer_limit_bytes", "add", "/default_filter_chain/filters/0", "replace"}; !reflect.DeepEqual(paths, want) {
		t.Errorf("the listener is changed at %v, want %v", paths, want)
	}
}

// The gateway's pods are Envoy Gateway's: they get the keys for Check.
func TestTheGatewayMountsItsKeysForCheck(t *testing.T) {
	proxy, _, _ := gatewayDocuments(t, gatewayText(t, overCheckTLS(), gatewayEdge()))
	got := compact(t, at(proxy, "spec", "provider"))
	if want := `{"kubernetes":{"envoyDeployment":{"container":{"volumeMounts":[{"mountPath":"/etc/rolepass-check","name":"rolepass-check","readOnly":true}]},` +
		`"pod":{"volumes":[{"name":"rolepass-check","secret":{"secretName":"rolepass-check-gateway"}}]}}},"type":"Kubernetes"}`; got != want {
		t.Errorf("its pods are %s, want %s", got, want)
	}
	if log := compact(t, at(proxy, "spec", "telemetry")); log != `{"accessLog":{"disable":true}}` {
		t.Errorf("Envoy Gateway's own log is %s", log)
	}
}

// A reader sees the same reasons as in the bootstrap.
func TestTheGatewayExplainsItself(t *testing.T) {
	out := string(gatewayText(t, overCheckTLS(), gatewayEdge()))
	for _, reason := range []string{"# The route is chosen again after Check", "# Removed before routing and before ext_authz", "# The certificate must be for this host",
		"# Envoy Gateway's own log has paths", "# No namespace has a label", "# The gateway's end of mutual TLS"} {
		if !strings.Contains(out, reason) {
			t.Errorf("it does not say %q", reason)
		}
	}
}

func TestTheGatewayRefusesWhatLeavesADoorOpen(t *testing.T) {
	for name, change := range map[string]func(*envoy.Settings, *envoy.GatewayEdge){
		"no namespace":         func(_ *envoy.Settings, g *envoy.GatewayEdge) { g.Namespace = "" },
		"a namespace of YAML":  func(_ *envoy.Settings, g *envoy.GatewayEdge) { g.Namespace = "a\nspec: {}" },
		"no class":             func(_ *envoy.Settings, g *envoy.GatewayEdge) { g.Class = "" },
		"no port":              func(_ *envoy.Settings, g *envoy.GatewayEdge) { g.Port = 0 },
		"https without a cert": func(_ *envoy.Settings, g *envoy.GatewayEdge) { g.Credential = "" },
		"a credential of YAML": func(_ *envoy.Settings, g *envoy.GatewayEdge) { g.Credential = "a: b" },
		"no Secret for Check":  func(_ *envoy.Settings, g *envoy.GatewayEdge) { g.CheckSecret = "" },
		"keys in two places":   func(s *envoy.Settings, _ *envoy.GatewayEdge) { s.CheckTLS.KeyFile = "/etc/elsewhere/tls.key" },
		"keys over the root": func(s *envoy.Settings, _ *envoy.GatewayEdge) {
			*s.CheckTLS = envoy.MutualTLS{CertFile: "/a", KeyFile: "/b", CAFile: "/c", ServerName: "r"}
		},
		"keys of no certain dir": func(s *envoy.Settings, _ *envoy.GatewayEdge) {
			*s.CheckTLS = envoy.MutualTLS{CertFile: "k/a", KeyFile: "k/b", CAFile: "k/c", ServerName: "r"}
		},
	} {
		s, g := overCheckTLS(), gatewayEdge()
		change(&s, &g)
		if _, err := envoy.EnvoyGateway(s, generated(t, s), g); err == nil {
			t.Errorf("%s: it was written", name)
		}
	}
}

// What users apply; look at the difference when it changes.
func TestTheGatewayAsBefore(t *testing.T) {
	const file = "testdata/envoygateway.yaml"
	got := gatewayText(t, overCheckTLS(), gatewayEdge())
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("it differs from %s: look at the difference, then run with UPDATE=1", file)
	}
}
