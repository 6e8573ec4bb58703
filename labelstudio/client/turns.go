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
	of map[string]*portion
}

// portion is what one person has of the turns.
type portion struct {
	turns chan struct{}
	users int // who have a turn of it, or wait for one
}

func newTurns() *turns {
	return &turns{all: make(chan struct{}, atOnce), of: map[string]*portion{}}
}

// share names whose turns a question takes: the person's, who could have as many
// credentials as they like where the application gives them.
func (a Asker) share() string {
	if a.Person != "" {
		return a.Person
	}
	return a.Credential
}

// take waits for a turn, and gives what hands it back.
func (t *turns) take(ctx context.Context, share string) (back func(), err error) {
	own := t.enter(share)
	select {
	case own.turns <- struct{}{}:
	case <-ctx.Done():
		t.leave(share)
		return nil, ctx.Err()
	}
	select {
	case t.all <- struct{}{}:
		return func() { <-t.all; <-own.turns; t.leave(share) }, nil
	case <-ctx.Done():
		<-own.turns
		t.leave(share)
		return nil, ctx.Err()
	}
}

func (t *turns) enter(share string) *portion {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.of[share]
	if own == nil {
		own = &portion{turns: make(chan struct{}, mostOfOne)}
		t.of[share] = own
	}
	own.users++
	return own
}

// leave forgets a portion that nobody uses.
func (t *turns) leave(share string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.of[share]
	if own.users--; own.users == 0 {
		delete(t.of, share)
	}
}
