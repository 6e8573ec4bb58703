package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// machine is what preflight looks at.
type machine struct {
	os, arch  string
	goVersion version
	// osVersion is the version of macOS; nil elsewhere.
	osVersion version
	// distribution is the ID in os-release(5), such as debian; "" elsewhere.
	distribution string
	getenv       func(name string) string
	// program finds an executable by name or path.
	program func(name string) (path string, found bool)
	python  func(path string) (python, error)
	// free is the space in a folder that a user may fill, in bytes.
	free func(dir string) (uint64, error)
}

// python is an interpreter and what it says of itself.
type python struct {
	path    string
	version version
	venv    bool // python -m venv works, with pip in it
	libc    string
}

// probePatience is how long an interpreter may take to answer.
const probePatience = 5 * time.Second

func thisMachine(ctx context.Context) machine {
	m := machine{
		os: runtime.GOOS, arch: runtime.GOARCH, goVersion: parseVersion(runtime.Version()),
		getenv: os.Getenv, free: freeSpace,
		program: func(name string) (string, bool) {
			path, err := exec.LookPath(name)
			return path, err == nil
		},
		python: func(path string) (python, error) { return probePython(ctx, path) },
	}
	if m.os == "darwin" {
		if out, err := exec.CommandContext(ctx, "sw_vers", "-productVersion").Output(); err == nil {
			m.osVersion = parseVersion(strings.TrimSpace(string(out)))
		}
	}
	if text, err := os.ReadFile("/etc/os-release"); err == nil {
		m.distribution = distribution(string(text))
	}
	return m
}

// distribution reads the ID line of os-release(5).
func distribution(text string) string {
	for line := range strings.Lines(text) {
		if id, ok := strings.CutPrefix(line, "ID="); ok {
			return strings.Trim(strings.TrimSpace(id), `"'`)
		}
	}
	return ""
}

// Debian's Python has venv but leaves ensurepip to a package of its own.
const probe = `import importlib.util, json, platform, sys
print(json.dumps({"version": "%d.%d.%d" % sys.version_info[:3], "libc": platform.libc_ver()[0],
  "venv": all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))}))`

func probePython(ctx context.Context, path string) (python, error) {
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-c", probe).Output()
	if err != nil {
		return python{}, fmt.Errorf("asking %s for its version: %w", path, err)
	}
	var said struct {
		Version, Libc string
		Venv          bool
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return python{}, fmt.Errorf("asking %s for its version: %w", path, err)
	}
	return python{path: path, version: parseVersion(said.Version), venv: said.Venv, libc: said.Libc}, nil
}

func freeSpace(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}
