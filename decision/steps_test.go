package decision_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/login"
)

// A step is a time that somebody else was waited for: the first fetch of a task
// asks, the second knows.
func TestOnlyAQuestionThatIsAskedIsAStep(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedIn(radiology)
	for range 2 {
		w.app = func(out http.ResponseWriter, r *http.Request) {
			w.pass(300 * time.Millisecond)
			w.tasks(out, r)
		}
		if got := w.Decide(t.Context(), request("GET", fetching("7", lung), cookie)); got.Kind != decision.Stream {
			t.Fatalf("decided %v %s", got.Kind, got.Code)
		}
	}
	asked, knew := w.events[0], w.events[1]
	if len(knew.Steps) != 0 {
		t.Errorf("what was known has the steps %v", knew.Steps)
	}
	want := decision.Step{Kind: decision.StepQuestion, What: "task", Start: asked.Time, Took: 300 * time.Millisecond}
	if len(asked.Steps) != 1 || asked.Steps[0] != want {
		t.Errorf("the question has the steps %v, want %v", asked.Steps, want)
	}
}

// A question that fails is a step with its code.
func TestAQuestionThatFailsIsAStep(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedIn(radiology)
	w.app = func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(http.StatusBadGateway) }
	w.Decide(t.Context(), request("GET", fetching("7", lung), cookie))
	if steps := w.events[0].Steps; len(steps) != 1 || steps[0].Code != "app_unavailable" {
		t.Errorf("the steps are %v", steps)
	}
}

// A login's steps are told to the sinks.
func TestALoginHasItsSteps(t *testing.T) {
	w := newWorld(t)
	start := request("GET", "/", "")
	start.FetchMode, start.FetchDest = "navigate", "document"
	started := w.Decide(t.Context(), start)
	at, err := url.Parse(location(started))
	if err != nil {
		t.Fatal(err)
	}
	w.comesBackTo(started, at.Query().Get("RelayState"))
	steps := w.events[len(w.events)-1].Steps
	if len(steps) != 2 || steps[0].Kind != login.StepSTS || steps[0].What != radiology || steps[1].Kind != login.StepSignIn {
		t.Errorf("the steps are %v", steps)
	}
}
