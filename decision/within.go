package decision

import (
	"context"
	"sync"
	"time"
)

// within is context.WithTimeout for what is nearly always answered out of
// memory: its time begins when somebody first waits for its end, or asks for it,
// and most questions are answered before anybody would. A timer and its context
// cost as much as finding a session. The caller calls cancel.
func within(ctx context.Context, d time.Duration) *limited {
	return &limited{Context: ctx, time: d}
}

// limited is a context with a deadline, which begins with its first use.
type limited struct {
	context.Context // the one around it
	time            time.Duration

	mu    sync.Mutex
	over  bool // cancelled
	timed context.Context
	stop  context.CancelFunc
}

func (l *limited) Deadline() (time.Time, bool) { return l.watched().Deadline() }

func (l *limited) Done() <-chan struct{} { return l.watched().Done() }

func (l *limited) Err() error { return l.watched().Err() }

// watched starts the timer.
func (l *limited) watched() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timed == nil {
		l.timed, l.stop = context.WithTimeout(l.Context, l.time)
		if l.over {
			l.stop()
		}
	}
	return l.timed
}

func (l *limited) cancel() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	if l.stop != nil {
		l.stop()
	}
}
