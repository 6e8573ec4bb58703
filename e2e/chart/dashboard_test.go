package chart_test

import (
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/telemetry"
)

// name is a metric in an expression: what stands before a brace.
var name = regexp.MustCompile(`([a-z_]+)\{`)

// The dashboard shows what Rolepass exports, and all of what is its own.
func TestTheDashboardShowsWhatIsExported(t *testing.T) {
	exported := exportedMetrics(t)
	shown := map[string]bool{}
	for _, expression := range expressions(t) {
		found := name.FindAllStringSubmatch(expression, -1)
		if len(found) == 0 {
			t.Errorf("%s shows no metric", expression)
		}
		for _, one := range found {
			shown[one[1]] = true
			if !exported[one[1]] {
				t.Errorf("%s shows %s, which Rolepass does not export", expression, one[1])
			}
		}
	}
	for metric := range exported {
		own := regexp.MustCompile(`^rolepass_.*(_total|_bucket|_timestamp_seconds|_bytes|shadow|sessions|waiting)$`).MatchString(metric)
		if own && !shown[metric] {
			t.Errorf("%s is on no panel", metric)
		}
	}
}

// expressions are those of all panels, as the chart installs them.
func expressions(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, object := range objects(t, template(t, "all.yaml")) {
		m, ok := object.(*corev1.ConfigMap)
		if !ok || m.Data["rolepass.json"] == "" {
			continue
		}
		var dashboard struct {
			Panels []struct{ Targets []struct{ Expr string } }
		}
		if err := json.Unmarshal([]byte(m.Data["rolepass.json"]), &dashboard); err != nil {
			t.Fatal(err)
		}
		for _, panel := range dashboard.Panels {
			for _, target := range panel.Targets {
				list = append(list, target.Expr)
			}
		}
	}
	if len(list) < 10 {
		t.Fatalf("%d expressions were found", len(list))
	}
	return list
}

// exportedMetrics are the names that a scrape has after something of each kind
// happened.
func exportedMetrics(t *testing.T) map[string]bool {
	t.Helper()
	m := telemetry.NewMetrics()
	m.Sink(&decision.Event{})
	m.Sink(&decision.Event{Shadow: true})
	m.STSCalled("ok")
	m.AppAsked("task")
	m.IdPEnds("corp", time.Unix(0, 0))
	m.Holds(telemetry.Holdings{State: func() (int, int) { return 0, 0 }, Sessions: func() int { return 0 }, Waiting: func() int { return 0 }})
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	exported := map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^([a-z_]+)[{ ]`).FindAllStringSubmatch(answer.Body.String(), -1) {
		exported[line[1]] = true
	}
	return exported
}
