package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A version that nobody tested is named in the log: once, whenever Label Studio
// begins to answer, and again when it becomes another. So is, once, that it does
// not answer.
func TestAVersionThatNobodyTestedIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards the three below: the watcher runs beside
		var log bytes.Buffer
		answer, asked := "", 0
		s := &Server{log: slog.New(slog.NewTextHandler(&guarded{mu: &mu, to: &log}, nil)), version: func(context.Context) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			if asked++; answer == "" {
				return "", fmt.Errorf("no answer: %w", errors.New("it still starts"))
			}
			return answer, nil
		}}
		becomes := func(version string) { mu.Lock(); defer mu.Unlock(); answer = version }
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.watchVersion(ctx) }()
		after := func(wait time.Duration, warnings int, naming string) {
			t.Helper()
			<-time.After(wait)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if got := strings.Count(log.String(), "level=WARN"); got != warnings || !strings.Contains(log.String(), naming) {
				t.Errorf("%d warnings, want %d that name %s:\n%s", got, warnings, naming, &log)
			}
		}
		after(time.Minute, 1, `cause="it still starts"`)
		mu.Lock()
		if asked < 4 {
			t.Errorf("asked %d times in a minute without an answer", asked)
		}
		mu.Unlock()
		becomes("1.99.0\nlevel=ERROR")
		after(time.Minute, 2, "1.99.0level=ERROR")
		after(10*time.Hour, 2, "1.23.2")
		becomes("1.23.2")
		after(time.Hour, 2, "version=1.23.2")
		becomes("2.0.0")
		after(time.Hour, 3, "version=2.0.0")
		becomes("")
		after(2*time.Hour, 4, "does not answer")
		mu.Lock()
		log.Reset()
		mu.Unlock()
		becomes("2.0.0") // as before it was silent
		after(time.Minute, 1, "version=2.0.0")
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// guarded is a writer under a lock.
type guarded struct {
	mu *sync.Mutex
	to *bytes.Buffer
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.to.Write(p)
}
