package chart_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// The pod starts, is ready where its probes ask, and answers Check to Envoy
// and to nobody else: Rolepass itself, with the arguments, the configuration
// and the mounts that the chart gives it.
func TestThePodServes(t *testing.T) {
	program := build(t)
	envoys := newAuthority(t)
	rendered := template(t, "least.yaml", "pod.yaml")
	n := newNode(t, map[string]map[string]string{
		"ConfigMap/rolepass":        {"rolepass.yaml": rolepassYAML(t, rendered)},
		"ConfigMap/authorities":     {"ca.crt": envoys.pem},
		"ConfigMap/idp-metadata":    {"corp.xml": metadata(t)},
		"Secret/rolepass-keys":      made(t, program, "new"),
		"Secret/rolepass-saml-keys": made(t, program, "saml"),
		"Secret/rolepass-check":     envoys.issue(t, "rolepass.internal"),
		"Secret/label-studio-key":   {"secret": "the key of Label Studio"},
	})
	spec := the[*appsv1.Deployment](t, objects(t, rendered)).Spec.Template.Spec
	n.mount(t, &spec)
	for _, container := range spec.InitContainers {
		if said, err := exec.Command(program, n.args(container)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", container.Name, err, said)
		}
	}
	n.serve(t, program, spec.Containers[0])

	for _, probe := range []*corev1.Probe{spec.Containers[0].StartupProbe, spec.Containers[0].ReadinessProbe, spec.Containers[0].LivenessProbe} {
		if status := n.get(t, probe.HTTPGet.Path); status != http.StatusOK {
			t.Errorf("the probe of %s is answered %d", probe.HTTPGet.Path, status)
		}
	}
	if status := n.get(t, "/sessions"); status != http.StatusNotFound {
		t.Errorf("the operator's door is on the monitoring address: %d", status)
	}
	if answer, err := n.check(t, envoys, envoys.issue(t, "envoy.internal")); err != nil || answer.GetDeniedResponse() == nil {
		t.Errorf("Envoy is answered %v, %v", answer, err)
	}
	if _, err := n.check(t, envoys, envoys.issue(t, "grafana.internal")); err == nil {
		t.Error("another of the cluster is answered")
	}
	if _, err := n.check(t, envoys, nil); err == nil {
		t.Error("somebody without a certificate is answered")
	}
	// As NOTES.txt says it.
	said, err := exec.Command(program, "sessions", "list", "--config", n.moved.Replace("/etc/rolepass/config/rolepass.yaml")).CombinedOutput()
	if err != nil {
		t.Errorf("sessions list: %v\n%s", err, said)
	}
}

// Mounted as they are, without their copies, the keys are refused: this is
// what the init containers are for.
func TestMountedKeysAreRefused(t *testing.T) {
	program := build(t)
	dir := t.TempDir()
	for name, text := range made(t, program, "new") {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o440); err != nil {
			t.Fatal(err)
		}
	}
	list := template(t, "least.yaml")
	text := strings.ReplaceAll(rolepassYAML(t, list), "/run/rolepass/keys", dir)
	file := filepath.Join(t.TempDir(), "rolepass.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(program, "validate", "--config", file).CombinedOutput()
	if err == nil || !strings.Contains(string(said), "may be read by others") {
		t.Errorf("validate says %s", said)
	}
}

// build makes the program that the image holds.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "rolepass")
	c := exec.Command("go", "build", "-o", program, "./cmd/rolepass")
	c.Dir = "../.."
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("building Rolepass: %v\n%s", err, said)
	}
	return program
}

// made are the files of a new directory of keys.
func made(t *testing.T, program, kind string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if said, err := exec.Command(program, "keys", kind, dir).CombinedOutput(); err != nil {
		t.Fatalf("keys %s: %v\n%s", kind, err, said)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(text)
	}
	return files
}

// serve runs the container until the test ends, and returns when it serves.
func (n *node) serve(t *testing.T, program string, container corev1.Container) {
	t.Helper()
	server := exec.Command(program, n.args(container)...)
	for _, variable := range container.Env {
		server.Env = append(server.Env, variable.Name+"="+n.moved.Replace(variable.Value))
	}
	said, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for lines := bufio.NewScanner(said); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), `"serving"`) {
			go func() { _, _ = io.Copy(io.Discard, said) }()
			t.Cleanup(func() {
				_ = server.Process.Signal(syscall.SIGTERM)
				if err := server.Wait(); err != nil {
					t.Errorf("asked to end, it ends with %v", err)
				}
			})
			return
		}
	}
	_ = server.Wait()
	t.Fatalf("it does not serve:\n%s", all.String())
}

func (n *node) get(t *testing.T, path string) int {
	t.Helper()
	answer, err := http.Get("http://" + n.moved.Replace("0.0.0.0:9003") + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// check asks as whoever has this certificate.
func (n *node) check(t *testing.T, by *authority, as map[string]string) (*authv3.CheckResponse, error) {
	t.Helper()
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM([]byte(by.pem))
	settings := &tls.Config{RootCAs: trusted, ServerName: "rolepass.internal"}
	if as != nil {
		pair, err := tls.X509KeyPair([]byte(as["tls.crt"]), []byte(as["tls.key"]))
		if err != nil {
			t.Fatal(err)
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	conn, err := grpc.NewClient(n.moved.Replace("0.0.0.0:9001"), grpc.WithTransportCredentials(credentials.NewTLS(settings)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return authv3.NewAuthorizationClient(conn).Check(ctx, &authv3.CheckRequest{})
}
