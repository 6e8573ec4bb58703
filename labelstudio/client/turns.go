package client

import (
	"context"
	"sync"
)

// mostOfOne is how many questions Label Studio gets at the same time from one
// person. The other half of the turns is for everybody else.
const mostOfOne = atOnce / 2

// turns are those in which Label Studio is asked. A person who has all of theirs
// waits for one of their own, and not in the way of others: one who asks for a
// thousand tasks that do not exist makes nobody else wait for more than Label
// Studio itself.
type turns struct {
	all chan struct{}

	mu sync.Mutex
	of map[string]*share
}

// share is what one credential has of the turns.
type share struct {
	turns chan struct{}
	users int // who have a turn of it, or wait for one
}

func newTurns() *turns {
	return &turns{all: make(chan struct{}, atOnce), of: map[string]*share{}}
}

// take waits for a turn, and gives what hands it back.
func (t *turns) take(ctx context.Context, credential string) (back func(), err error) {
	own := t.enter(credential)
	select {
	case own.turns <- struct{}{}:
	case <-ctx.Done():
		t.leave(credential)
		return nil, ctx.Err()
	}
	select {
	case t.all <- struct{}{}:
		return func() { <-t.all; <-own.turns; t.leave(credential) }, nil
	case <-ctx.Done():
		<-own.turns
		t.leave(credential)
		return nil, ctx.Err()
	}
}

func (t *turns) enter(credential string) *share {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.of[credential]
	if own == nil {
		own = &share{turns: make(chan struct{}, mostOfOne)}
		t.of[credential] = own
	}
	own.users++
	return own
}

// leave forgets a share that nobody uses.
func (t *turns) leave(credential string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.of[credential]
	if own.users--; own.users == 0 {
		delete(t.of, credential)
	}
}
