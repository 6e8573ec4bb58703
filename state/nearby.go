package state

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/rolepass/rolepass/recent"
)

// Nearby is a Store before one that is asked over a network. What that gave is
// remembered for a moment: a page that fetches thirty objects does not ask for each,
// but as often as they come at the same time before the first answer. So what
// another replica deletes is still given here for that moment, and no longer;
// what is written or deleted through this one is never given again.
//
// It remembers no absence and no error.
type Nearby struct {
	behind Store
	life   time.Duration
	most   int // bytes
	now    func() time.Time

	mu      sync.Mutex
	kept    *recent.Map[string, nearby]
	size    int
	seed    maphash.Seed
	changes [1024]uint64 // how often something was written or deleted, by the hash of its name
}

type nearby struct {
	record []byte
	asked  time.Time // before it was asked for
}

// nearbyOverhead is what a record costs beside its bytes, roughly.
const nearbyOverhead = 256

func (r nearby) cost() int { return len(r.record) + nearbyOverhead }

// NewNearby remembers at most so many bytes of records, each for life.
func NewNearby(behind Store, life time.Duration, mostBytes int, now func() time.Time) *Nearby {
	n := &Nearby{behind: behind, life: life, most: mostBytes, now: now, seed: maphash.MakeSeed()}
	n.kept = recent.New(func(_ string, r nearby) { n.size -= r.cost() })
	return n
}

// Put keeps a record.
func (n *Nearby) Put(ctx context.Context, name string, record []byte, expires time.Time) error {
	defer n.changed(name)()
	return n.behind.Put(ctx, name, record, expires)
}

// Replace keeps a record in place of one that is there.
func (n *Nearby) Replace(ctx context.Context, name string, record []byte, expires time.Time) error {
	defer n.changed(name)()
	return n.behind.Replace(ctx, name, record, expires)
}

// Delete forgets a record.
func (n *Nearby) Delete(ctx context.Context, name string) error {
	defer n.changed(name)()
	return n.behind.Delete(ctx, name)
}

// changed forgets a record, before it changes and after: an answer that was on
// its way meanwhile is not remembered.
func (n *Nearby) changed(name string) (after func()) {
	forget := func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		*n.changesOf(name)++
		n.kept.Remove(name)
	}
	forget()
	return forget
}

// Get gives a record, perhaps as it was a moment ago.
func (n *Nearby) Get(ctx context.Context, name string) ([]byte, error) {
	asked := n.now()
	record, changes := n.remembered(name, asked)
	if record != nil {
		return record, nil
	}
	record, err := n.behind.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if *n.changesOf(name) == changes {
		n.keep(name, nearby{record, asked})
	}
	return record, nil
}

// keep makes room by forgetting what was used longest ago.
func (n *Nearby) keep(name string, r nearby) {
	n.kept.Put(name, r)
	n.size += r.cost()
	for n.size > n.most {
		n.kept.RemoveOldest()
	}
}

// remembered gives what was asked for a moment ago, and forgets what is older.
func (n *Nearby) remembered(name string, now time.Time) (record []byte, changes uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	kept, ok := n.kept.Get(name)
	if ok && now.Sub(kept.asked) < n.life {
		return kept.record, *n.changesOf(name)
	}
	if ok {
		n.kept.Remove(name)
	}
	return nil, *n.changesOf(name)
}

// changesOf counts the changes of a name, and of the few others with its hash.
func (n *Nearby) changesOf(name string) *uint64 {
	return &n.changes[maphash.String(n.seed, name)%uint64(len(n.changes))]
}

var _ Store = (*Nearby)(nil)
