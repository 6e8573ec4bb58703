package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// step makes one folder of the cache.
//
// The folder is made in its place, not made elsewhere and renamed: a virtual
// environment holds its own path. What says that it is complete is the stamp,
// a file that is renamed into it last; a folder without it is started over.
type step struct {
	name   string   // of the folder
	title  string   // for people
	inputs []string // everything whose change makes the folder stale
	files  []string // what must be in the folder, relative to it
	make   func(ctx context.Context, dir string, log *os.File) error
}

const stampName = ".complete"

// stamp identifies what the folder was made from, and where it stands.
func (s step) stamp(dir string) string {
	sum := sha256.New()
	for _, input := range append([]string{s.name, dir}, s.inputs...) {
		fmt.Fprintf(sum, "%d:%s", len(input), input)
	}
	return hex.EncodeToString(sum.Sum(nil)) + "\n"
}

// complete says whether nothing needs to be done.
func (s step) complete(dir string) bool {
	got, err := os.ReadFile(filepath.Join(dir, stampName))
	return err == nil && string(got) == s.stamp(dir) && s.missing(dir) == ""
}

// missing is the first file that is not there; "" when all are.
func (s step) missing(dir string) string {
	for _, file := range s.files {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			return file
		}
	}
	return ""
}

// do makes the folder anew.
func (s step) do(ctx context.Context, cache string) error {
	dir := filepath.Join(cache, s.name)
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755), os.MkdirAll(filepath.Join(cache, "logs"), 0o755)); err != nil {
		return fmt.Errorf("clearing the way: %w", err)
	}
	log, err := os.Create(filepath.Join(cache, "logs", s.name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	if err := s.make(ctx, dir, log); err != nil {
		return err
	}
	if file := s.missing(dir); file != "" {
		return fmt.Errorf("%s is not where it should be in %s", file, dir)
	}
	return replace(filepath.Join(dir, stampName), s.stamp(dir))
}

// replace writes a file that is either wholly there or not at all.
func replace(path, text string) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// install goes through all chains at once, and through the steps of a chain
// one after the other. The first failure ends the rest.
func install(ctx context.Context, cache string, chains [][]step, p *progress) error {
	stop := p.heartbeat()
	defer stop()
	group, together := errgroup.WithContext(ctx)
	for _, chain := range chains {
		group.Go(func() error {
			for _, s := range chain {
				if s.complete(filepath.Join(cache, s.name)) {
					continue
				}
				if err := timed(together, cache, s, p); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return errors.New("interrupted; run it again to go on")
	}
	return err
}

func timed(ctx context.Context, cache string, s step, p *progress) error {
	start := time.Now()
	p.begin(s.title)
	err := s.do(ctx, cache)
	p.end(s.title, time.Since(start), err)
	if err != nil {
		return fmt.Errorf("installing %s: %w", s.title, err)
	}
	return nil
}
