package envoy_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/rolepass/rolepass/envoy"
)

func text(t *testing.T, s envoy.Settings) []byte {
	t.Helper()
	out, err := envoy.YAML(generated(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestYAMLSaysWhatTheMessageSays(t *testing.T) {
	for name, s := range shapes() {
		asJSON, err := yaml.YAMLToJSON(text(t, s))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got bootstrap.Bootstrap
		if err := protojson.Unmarshal(asJSON, &got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		// As text, since equal maps inside an Any may differ in their bytes.
		again, err := envoy.YAML(&got)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(again, text(t, s)) {
			t.Errorf("%s: the YAML reads as another bootstrap", name)
		}
	}
}

func TestYAMLIsStable(t *testing.T) {
	first := text(t, valid())
	for range 20 {
		if !bytes.Equal(text(t, valid()), first) {
			t.Fatal("equal settings gave different text")
		}
	}
}

// A reader sees, above each choice, why it is so.
func TestYAMLExplainsItself(t *testing.T) {
	lines := strings.Split(string(text(t, valid())), "\n")
	above := func(field string) string {
		for i, line := range lines {
			if strings.TrimPrefix(strings.TrimSpace(line), "- ") == field {
				return lines[i-1]
			}
		}
		t.Errorf("there is no %s", field)
		return ""
	}
	for _, field := range []string{
		"normalize_path: false", "path_with_escaped_slashes_action: REJECT_REQUEST", "clear_route_cache: true", "status_on_error:",
		"decoder_header_mutation_rules:", "name: acs", "name: lost-query", "name: elsewhere", "circuit_breakers:", "admin:", "use_remote_address: true",
	} {
		if !strings.HasPrefix(strings.TrimSpace(above(field)), "# ") {
			t.Errorf("nothing explains %s", field)
		}
	}
}

// The text of one ordinary bootstrap, to be read in review.
func TestYAMLOfAnOrdinaryDeployment(t *testing.T) {
	got := text(t, valid())
	const file = "testdata/ordinary.yaml"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the bootstrap is no longer %s; look at the difference, then run with UPDATE=1", file)
	}
}
