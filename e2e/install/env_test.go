package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// installed is a cache folder with what writeEnv looks for.
func installed(t *testing.T, name string) string {
	t.Helper()
	cache := filepath.Join(t.TempDir(), name)
	write := func(text string, path ...string) {
		file := filepath.Join(append([]string{cache}, path...)...)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write("#!/usr/bin/python3\n", "envoy", "bin", "envoy")
	write("# a module\n", "envoy", "lib", "python3.11", "site-packages", "a", "envoy")
	write("\x7fELF and so on", "envoy", "lib", "python3.11", "site-packages", "envoy", "_bin", "envoy")
	write("\x7fELF and so on", "envoy-oldest", "lib", "python3.11", "site-packages", "envoy", "_bin", "envoy")
	return cache
}

// A shell reads back what was written, wherever the checkout stands.
func TestAShellReadsTheEnvironment(t *testing.T) {
	for _, name := range []string{"plain", "with a space", "it's $HOME `id` \"x\"; &"} {
		cache := installed(t, name)
		if err := writeEnv(cache, finds{browser: "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", nginx: "/usr/sbin/nginx", valkey: "/usr/bin/valkey-server"}); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("sh", "-c", `set -a; . "$0"; env`, filepath.Join(cache, "env")).Output()
		if err != nil {
			t.Fatal(err)
		}
		for variable, value := range map[string]string{
			"ROLEPASS_ENVOY":                 filepath.Join(cache, "envoy/lib/python3.11/site-packages/envoy/_bin/envoy"),
			"ROLEPASS_ENVOY_OLDEST":          filepath.Join(cache, "envoy-oldest/lib/python3.11/site-packages/envoy/_bin/envoy"),
			"ROLEPASS_LABEL_STUDIO_BIN":      filepath.Join(cache, "label-studio/bin/label-studio"),
			"ROLEPASS_LABEL_STUDIO_TEMPLATE": filepath.Join(cache, "label-studio-template/label_studio.sqlite3"),
			"ROLEPASS_MINIO":                 filepath.Join(cache, "minio/minio"),
			"ROLEPASS_PYTHON":                filepath.Join(cache, "python/bin/python"),
			"ROLEPASS_BROWSER":               "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
			"ROLEPASS_NGINX":                 "/usr/sbin/nginx",
			"ROLEPASS_VALKEY":                "/usr/bin/valkey-server",
		} {
			if !strings.Contains("\n"+string(out), "\n"+variable+"="+value+"\n") {
				t.Errorf("%s is not %s in\n%s", variable, value, out)
			}
		}
	}
}

func TestWithoutTheTestsThereIsNoBrowser(t *testing.T) {
	cache := installed(t, "c")
	if err := writeEnv(cache, finds{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(cache, "env"))
	if err != nil || strings.Contains(string(text), "ROLEPASS_BROWSER") || strings.Contains(string(text), "ROLEPASS_NGINX") || strings.Contains(string(text), "ROLEPASS_VALKEY") {
		t.Errorf("%s, %v", text, err)
	}
}

// The older package of the same name has a script and no program.
func TestAScriptIsNotEnvoy(t *testing.T) {
	cache := installed(t, "c")
	if err := os.Remove(filepath.Join(cache, "envoy/lib/python3.11/site-packages/envoy/_bin/envoy")); err != nil {
		t.Fatal(err)
	}
	if err := writeEnv(cache, finds{}); err == nil || !strings.Contains(err.Error(), "no program named envoy") {
		t.Errorf("got %v", err)
	}
}

func TestEverythingIsPinned(t *testing.T) {
	for _, name := range []string{"envoy", "envoy-oldest", "label-studio", "python"} {
		text, err := os.ReadFile(filepath.Join("..", "requirements-"+name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			requirement, _, _ := strings.Cut(strings.TrimSpace(line), ";")
			if !strings.HasPrefix(line, "#") && !strings.Contains(requirement, "==") {
				t.Errorf("requirements-%s.txt: %s", name, line)
			}
		}
	}
}
