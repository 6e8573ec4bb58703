// Package scribe writes what the tests of a package come to as Rolepass would
// write it: refusals and decisions into an audit and into metrics, errors into
// the log, pages that say no as they are. The package's TestMain searches all
// of it for what the tests kept secret.
//
//	var secrets = scribe.New()
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(secrets.After(m)) }
package scribe

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/e2e/canary"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/telemetry"
)

// Scribe is a suite with somebody who writes. It is safe for many goroutines,
// also for those of a testing/synctest bubble.
type Scribe struct {
	canary.Suite
	// Log is the service's log.
	Log     *slog.Logger
	audit   *telemetry.Journal
	metrics *telemetry.Metrics
}

// New makes a scribe; After ends it.
func New() *Scribe {
	s := &Scribe{metrics: telemetry.NewMetrics()}
	s.Log = telemetry.NewLog(s.Writer("the log"), slog.LevelDebug)
	key := sha256.Sum256([]byte("objects"))
	s.audit = telemetry.NewAudit(s.Writer("the audit"), telemetry.AuditOptions{
		Key: key[:], JournalOptions: telemetry.JournalOptions{
			Log: s.Log, Now: time.Now,
			Lost: func(records int) { s.Fails(fmt.Sprintf("%d records of the audit were lost", records)) },
		},
	})
	return s
}

// Sink writes a decision down.
func (s *Scribe) Sink(e *decision.Event) {
	s.audit.Sink(e)
	s.metrics.Sink(e)
}

// Refused writes an error down: a refusal in the audit, as that of a decision,
// and any in the log.
func (s *Scribe) Refused(err error) {
	if err == nil {
		return
	}
	s.Log.Error("it failed", "error", err)
	var r *refusal.Refusal
	if errors.As(err, &r) {
		s.Sink(&decision.Event{Time: time.Now(), Kind: decision.Refuse, Refusal: r})
	}
}

// Answered writes a page of ours down, where it says no, and keeps its cookies
// and what it leads to.
func (s *Scribe) Answered(p login.Page) login.Page {
	for _, h := range p.Header {
		switch h.Name {
		case "set-cookie":
			s.KeepCookies(http.Header{"Set-Cookie": {h.Value}})
		case "location":
			if at, err := url.Parse(h.Value); err == nil {
				s.KeepSigned(at.Query())
			}
		}
	}
	s.Sink(&decision.Event{Time: time.Now(), Kind: decision.Page, Page: p.Event, Refusal: p.Refusal, Session: p.Session})
	if p.Status >= http.StatusBadRequest {
		_, _ = s.Writer("a page that says no").Write(append(p.Body[:len(p.Body):len(p.Body)], '\n'))
	}
	s.Log.Info("answered", "page", p)
	return p
}

// KeepFiles keeps the files of a folder with secrets.
func (s *Scribe) KeepFiles(t testing.TB, dir string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no secrets in %s: %v", dir, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s.KeepFile(text)
	}
}

// After gives the tests of the package with the search after them.
func (s *Scribe) After(m interface{ Run() int }) interface{ Run() int } {
	return s.Suite.After(m, s.end)
}

func (s *Scribe) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.audit.Close(ctx); err != nil {
		s.Fails(err.Error())
	}
	counted := httptest.NewRecorder()
	s.metrics.Handler().ServeHTTP(counted, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	_, _ = s.Writer("the metrics").Write(counted.Body.Bytes())
}
