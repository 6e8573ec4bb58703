package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"debug/buildinfo"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// flags build a program that depends on the commit and on Go alone: no path of
// this machine, nothing of its C library.
var flags = []string{"-trimpath", "-buildvcs=true", "-ldflags=-s -w -buildid="}

// shipped are files of the checkout, and where they are in the archive.
var shipped = map[string]string{
	"README.md":                       "README.md",
	"docs":                            "docs",
	"config/testdata/rolepass.yaml":   "rolepass.yaml",
	"deploy/chart":                    "chart",
	"deploy/systemd/rolepass.service": "rolepass.service",
}

// made is the archive of a clone in that directory; with a cache of its own,
// everything is compiled.
func (s *source) made(ctx context.Context, dir, cache string) ([]byte, error) {
	clone, tree := filepath.Join(dir, "clone"), filepath.Join(dir, s.name())
	if _, err := say(exec.CommandContext(ctx, "git", "clone", "--quiet", "--no-hardlinks", s.checkout, clone)); err != nil {
		return nil, err
	}
	if _, err := git(ctx, clone, "checkout", "--quiet", "--detach", s.commit); err != nil {
		return nil, err
	}
	manual := filepath.Join(tree, "man", "man1")
	if err := os.MkdirAll(manual, 0o755); err != nil {
		return nil, err
	}
	if err := golang(ctx, clone, cache, append(append([]string{"build"}, flags...), "-o", tree+"/", "./cmd/rolepass", "./cmd/samlsts")...); err != nil {
		return nil, err
	}
	// With the same flags, so that little is compiled again.
	run := append(append([]string{"run", "-tags", "man"}, flags...), "./cmd/rolepass", "man", "--of", s.version, "--date", s.time.UTC().Format(time.RFC3339), manual)
	if err := golang(ctx, clone, cache, run...); err != nil {
		return nil, err
	}
	if err := s.describe(ctx, tree); err != nil {
		return nil, err
	}
	for from, to := range shipped {
		if err := ship(filepath.Join(clone, from), filepath.Join(tree, to)); err != nil {
			return nil, err
		}
	}
	return s.pack(dir)
}

// golang runs Go in a clone, asking nobody.
func golang(ctx context.Context, clone, cache string, args ...string) error {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = clone
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOPROXY=off", "GOTOOLCHAIN=local")
	if cache != "" {
		command.Env = append(command.Env, "GOCACHE="+cache)
	}
	_, err := say(command)
	return err
}

// describe lets the program write its completions, and adds what it is made of.
func (s *source) describe(ctx context.Context, tree string) error {
	program := filepath.Join(tree, "rolepass")
	for _, shell := range []string{"bash", "zsh", "fish"} {
		text, err := exec.CommandContext(ctx, program, "completion", shell).Output()
		if err != nil {
			return fmt.Errorf("completion for %s: %w", shell, err)
		}
		if err := write(filepath.Join(tree, "completion", "rolepass."+shell), text); err != nil {
			return err
		}
	}
	for _, name := range []string{"rolepass", "samlsts"} {
		info, err := buildinfo.ReadFile(filepath.Join(tree, name))
		if err != nil {
			return fmt.Errorf("reading what %s is made of: %w", name, err)
		}
		text, err := s.materials(name, info)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(tree, name+".cdx.json"), text); err != nil {
			return err
		}
	}
	return nil
}

func write(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}

// ship copies a file or a directory.
func ship(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return write(to, text)
}

// pack writes the tree in the order of its names, with the commit's time and
// nobody's account.
func (s *source) pack(dir string) ([]byte, error) {
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	archive := tar.NewWriter(compressed)
	err := fs.WalkDir(os.DirFS(dir), s.name(), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), ModTime: s.time.UTC(), Format: tar.FormatPAX}
		if strings.Count(name, "/") == 1 && (entry.Name() == "rolepass" || entry.Name() == "samlsts") {
			header.Mode = 0o755
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err = archive.Write(text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("packing: %w", err)
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
