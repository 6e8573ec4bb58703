// Package credcache obtains temporary credentials and keeps them until they
// expire.
//
// Exchanger trades a verified assertion for credentials (AWS STS
// AssumeRoleWithSAML), once per login, role and shard, and compares what STS
// says with what the assertion said. Cache keeps them by (session, role,
// shard): opened in memory, bounded in bytes, and sealed in the state under
// the session's own half of the key.
//
// Nothing here is ever called because of a data fetch except Cache.Get, and
// that asks no network but the state's.
package credcache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/recent"
	"github.com/rolepass/rolepass/state"
)

// ErrNone says that a session has no usable credentials for a role: never
// had, expired, or evicted.
var ErrNone = errors.New("no credentials for this role")

// kind names credential records among all sealed records.
const kind = "credentials"

// Cache holds credentials until they expire. What was not used for longest
// leaves memory first; it comes back from the state, where that still has it.
type Cache struct {
	store  state.Store
	sealer *state.Sealer
	now    func() time.Time
	max    int

	mu     sync.Mutex
	size   int
	forgot uint64 // how often something was forgotten
	opened *recent.Map[place, *opened]
}

// opened are credentials that are ready for use, and when the state was last asked
// for them.
type opened struct {
	*presign.Credentials
	asked time.Time
}

// askEvery is how often the state is asked for what is opened: it forgets first what
// was not asked for.
const askEvery = time.Minute

// entryOverhead is what an entry costs beside the credentials, roughly.
const entryOverhead = 400

// New makes a Cache of at most maxBytes of opened credentials.
func New(store state.Store, sealer *state.Sealer, maxBytes int, now func() time.Time) *Cache {
	c := &Cache{store: store, sealer: sealer, now: now, max: maxBytes}
	c.opened = recent.New(func(p place, o *opened) { c.size -= cost(p, o.Credentials) })
	return c
}

func cost(p place, credentials *presign.Credentials) int {
	return len(p.session) + len(p.role) + credentials.Size() + entryOverhead
}

// Put keeps credentials, sealed in the state and opened in memory.
func (c *Cache) Put(ctx context.Context, k Key, credentials *presign.Credentials) error {
	record, err := c.sealer.Seal(kind, k.name(), k.Session.Half(), credentials.AppendRecord(nil), credentials.Expires)
	if err != nil {
		return err
	}
	if err := c.store.Put(ctx, kind+":"+k.name(), record, credentials.Expires); err != nil {
		return fmt.Errorf("keeping credentials: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keepOpened(k.place(), credentials)
	return nil
}

// Get gives the credentials of a key while they last, or ErrNone.
func (c *Cache) Get(ctx context.Context, k Key) (*presign.Credentials, error) {
	credentials, ask, forgot := c.getOpened(k.place())
	if credentials != nil {
		if ask { // what it says changes nothing: these are good until they end
			_, _ = c.store.Get(ctx, kind+":"+k.name())
		}
		return credentials, nil
	}
	record, err := c.store.Get(ctx, kind+":"+k.name())
	if errors.Is(err, state.ErrNotFound) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("reading credentials: %w", err)
	}
	text, _, err := c.sealer.Open(kind, k.name(), k.Session.Half(), record)
	if err != nil {
		return nil, ErrNone
	}
	credentials, err = presign.CredentialsFromRecord(text)
	if err != nil || !c.now().Before(credentials.Expires) {
		return nil, ErrNone
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forgot == forgot { // else perhaps these: they do not come back
		c.keepOpened(k.place(), credentials)
	}
	return credentials, nil
}

// Forget drops the credentials of a key.
func (c *Cache) Forget(ctx context.Context, k Key) error {
	err := c.store.Delete(ctx, kind+":"+k.name())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgot++
	c.opened.Remove(k.place())
	return err
}

// ForgetSession drops from memory what was opened for a session. What is sealed
// in the state needs the session's half, which leaves with its cookie.
func (c *Cache) ForgetSession(sessionID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgot++
	for p := range c.opened.Keys() {
		if p.session == sessionID {
			c.opened.Remove(p)
		}
	}
}

// getOpened gives what is opened, if it is, and whether the state is to be asked.
func (c *Cache) getOpened(p place) (credentials *presign.Credentials, ask bool, forgot uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, ok := c.opened.Get(p)
	if !ok {
		return nil, false, c.forgot
	}
	now := c.now()
	if !now.Before(o.Expires) {
		c.opened.Remove(p)
		return nil, false, c.forgot
	}
	if ask = now.Sub(o.asked) >= askEvery; ask {
		o.asked = now
	}
	return o.Credentials, ask, c.forgot
}

// keepOpened makes room by dropping what was used longest ago.
func (c *Cache) keepOpened(p place, credentials *presign.Credentials) {
	c.opened.Put(p, &opened{credentials, c.now()})
	c.size += cost(p, credentials)
	for c.size > c.max && c.opened.Len() > 1 {
		c.opened.RemoveOldest()
	}
}
