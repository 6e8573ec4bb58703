package state

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/rolepass/rolepass/recent"
)

// entryOverhead is what a record costs beside its bytes, roughly: its entry, its
// place in the map, and its share of the list of sessions (package session).
const entryOverhead = 256

// Memory is a Store in this process, bounded in bytes: when it is full, what
// was not used for longest goes first (see package recent).
type Memory struct {
	max int
	now func() time.Time

	mu      sync.Mutex
	size    int
	records *recent.Map[place, memoryRecord]
}

// place stands for a name, of which a record needs no copy: with a hundred
// thousand sessions their names would be as large as their sessions.
type place [16]byte

func placeOf(name string) place {
	sum := sha256.Sum256([]byte(name))
	return place(sum[:])
}

type memoryRecord struct {
	bytes   []byte
	expires int64 // milliseconds since 1970, rounded down
}

func (r memoryRecord) ended(now time.Time) bool { return now.UnixMilli() >= r.expires }

// NewMemory makes a Memory that holds at most maxBytes.
func NewMemory(maxBytes int, now func() time.Time) *Memory {
	m := &Memory{max: maxBytes, now: now}
	m.records = recent.New(func(_ place, r memoryRecord) { m.size -= cost(r) })
	return m
}

// cost counts an eighth more than the bytes, which is the most that the allocator
// rounds up.
func cost(r memoryRecord) int { return len(r.bytes)*9/8 + entryOverhead }

// Put keeps a record.
func (m *Memory) Put(_ context.Context, name string, record []byte, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.put(placeOf(name), memoryRecord{record, expires.UnixMilli()})
}

// Replace keeps a record in place of one that is there.
func (m *Memory) Replace(_ context.Context, name string, record []byte, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.records.Peek(placeOf(name))
	if !ok || old.ended(m.now()) {
		return ErrNotFound
	}
	return m.put(placeOf(name), memoryRecord{record, expires.UnixMilli()})
}

// put makes room by forgetting what was used longest ago; what could never fit
// makes nobody leave.
func (m *Memory) put(at place, r memoryRecord) error {
	if cost(r) > m.max {
		return errors.New("the record is larger than the whole memory state: raise the state's size")
	}
	m.records.Put(at, r)
	m.size += cost(r)
	for m.size > m.max {
		m.records.RemoveOldest()
	}
	return nil
}

// Get gives a record that has not expired.
func (m *Memory) Get(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := placeOf(name)
	r, ok := m.records.Get(at)
	if !ok {
		return nil, ErrNotFound
	}
	if r.ended(m.now()) {
		m.records.Remove(at)
		return nil, ErrNotFound
	}
	return r.bytes, nil
}

// Delete forgets a record.
func (m *Memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records.Remove(placeOf(name))
	return nil
}

var _ Store = (*Memory)(nil)
