package server

import (
	"context"
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

// watchVersion warns when the Label Studio behind us is one whose routes
// nobody has compared with those that the reader knows. It only warns: what
// the reader does not know it still judges by its form.
func (s *Server) watchVersion(ctx context.Context) error {
	for last, wait := "", time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		version, err := s.version(ctx)
		if wait = versionEvery; err != nil {
			wait = versionRetry
			continue
		}
		if version != last {
			s.sayVersion(version)
		}
		last = version
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
