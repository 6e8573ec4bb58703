package recent

import (
	"encoding/binary"
	"iter"
)

// Key names a record: enough of a hash that no two names share one.
type Key [16]byte

// Records is a Map of bytes that the garbage collector passes over. A hundred
// thousand records that are each an object of their own are as many things to
// mark in each collection. Here they stand one behind the other in segments, and
// what finds them holds no pointer either.
//
// Like a Map it is not safe for concurrent use and sets itself no bound.
type Records struct {
	index    *Map[Key, location]
	segments segments
}

// segmentSize is small beside what all records take, and large beside one.
const segmentSize = 256 << 10

// NewRecords makes empty Records.
func NewRecords() *Records { return newRecords(segmentSize) }

func newRecords(segmentSize int) *Records {
	r := &Records{segments: segments{size: segmentSize, filling: none}}
	r.index = New(func(_ Key, l location) { r.segments.erase(l) })
	return r
}

// Len is how many records there are.
func (r *Records) Len() int { return r.index.Len() }

// Size is what a record takes, with its head.
func Size(length int) int { return headSize + length }

// Bytes is what the records take, each with its head.
func (r *Records) Bytes() int { return r.segments.bytes }

// Get gives a record and notes its use. It may be written to, and is valid
// until the next Put or Remove.
func (r *Records) Get(key Key) ([]byte, bool) {
	l, ok := r.index.Get(key)
	if !ok {
		return nil, false
	}
	return r.segments.record(l), true
}

// Peek is Get that notes nothing.
func (r *Records) Peek(key Key) ([]byte, bool) {
	l, ok := r.index.Peek(key)
	if !ok {
		return nil, false
	}
	return r.segments.record(l), true
}

// Put makes room for a record as the newest, in place of one that was there, and
// gives it to be filled, as Get does.
func (r *Records) Put(key Key, length int) []byte {
	r.index.Remove(key)
	r.closeGaps()
	l := r.segments.add(key, length)
	r.index.Put(key, l)
	return r.segments.record(l)
}

// Remove drops a record, if it is there.
func (r *Records) Remove(key Key) { r.index.Remove(key) }

// RemoveOldest drops the record that was not used for longest, if there is any.
func (r *Records) RemoveOldest() { r.index.RemoveOldest() }

// Leaving gives the record that RemoveOldest drops next, and Oldest the one that
// was put, or last passed over, longest ago; both as Get does.
func (r *Records) Leaving() (Key, []byte, bool) { return r.found(r.index.Leaving()) }
func (r *Records) Oldest() (Key, []byte, bool)  { return r.found(r.index.Oldest()) }

func (r *Records) found(key Key, l location, ok bool) (Key, []byte, bool) {
	if !ok {
		return key, nil, false
	}
	return key, r.segments.record(l), true
}

// All are the records, the oldest first; each is valid as Get's is. A record may
// be removed on the way.
func (r *Records) All() iter.Seq2[Key, []byte] {
	return func(yield func(Key, []byte) bool) {
		for key, l := range r.index.All() {
			if !yield(key, r.segments.record(l)) {
				return
			}
		}
	}
}

// closeGaps moves the records of the segment with the largest gaps, if the gaps of
// all are more than an eighth of what is kept. One segment at a time is enough: it
// gives back more than the one record that comes takes, and nobody waits for more.
func (r *Records) closeGaps() {
	if r.segments.gaps <= r.segments.bytes/8+r.segments.size {
		return
	}
	number := r.segments.emptiest()
	for l, key := range r.segments.in(number) {
		if now, ok := r.index.Peek(key); !ok || now != l {
			continue // a gap
		}
		record := r.segments.record(l)
		to := r.segments.add(key, len(record))
		copy(r.segments.record(to), record)
		r.index.set(key, to)
		r.segments.erase(l)
	}
}

// size of a record's head, which says whose it is, for when it moves, and its
// length.
const headSize = len(Key{}) + 4

func putHead(b []byte, key Key, length int) {
	copy(b, key[:])
	binary.LittleEndian.PutUint32(b[len(key):], uint32(length))
}

func head(b []byte) (key Key, length int) {
	return Key(b), int(binary.LittleEndian.Uint32(b[len(key):]))
}
