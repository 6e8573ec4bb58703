package server

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/telemetry"
)

// TestADisagreementOfSTSIsAnAlarm: it is counted by itself and logged as an
// error, and nothing else is.
func TestADisagreementOfSTSIsAnAlarm(t *testing.T) {
	var log bytes.Buffer
	s := &Server{metrics: telemetry.NewMetrics(), log: slog.New(slog.NewTextHandler(&log, nil))}
	called := s.stsCalled("aws")
	called("ok")
	called("AccessDenied")
	if log.Len() > 0 {
		t.Errorf("the log says %s", log.String())
	}
	called(credcache.Disagreed)
	if said := log.String(); !strings.Contains(said, "level=ERROR") || !strings.Contains(said, "sts=aws") || strings.Count(said, "\n") != 1 {
		t.Errorf("the log says %q", said)
	}
	w := httptest.NewRecorder()
	s.metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if want := `rolepass_sts_calls_total{outcome="disagreed"} 1`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("no line %s", want)
	}
}
