package chart_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
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

// What the chart mounts for the state's server is what Rolepass reads: the files
// are there, and their modes are not too wide.
func TestTheStatesFilesAreMounted(t *testing.T) {
	program := build(t)
	rendered := template(t, "shared.yaml")
	n := newNode(t, map[string]map[string]string{
		"ConfigMap/rolepass":           {"rolepass.yaml": rolepassYAML(t, rendered)},
		"ConfigMap/authorities":        {"ca.crt": newAuthority(t).pem},
		"ConfigMap/valkey-authorities": {"bundle.pem": newAuthority(t).pem},
		"Secret/rolepass-keys":         made(t, program, "new"),
		"Secret/rolepass-check":        newAuthority(t).issue(t, "rolepass.internal"),
		"Secret/label-studio-key":      {"secret": "the key of Label Studio"},
		"Secret/valkey-user":           {"pass": "the password of the state"},
	})
	pod := the[*appsv1.Deployment](t, objects(t, rendered)).Spec.Template.Spec
	n.mount(t, &pod)
	for _, container := range pod.InitContainers {
		if said, err := exec.Command(program, n.args(container)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", container.Name, err, said)
		}
	}
	c, err := config.Load(n.moved.Replace("/etc/rolepass/config/rolepass.yaml"), config.Everything)
	if err != nil {
		t.Fatal(err)
	}
	to := c.State.Valkey
	if c.State.Kind != config.StateValkey || c.State.MiB != 64 || to.Address != "valkey.data.svc:6380" || to.User != "rolepass" || to.Password.Reveal() != "the password of the state" || to.Roots == nil {
		t.Errorf("Rolepass reads %+v", c.State)
	}
}

// schema is a part of values.schema.json.
type schema struct {
	Ref        string `json:"$ref"`
	Properties map[string]*schema
	Items      *schema
}

// fields are the keys of a section, or of each item of a list of sections.
func (s *schema) fields() map[string]*schema {
	if s.Items != nil {
		return s.Items.Properties
	}
	return s.Properties
}

// The schema knows, on every level, the keys that Rolepass's loader knows and no
// other: what is no key never comes into the ConfigMap, a secret that was meant as
// one included.
func TestTheSchemaKnowsEveryKey(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(chart, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var values schema
	if err := json.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	compared := compareKeys(t, values.Properties["config"])
	if compared < 15 { // the whole file, idps, attributes of an IdP, …
		t.Errorf("only %d sections were compared", compared)
	}
}

// chartsOwn are keys that the chart writes, and refuses from others.
var chartsOwn = []string{"listen", "admin", "admin_socket", "monitoring", "keys", "saml_keys", "check_tls"}

// compareKeys compares a section with the loader, and those within. It says how
// many there were.
func compareKeys(t *testing.T, s *schema, path ...string) int {
	t.Helper()
	known := loaderKnows(t, path...)
	if got := slices.Sorted(maps.Keys(s.fields())); !slices.Equal(got, known) {
		t.Errorf("values.schema.json knows of config.%s\n%v\nand rolepass.yaml\n%v", strings.Join(path, "."), got, known)
	}
	compared := 1
	for _, key := range known {
		field := s.fields()[key]
		if field == nil || len(path) == 0 && slices.Contains(chartsOwn, key) {
			continue
		}
		one, list := append(slices.Clone(path), key), append(slices.Clone(path), key+"[]")
		switch {
		case loaderKnows(t, one...) != nil:
			compared += compareKeys(t, field, one...)
		case loaderKnows(t, list...) != nil:
			compared += compareKeys(t, field, list...)
		case !strings.HasPrefix(field.Ref, "#/definitions/"):
			t.Errorf("values.schema.json lets anything by as config.%s", strings.Join(one, "."))
		}
	}
	return compared
}

var knownKeys = regexp.MustCompile(`no-such-key: there is no such key: known here are (.*)`)

// loaderKnows asks Rolepass's loader for the keys of a section, by one that it
// does not know. In a path "[]" stands behind a list. There are no keys where no
// section is.
func loaderKnows(t *testing.T, path ...string) []string {
	t.Helper()
	var document any = map[string]any{"no-such-key": "x"}
	for i, key := range slices.Backward(path) {
		name, list := strings.CutSuffix(key, "[]")
		if list {
			document = []any{document}
		}
		section := map[string]any{name: document}
		if i == 1 && path[0] == "label_studio" {
			section["sign_in"] = "observe" // or acs is not read
		}
		document = section
	}
	text, err := yaml.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	_, err = config.Parse("rolepass.yaml", text, config.ForReplay)
	found := knownKeys.FindStringSubmatch(fmt.Sprint(err))
	if found == nil {
		return nil
	}
	return slices.Sorted(strings.SplitSeq(found[1], ", "))
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
