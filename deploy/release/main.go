// Command release makes what is published of a commit, without asking anybody:
// the archive, its provenance, and their digests.
//
//	go run ./deploy/release -out bin/release
//
// The archive is made twice, from two clones in different places and the second
// time without Go's cache of builds, and published if both are the same, byte
// for byte. Only what is committed is released.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// source is what is released.
type source struct {
	checkout string
	commit   string
	version  string
	time     time.Time
}

func main() {
	out := flag.String("out", "bin/release", "the directory to write to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := release(ctx, ".", *out); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func release(ctx context.Context, checkout, out string) error {
	s, err := look(ctx, checkout)
	if err != nil {
		return err
	}
	place, err := os.MkdirTemp("", "release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(place)
	once, err := s.made(ctx, filepath.Join(place, "one"), "")
	if err != nil {
		return err
	}
	again, err := s.made(ctx, filepath.Join(place, "elsewhere", "two"), filepath.Join(place, "cache"))
	if err != nil {
		return err
	}
	if !bytes.Equal(once, again) {
		return fmt.Errorf("two builds of %s differ (%s, %s): nothing is released", s.commit, digest(once), digest(again))
	}
	return s.publish(out, once)
}

// look says what HEAD is.
func look(ctx context.Context, checkout string) (*source, error) {
	dirty, err := git(ctx, checkout, "status", "--porcelain", "--untracked-files=no")
	if err != nil {
		return nil, err
	}
	if dirty != "" {
		return nil, errors.New("there are changes that are not committed: commit them, or take them away")
	}
	s := &source{checkout: checkout}
	if s.commit, err = git(ctx, checkout, "rev-parse", "HEAD"); err != nil {
		return nil, err
	}
	if s.version, err = git(ctx, checkout, "describe", "--tags", "--always", "--abbrev=12"); err != nil {
		return nil, err
	}
	written, err := git(ctx, checkout, "show", "--no-patch", "--format=%cI", "HEAD")
	if err != nil {
		return nil, err
	}
	s.time, err = time.Parse(time.RFC3339, written)
	return s, err
}

// publish writes the archive, its provenance and the digests of both.
func (s *source) publish(out string, archive []byte) error {
	name := s.name() + ".tar.gz"
	statement, err := s.provenance(name, digest(archive))
	if err != nil {
		return err
	}
	sums := fmt.Sprintf("%s  %s\n%s  %s\n", digest(archive), name, digest(statement), name+".intoto.json")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for file, text := range map[string][]byte{name: archive, name + ".intoto.json": statement, "SHA256SUMS": []byte(sums)} {
		if err := os.WriteFile(filepath.Join(out, file), text, 0o644); err != nil {
			return err
		}
	}
	fmt.Print(sums)
	return nil
}

// name is that of the archive and of the directory in it.
func (s *source) name() string {
	return strings.Join([]string{"rolepass", s.version, runtime.GOOS, runtime.GOARCH}, "_")
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	return say(exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...))
}

// say runs a command and gives what it wrote, without the last line's end.
func say(c *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}
