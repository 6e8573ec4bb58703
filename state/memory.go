package state

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/rolepass/rolepass/recent"
)

// entryOverhead is what a record costs beside its bytes, roughly: its place in the
// map, and its share of the list of sessions (package session).
const entryOverhead = 224

// Memory is a Store in this process, bounded in bytes: when it is full, what
// was not used for longest goes first (see package recent). Records are copied in
// and out, because they may move and are overwritten when they go.
type Memory struct {
	max int
	now func() time.Time

	mu      sync.Mutex
	records *recent.Records // each after its end
	evicted int
}

// endSize is the length of a record's end: milliseconds since 1970, rounded down.
const endSize = 8

func ended(record []byte, now time.Time) bool {
	return now.UnixMilli() >= int64(binary.LittleEndian.Uint64(record))
}

// keyOf stands for a name, of which a record needs no copy: with a hundred
// thousand sessions their names would be as large as their sessions.
func keyOf(name string) recent.Key {
	var space [192]byte // longer names go to the heap
	sum := sha256.Sum256(append(space[:0], name...))
	return recent.Key(sum[:])
}

// NewMemory makes a Memory that holds at most maxBytes.
func NewMemory(maxBytes int, now func() time.Time) *Memory {
	return &Memory{max: maxBytes, now: now, records: recent.NewRecords()}
}

// cost counts an eighth more than the bytes, for the gaps between them.
func cost(records, size int) int { return size*9/8 + records*entryOverhead }

// Put keeps a record.
func (m *Memory) Put(_ context.Context, name string, record []byte, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.put(keyOf(name), record, expires)
}

// Replace keeps a record in place of one that is there.
func (m *Memory) Replace(_ context.Context, name string, record []byte, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.records.Peek(keyOf(name))
	if !ok || ended(old, m.now()) {
		return ErrNotFound
	}
	return m.put(keyOf(name), record, expires)
}

// put makes room; what could never fit makes nobody leave.
func (m *Memory) put(key recent.Key, record []byte, expires time.Time) error {
	if cost(1, recent.Size(len(record)+endSize)) > m.max {
		return errors.New("the record is larger than the whole memory state: raise the state's size")
	}
	m.records.Remove(key)
	m.makeRoom(len(record) + endSize)
	room := m.records.Put(key, endSize+len(record))
	binary.LittleEndian.PutUint64(room, uint64(expires.UnixMilli()))
	copy(room[endSize:], record)
	return nil
}

// makeRoom drops what has ended, as far as nothing older stands before it, and then
// what was used longest ago, until another record fits. It comes before the record
// does: else that could be the one which leaves, where all others are in use.
func (m *Memory) makeRoom(size int) {
	now := m.now()
	for key, record, ok := m.records.Oldest(); ok && ended(record, now); key, record, ok = m.records.Oldest() {
		m.records.Remove(key)
	}
	for cost(m.records.Len()+1, m.records.Bytes()+recent.Size(size)) > m.max {
		key, record, ok := m.records.Leaving()
		if !ok {
			return
		}
		if !ended(record, now) {
			m.evicted++
		}
		m.records.Remove(key)
	}
}

// Held is how many bytes the records take, as they count against the most, and
// how many have left before their end because there was no room.
func (m *Memory) Held() (bytes, evicted int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return cost(m.records.Len(), m.records.Bytes()), m.evicted
}

// Get gives a record that has not expired.
func (m *Memory) Get(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := keyOf(name)
	record, ok := m.records.Get(key)
	if !ok {
		return nil, ErrNotFound
	}
	if ended(record, m.now()) {
		m.records.Remove(key)
		return nil, ErrNotFound
	}
	return bytes.Clone(record[endSize:]), nil
}

// Delete forgets a record.
func (m *Memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records.Remove(keyOf(name))
	return nil
}

var _ Store = (*Memory)(nil)
