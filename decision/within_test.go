package decision_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/state"
)

// stuck is a Store that answers when nobody waits any more.
type stuck struct{ state.Store }

func (stuck) Get(ctx context.Context, _ string) ([]byte, error) {
	inner, cancel := context.WithCancel(ctx) // as a library would
	defer cancel()
	<-inner.Done()
	return nil, inner.Err()
}

func TestAStateThatDoesNotAnswerIsNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedIn(radiology)
	w.Deadlines.State = 10 * time.Millisecond
	w.Sessions.Store = stuck{w.store}
	if got := w.Decide(t.Context(), request("GET", fetching("7", lung), cookie)); got.Kind != decision.Refuse || got.Code != decision.CodeState {
		t.Errorf("decided %v %s", got.Kind, got.Code)
	}
}

func TestAStateIsNotWaitedForLongerThanTheRequestLasts(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedIn(radiology)
	w.Deadlines.State = time.Hour
	w.Sessions.Store = stuck{w.store}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if got := w.Decide(ctx, request("GET", fetching("7", lung), cookie)); got.Code != decision.CodeState {
		t.Errorf("decided %v %s", got.Kind, got.Code)
	}
}

func TestAnApplicationThatDoesNotAnswerIsNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedIn(radiology)
	w.Deadlines.Question = 10 * time.Millisecond
	done := make(chan struct{})
	defer close(done)
	w.app = func(http.ResponseWriter, *http.Request) { <-done }
	if got := w.Decide(t.Context(), request("GET", fetching("7", lung), cookie)); got.Kind != decision.Refuse || got.Code != client.CodeUnavailable {
		t.Errorf("decided %v %s", got.Kind, got.Code)
	}
}
