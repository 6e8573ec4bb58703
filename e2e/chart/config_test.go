package chart_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/rolepass/rolepass/config"
)

// Rolepass's own loader reads what the chart writes.
func TestRolepassReadsItsConfiguration(t *testing.T) {
	for _, values := range standing {
		c, err := config.Parse("rolepass.yaml", []byte(rolepassYAML(t, template(t, values))), config.ForReplay)
		if err != nil {
			t.Errorf("with %s: %v", values, err)
			continue
		}
		if c.CheckTLS == nil || c.Keys == "" || len(c.GrantList) == 0 {
			t.Errorf("with %s something is missing: %+v", values, c)
		}
		if projects := c.GrantList[0].Scope.Projects; values == "all.yaml" && (len(projects) != 2 || projects[1] != 1234567) {
			t.Errorf("the projects 12 and 1234567 became %v", projects)
		}
	}
}

// The schema knows every key of rolepass.yaml: a new one is added there, too.
func TestTheSchemaKnowsEveryKey(t *testing.T) {
	text, err := os.ReadFile("../../config/testdata/rolepass.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// The example has Label Studio, and one key that only another application has.
	wanted := map[string]any{"application": nil}
	if err := yaml.Unmarshal(text, &wanted); err != nil {
		t.Fatal(err)
	}
	wanted["check_tls"] = nil // in a comment there: it is with another listen
	var schema struct {
		Properties struct {
			Config struct{ Properties map[string]any }
		}
	}
	text, err = os.ReadFile(filepath.Join(chart, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	known := schema.Properties.Config.Properties
	for key := range wanted {
		if _, ok := known[key]; !ok {
			t.Errorf("values.schema.json does not know config.%s", key)
		}
	}
	for key := range known {
		if _, ok := wanted[key]; !ok {
			t.Errorf("values.schema.json knows config.%s, which rolepass.yaml does not have", key)
		}
	}
}

// rolepassYAML is the configuration in what was rendered.
func rolepassYAML(t *testing.T, rendered string) string {
	t.Helper()
	for _, object := range objects(t, rendered) {
		if m, ok := object.(*corev1.ConfigMap); ok && m.Data["rolepass.yaml"] != "" {
			return m.Data["rolepass.yaml"]
		}
	}
	t.Fatal("there is no rolepass.yaml")
	return ""
}
