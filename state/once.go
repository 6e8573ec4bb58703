package state

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrFull says that no further name can be remembered, so no name can be
// called unused.
var ErrFull = errors.New("too many names are remembered: none can be called unused")

// MemoryOnce is a Once in this process. It never forgets a name early: when
// it is full of names that have not expired, it refuses new ones.
type MemoryOnce struct {
	max int
	now func() time.Time

	mu   sync.Mutex
	used map[string]time.Time
}

// NewMemoryOnce makes a MemoryOnce that remembers at most max names.
func NewMemoryOnce(max int, now func() time.Time) *MemoryOnce {
	return &MemoryOnce{max: max, now: now, used: map[string]time.Time{}}
}

// Use reports whether this is the first use of the name.
func (o *MemoryOnce) Use(_ context.Context, name string, expires time.Time) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.used[name]; ok {
		return false, nil
	}
	if len(o.used) >= o.max {
		o.forgetExpired()
	}
	if len(o.used) >= o.max {
		return false, ErrFull
	}
	o.used[name] = expires
	return true, nil
}

func (o *MemoryOnce) forgetExpired() {
	now := o.now()
	for name, expires := range o.used {
		if !now.Before(expires) {
			delete(o.used, name)
		}
	}
}

// InAll is a Once that asks several, in order: a name is used for the first time
// if it is for all of them. One on a server comes before one of this process, which
// keeps a name used here when the server forgets: where the server does not answer,
// the name has not been used, and may come again.
type InAll []Once

// Use reports whether this is the first use of the name.
func (all InAll) Use(ctx context.Context, name string, expires time.Time) (bool, error) {
	for _, one := range all {
		if first, err := one.Use(ctx, name, expires); err != nil || !first {
			return false, err
		}
	}
	return len(all) > 0, nil
}

var _ Once = (*MemoryOnce)(nil)
