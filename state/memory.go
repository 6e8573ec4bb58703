package state

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// entryOverhead is what a record costs beside its bytes, roughly: the map
// entry, the list element and the headers of both strings.
const entryOverhead = 200

// Memory is a Store in this process, bounded in bytes: when it is full, the
// record that was used longest ago goes first.
type Memory struct {
	max int
	now func() time.Time

	mu      sync.Mutex
	size    int
	records *simplelru.LRU[string, memoryRecord]
}

type memoryRecord struct {
	bytes   []byte
	expires time.Time
}

// NewMemory makes a Memory that holds at most maxBytes.
func NewMemory(maxBytes int, now func() time.Time) *Memory {
	m := &Memory{max: maxBytes, now: now}
	// The LRU's own bound is a count; ours is bytes, enforced in Put.
	records, err := simplelru.NewLRU(maxBytes/entryOverhead+1, func(name string, r memoryRecord) {
		m.size -= cost(name, r)
	})
	if err != nil {
		panic(err) // only for a size below one
	}
	m.records = records
	return m
}

func cost(name string, r memoryRecord) int { return len(name) + len(r.bytes) + entryOverhead }

// Put keeps a record.
func (m *Memory) Put(_ context.Context, name string, record []byte, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.put(name, memoryRecord{bytes: record, expires: expires})
}

// Replace keeps a record in place of one that is there.
func (m *Memory) Replace(_ context.Context, name string, record []byte, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.records.Peek(name)
	if !ok || !m.now().Before(old.expires) {
		return ErrNotFound
	}
	return m.put(name, memoryRecord{bytes: record, expires: expires})
}

// put makes room by forgetting what was used longest ago; what could never fit
// makes nobody leave.
func (m *Memory) put(name string, r memoryRecord) error {
	if cost(name, r) > m.max {
		return errors.New("the record is larger than the whole memory state: raise the state's size")
	}
	m.records.Remove(name)
	m.size += cost(name, r)
	m.records.Add(name, r)
	for m.size > m.max {
		m.records.RemoveOldest()
	}
	return nil
}

// Get gives a record that has not expired.
func (m *Memory) Get(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records.Get(name)
	if !ok {
		return nil, ErrNotFound
	}
	if !m.now().Before(r.expires) {
		m.records.Remove(name)
		return nil, ErrNotFound
	}
	return r.bytes, nil
}

// Delete forgets a record.
func (m *Memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records.Remove(name)
	return nil
}

var _ Store = (*Memory)(nil)
