package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		have, want string
		fits       bool
	}{
		{"go1.26.8", "1.26.6", true}, {"go1.26.6", "1.26.6", true}, {"go1.26.5", "1.26.6", false}, {"go1.27", "1.26.6", true},
		{"go1.9", "1.26", false}, {"go1.27rc1", "1.26.6", true}, {"go1.26", "1.26.6", false},
		{"3.10", "3.10", true}, {"3.9.18", "3.10", false}, {"3.13.0rc1", "3.10", true}, {"15.5", "15.5", true}, {"15.4.1", "15.5", false}, {"26.0", "15.5", true},
		{"", "1.0", false}, {"devel", "1.0", false},
	} {
		if got := parseVersion(c.have).atLeast(parseVersion(c.want)); got != c.fits {
			t.Errorf("%q at least %q: %v", c.have, c.want, got)
		}
	}
}

func TestWantedGoIsTheLineOfGoMod(t *testing.T) {
	file := filepath.Join(t.TempDir(), "go.mod")
	if err := os.WriteFile(file, []byte("module example.com/m\n\ngo 1.26.6\n\ntoolchain go1.27.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := wantedGo(file); err != nil || got.String() != "1.26.6" {
		t.Errorf("read %v, %v", got, err)
	}
	if err := os.WriteFile(file, []byte("module example.com/m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := wantedGo(file); err == nil {
		t.Error("a go.mod without a go line is taken")
	}
}
