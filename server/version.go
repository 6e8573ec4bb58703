package server

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rolepass/rolepass/labelstudio"
)

const (
	// versionRetry is when Label Studio is asked again that did not answer.
	versionRetry = 15 * time.Second
	// versionEvery is when it is asked again that did: somebody may update it.
	versionEvery = time.Hour
)

// watchVersion asks Label Studio for its version, at the start and every hour. It
// says once when there is no answer, since a wrong address would else show at the
// first login only; and it warns when the Label Studio behind us is one whose
// routes nobody has compared with those that the reader knows. It only warns: what
// the reader does not know it still judges by its form.
func (s *Server) watchVersion(ctx context.Context) error {
	silent, last := false, ""
	for wait := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		version, err := s.version(ctx)
		switch {
		case err == nil && (silent || version != last):
			s.sayVersion(version)
		case err != nil && !silent && ctx.Err() == nil:
			s.log.Warn("Label Studio does not answer: until it does, whatever needs its word is refused", "error", err, "cause", errors.Unwrap(err))
		}
		if silent, wait = err != nil, versionRetry; err == nil {
			last, wait = version, versionEvery
		}
	}
}

func (s *Server) sayVersion(version string) {
	tested := labelstudio.Tested()
	if slices.Contains(tested, version) {
		s.log.Info("Label Studio answers", "version", version)
		return
	}
	s.log.Warn("this Label Studio was never tested with this Rolepass: a route that its version adds may serve data under its own key; use a tested version, or compare its routes with docs/label-studio.md",
		"version", printable(version), "tested", strings.Join(tested, ", "))
}

// printable keeps a log line one short line, whatever somebody answers there.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 64)]
}
