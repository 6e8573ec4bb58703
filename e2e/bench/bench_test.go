package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// It runs, its contestants answer what they are asked, and each has its row.
func TestItRuns(t *testing.T) {
	program := filepath.Join(t.TempDir(), "bench")
	if said, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	var problems strings.Builder
	run := exec.Command(program, "-rounds", "1", "-each", "300ms", "-plot", filepath.Join(t.TempDir(), "plot.svg"))
	run.Stderr = &problems
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
	for _, c := range sets["decision"] {
		if !strings.Contains(string(out), "\n| "+c.name+" | ") {
			t.Errorf("no row for %s:\n%s", c.name, out)
		}
	}
}
