package login

import (
	"context"
	"errors"

	"github.com/rolepass/rolepass/refusal"
)

// CodeBusy is a login that does not begin, because too many do.
const CodeBusy refusal.Code = "login_busy"

// errBusy says that no turn came.
var errBusy = errors.New("too many wait for a turn")

// Turns bound how many do something at once, and how many wait for it: who comes
// after those is told at once, and no queue of strangers grows.
type Turns struct {
	places, turns chan struct{}
}

// NewTurns are this many at once, and so many that wait.
func NewTurns(atOnce, waiting int) *Turns {
	return &Turns{places: make(chan struct{}, atOnce+waiting), turns: make(chan struct{}, atOnce)}
}

// take waits for a turn, and gives what hands it back.
func (t *Turns) take(ctx context.Context) (back func(), err error) {
	select {
	case t.places <- struct{}{}:
	default:
		return nil, errBusy
	}
	select {
	case t.turns <- struct{}{}:
		return func() { <-t.turns; <-t.places }, nil
	case <-ctx.Done():
		<-t.places
		return nil, errBusy
	}
}
