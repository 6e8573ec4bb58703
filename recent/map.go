// Package recent is a map that can forget what was not used for longest.
//
//	m := recent.New(func(name string, record []byte) { size -= len(record) })
//	m.Put("a", record)
//	record, ok := m.Get("a")
//	m.RemoveOldest()
//
// It keeps the order of use as the clock algorithm does: Get only notes that an
// entry was used, and RemoveOldest passes over those that were since it last
// came by. An exact order would move the entry to the front at each Get, which
// writes to its neighbours: with thousands of sessions these are in no cache of
// the processor, and four such moves were a tenth of a decision.
//
// A Map is not safe for concurrent use, and sets itself no bound: its owner
// counts bytes or entries, and locks. Records are a Map of bytes.
package recent

import "iter"

// Map is made by New.
type Map[K comparable, V any] struct {
	places map[K]int32
	// Entries stand in blocks, which never move: a slice that grows would
	// exist twice while it does.
	blocks  []*[perBlock]entry[K, V]
	made    int32 // places that exist
	free    int32 // the first of those that are empty, or none
	oldest  int32
	newest  int32
	dropped func(K, V)
}

// entry is in the row of all entries, or in that of the empty ones, which goes
// by newer alone.
type entry[K comparable, V any] struct {
	key          K
	value        V
	older, newer int32
	used         bool // since it was made, or RemoveOldest last came by
}

const (
	perBlock = 512
	none     = -1
)

// New makes an empty Map. Dropped is told of each entry that leaves, however it
// does, also when another takes its place; it may be nil.
func New[K comparable, V any](dropped func(K, V)) *Map[K, V] {
	return &Map[K, V]{places: map[K]int32{}, free: none, oldest: none, newest: none, dropped: dropped}
}

func (m *Map[K, V]) at(place int32) *entry[K, V] { return &m.blocks[place/perBlock][place%perBlock] }

// Len is how many entries there are.
func (m *Map[K, V]) Len() int { return len(m.places) }

// Get gives a value and notes its use.
func (m *Map[K, V]) Get(key K) (value V, ok bool) {
	place, ok := m.places[key]
	if !ok {
		return value, false
	}
	e := m.at(place)
	e.used = true
	return e.value, true
}

// Peek gives a value and notes nothing.
func (m *Map[K, V]) Peek(key K) (value V, ok bool) {
	place, ok := m.places[key]
	if !ok {
		return value, false
	}
	return m.at(place).value, true
}

// Oldest gives the entry that was put, or last passed over, longest ago, and notes
// nothing.
func (m *Map[K, V]) Oldest() (key K, value V, ok bool) {
	if m.oldest == none {
		return key, value, false
	}
	e := m.at(m.oldest)
	return e.key, e.value, true
}

// Put keeps a value as the newest, in place of one that was there.
func (m *Map[K, V]) Put(key K, value V) {
	m.Remove(key)
	place := m.empty()
	*m.at(place) = entry[K, V]{key: key, value: value}
	m.places[key] = place
	m.append(place)
}

// set gives an entry that is there another value. It notes nothing, and nothing is
// told of the value that was.
func (m *Map[K, V]) set(key K, value V) { m.at(m.places[key]).value = value }

// empty finds a place for an entry, or makes some.
func (m *Map[K, V]) empty() int32 {
	if m.free != none {
		place := m.free
		m.free = m.at(place).newer
		return place
	}
	if int(m.made) == len(m.blocks)*perBlock {
		m.blocks = append(m.blocks, new([perBlock]entry[K, V]))
	}
	m.made++
	return m.made - 1
}

// Remove drops an entry, if it is there.
func (m *Map[K, V]) Remove(key K) {
	place, ok := m.places[key]
	if !ok {
		return
	}
	m.unlink(place)
	delete(m.places, key)
	value := m.at(place).value
	*m.at(place) = entry[K, V]{newer: m.free} // it keeps nobody's value
	m.free = place
	if m.dropped != nil {
		m.dropped(key, value)
	}
}

// RemoveOldest drops the entry that was not used for longest, if there is any.
func (m *Map[K, V]) RemoveOldest() {
	if key, _, ok := m.Leaving(); ok {
		m.Remove(key)
	}
}

// Leaving gives the entry that RemoveOldest drops next.
func (m *Map[K, V]) Leaving() (key K, value V, ok bool) {
	if m.oldest == none {
		return key, value, false
	}
	for m.at(m.oldest).used {
		place := m.oldest
		m.at(place).used = false
		m.unlink(place)
		m.append(place)
	}
	return m.Oldest()
}

// All are the entries, the oldest first. An entry may be removed on the way.
func (m *Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for place := m.oldest; place != none; {
			e := m.at(place)
			key, value, next := e.key, e.value, e.newer
			if !yield(key, value) {
				return
			}
			place = next
		}
	}
}

// Keys are those of All.
func (m *Map[K, V]) Keys() iter.Seq[K] {
	return func(yield func(K) bool) {
		for key := range m.All() {
			if !yield(key) {
				return
			}
		}
	}
}

func (m *Map[K, V]) append(place int32) {
	e := m.at(place)
	e.older, e.newer = m.newest, none
	if m.newest == none {
		m.oldest = place
	} else {
		m.at(m.newest).newer = place
	}
	m.newest = place
}

func (m *Map[K, V]) unlink(place int32) {
	e := m.at(place)
	if e.older == none {
		m.oldest = e.newer
	} else {
		m.at(e.older).newer = e.newer
	}
	if e.newer == none {
		m.newest = e.older
	} else {
		m.at(e.newer).older = e.older
	}
}
