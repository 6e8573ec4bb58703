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

// ingress is a usual one.
func ingress() envoy.Ingress {
	return envoy.Ingress{Namespace: "istio-ingress", Labels: map[string]string{"istio": "ingressgateway"}, Port: 443, Credential: "label-tls"}
}

func meshText(t *testing.T, s envoy.Settings, i envoy.Ingress) []byte {
	t.Helper()
	out, err := envoy.Istio(s, generated(t, s), i)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// documents are the resources, as a cluster reads them.
func documents(t *testing.T, text []byte) (gateway, filter map[string]any) {
	t.Helper()
	_, rest, _ := bytes.Cut(text, []byte("---\n"))
	first, second, ok := bytes.Cut(rest, []byte("---\n"))
	if !ok {
		t.Fatal("there are no two documents")
	}
	if err := yaml.Unmarshal(first, &gateway); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(second, &filter); err != nil {
		t.Fatal(err)
	}
	return gateway, filter
}

func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := v.(map[string]any)
			v = object[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

// In a mesh the edge is the one that stands alone: every byte of its connection
// manager and of its clusters.
func TestTheMeshGetsTheSameEdge(t *testing.T) {
	for name, s := range shapes() {
		i := ingress()
		if s.PublicScheme == "http" {
			i.Credential = ""
		}
		_, filter := documents(t, meshText(t, s, i))
		var whole map[string]any
		if err := yaml.Unmarshal(text(t, s), &whole); err != nil {
			t.Fatal(err)
		}
		patches, _ := at(filter, "spec", "configPatches").([]any)
		want := at(whole, "static_resources", "listeners", 0, "filter_chains", 0, "filters", 0)
		if got := at(patches, 1, "patch", "value"); want == nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the connection manager is another", name)
		}
		clusters, _ := at(whole, "static_resources", "clusters").([]any)
		if len(patches) != 2+len(clusters) {
			t.Fatalf("%s: %d patches for %d clusters", name, len(patches), len(clusters))
		}
		for n, cluster := range clusters {
			if got := at(patches, 2+n, "patch", "value"); !reflect.DeepEqual(got, cluster) {
				t.Errorf("%s: cluster %d is another", name, n)
			}
		}
	}
}

// Nothing leads anywhere but the filter: without it the gateway answers 404.
func TestTheMeshHasNoRouteOfItsOwn(t *testing.T) {
	out := meshText(t, valid(), ingress())
	if bytes.Contains(out, []byte("kind: VirtualService")) || bytes.Count(out, []byte("\nkind: ")) != 2 {
		t.Error("there is more than a Gateway and an EnvoyFilter")
	}
	gateway, filter := documents(t, out)
	server, _ := json.Marshal(at(gateway, "spec", "servers", 0))
	if want := `{"hosts":["label.example.com"],"port":{"name":"https","number":443,"protocol":"HTTPS"},"tls":{"credentialName":"label-tls","minProtocolVersion":"TLSV1_2","mode":"SIMPLE"}}`; string(server) != want {
		t.Errorf("the gateway's server is %s, want %s", server, want)
	}
	match, _ := json.Marshal(at(filter, "spec", "configPatches", 1, "match"))
	if want := `{"context":"GATEWAY","listener":{"filterChain":{"filter":{"name":"envoy.filters.network.http_connection_manager"},"sni":"label.example.com"},"portNumber":443}}`; string(match) != want {
		t.Errorf("the filter matches %s, want %s", match, want)
	}
}

// A reader sees the same reasons as in the bootstrap.
func TestTheMeshExplainsItself(t *testing.T) {
	out := string(meshText(t, valid(), ingress()))
	for _, reason := range []string{"# The route is chosen again after Check", "# Removed before routing and before ext_authz", "# The certificate must be for this host"} {
		if !strings.Contains(out, reason) {
			t.Errorf("it does not say %q", reason)
		}
	}
}

func TestTheMeshRefusesWhatLeavesADoorOpen(t *testing.T) {
	for name, change := range map[string]func(*envoy.Ingress){
		"no namespace":         func(i *envoy.Ingress) { i.Namespace = "" },
		"a namespace of YAML":  func(i *envoy.Ingress) { i.Namespace = "a\nspec: {}" },
		"every proxy":          func(i *envoy.Ingress) { i.Labels = nil },
		"no port":              func(i *envoy.Ingress) { i.Port = 0 },
		"https without a cert": func(i *envoy.Ingress) { i.Credential = "" },
		"a credential of YAML": func(i *envoy.Ingress) { i.Credential = "a: b" },
	} {
		i := ingress()
		change(&i)
		if _, err := envoy.Istio(valid(), generated(t, valid()), i); err == nil {
			t.Errorf("%s: it was written", name)
		}
	}
}

// What users apply; look at the difference when it changes.
func TestTheMeshAsBefore(t *testing.T) {
	const file = "testdata/istio.yaml"
	got := meshText(t, valid(), ingress())
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
