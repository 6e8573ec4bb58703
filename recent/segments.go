package recent

import "iter"

// segments are where Records stand. A record that leaves is overwritten, and
// leaves a gap. A segment that is all gap goes.
type segments struct {
	size    int // of each, but those of a single larger record
	all     []segment
	unused  []int32 // places in all that have no segment
	filling int32   // takes new records; none: the next begins another
	spare   []byte  // of a segment that went, for the next
	bytes   int     // of records, with their heads
	gaps    int     // of what they left
}

// segment is filled from its start. It never grows beyond its capacity, so that
// nothing in it moves.
type segment struct {
	bytes []byte
	gaps  int
}

// location is where a record's head stands.
type location struct {
	segment int32
	at      uint32
}

// add makes room for a record, and writes its head.
func (s *segments) add(key Key, length int) location {
	need := headSize + length
	if s.filling == none || cap(s.all[s.filling].bytes)-len(s.all[s.filling].bytes) < need {
		s.begin(need)
	}
	filling := &s.all[s.filling]
	at := len(filling.bytes)
	filling.bytes = filling.bytes[:at+need]
	putHead(filling.bytes[at:], key, length)
	s.bytes += need
	return location{s.filling, uint32(at)}
}

// begin makes a segment that holds at least so many bytes.
func (s *segments) begin(need int) {
	fresh := s.spare
	if need > cap(fresh) {
		fresh = make([]byte, 0, max(need, s.size))
	} else {
		s.spare = nil
	}
	if n := len(s.unused); n > 0 {
		s.filling, s.unused = s.unused[n-1], s.unused[:n-1]
	} else {
		s.filling, s.all = int32(len(s.all)), append(s.all, segment{})
	}
	s.all[s.filling] = segment{bytes: fresh}
}

// record gives a record, without its head.
func (s *segments) record(l location) []byte {
	from := s.all[l.segment].bytes[l.at:]
	_, length := head(from)
	return from[headSize : headSize+length : headSize+length]
}

// erase overwrites a record. Its head stays, for whoever reads the segment from
// its start.
func (s *segments) erase(l location) {
	record, in := s.record(l), &s.all[l.segment]
	clear(record)
	left := headSize + len(record)
	in.gaps += left
	s.gaps += left
	s.bytes -= left
	if in.gaps == len(in.bytes) {
		s.drop(l.segment)
	}
}

// drop takes a segment away that is all gap, with the heads that are left in it.
func (s *segments) drop(number int32) {
	gone := s.all[number]
	s.gaps -= gone.gaps
	clear(gone.bytes)
	if cap(gone.bytes) == s.size {
		s.spare = gone.bytes[:0]
	}
	s.all[number] = segment{}
	s.unused = append(s.unused, number)
	if s.filling == number {
		s.filling = none
	}
}

// emptiest is the segment with the largest gaps. From now on it takes no more
// records.
func (s *segments) emptiest() int32 {
	most := int32(0)
	for i := range s.all {
		if s.all[i].gaps > s.all[most].gaps {
			most = int32(i)
		}
	}
	if s.filling == most {
		s.filling = none
	}
	return most
}

// in gives the heads of a segment's records, and of its gaps, until it is dropped.
func (s *segments) in(number int32) iter.Seq2[location, Key] {
	return func(yield func(location, Key) bool) {
		for at := 0; at < len(s.all[number].bytes); {
			key, length := head(s.all[number].bytes[at:])
			if !yield(location{number, uint32(at)}, key) {
				return
			}
			at += headSize + length
		}
	}
}
