package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Whoever gives one of several replicas a new key is told what else there is to do;
// whoever has only one is not.
func TestRotatingWithReplicas(t *testing.T) {
	for state, warned := range map[string]bool{"state: {kind: memory}": false, `state: {kind: valkey, address: "redis://127.0.0.1:1"}`: true} {
		dir := place(t, freeAddress(t))
		config := filepath.Join(dir, "rolepass.yaml")
		text, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(config, append(text, state...), 0o600); err != nil {
			t.Fatal(err)
		}
		server := exec.CommandContext(t.Context(), "rolepass", "serve", "--config", config)
		said, err := server.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(said)
		waitFor(t, lines, `"msg":"serving"`)
		rotate := exec.Command("rolepass", "keys", "rotate", "--config", config)
		var told bytes.Buffer
		rotate.Stderr = &told
		name, err := rotate.Output()
		if err != nil || !strings.HasSuffix(string(name), ".key\n") {
			t.Errorf("%s: %q, %v", state, name, err)
		}
		if strings.Contains(told.String(), "restart them now") != warned {
			t.Errorf("%s: it says %q", state, told.String())
		}
		if err := server.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // to the end, before Wait closes the pipe
		}
		if err := server.Wait(); err != nil {
			t.Errorf("%s: it ends with %v", state, err)
		}
	}
}
