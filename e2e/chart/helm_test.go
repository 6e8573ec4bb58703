package chart_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
)

const chart = "../../deploy/chart/rolepass"

// helmPath is the helm of go.mod, built.
var helmPath string

func TestMain(m *testing.M) {
	said, err := exec.Command("go", "tool", "-n", "helm").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "building helm:", err)
		os.Exit(1)
	}
	helmPath = strings.TrimSpace(string(said))
	if err := monitoring.AddToScheme(scheme.Scheme); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// helm runs a command of helm's and gives what it wrote to each stream.
func helm(t *testing.T, args ...string) (out, said string, err error) {
	t.Helper()
	home := t.TempDir() // nobody's own settings
	c := exec.CommandContext(t.Context(), helmPath, args...)
	c.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home, "KUBECONFIG="+filepath.Join(home, "none"))
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err = c.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), err
}

// template renders the chart as an installation called rolepass.
func template(t *testing.T, values ...string) string {
	t.Helper()
	args := []string{"template", "rolepass", chart, "--namespace", "rolepass"}
	for _, file := range values {
		args = append(args, "--values", filepath.Join("testdata", "values", file))
	}
	out, said, err := helm(t, args...)
	if err != nil {
		t.Fatalf("helm template: %v\n%s", err, said)
	}
	return out
}

// objects reads what was rendered with the types of Kubernetes' API, strictly:
// an unknown or doubled field is an error, as it is for an API server that was
// asked to validate.
func objects(t *testing.T, rendered string) []runtime.Object {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var list []runtime.Object
	for document := range strings.SplitSeq(rendered, "\n---\n") {
		if strings.TrimSpace(strings.TrimPrefix(document, "---")) == "" {
			continue
		}
		object, _, err := decoder.Decode([]byte(document), nil, nil)
		if err != nil {
			t.Fatalf("Kubernetes would refuse this: %v\n%s", err, document)
		}
		list = append(list, object)
	}
	return list
}

// the is the only object of its type.
func the[T runtime.Object](t *testing.T, list []runtime.Object) T {
	t.Helper()
	var found []T
	for _, object := range list {
		if one, ok := object.(T); ok {
			found = append(found, one)
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d %T", len(found), *new(T))
	}
	return found[0]
}
