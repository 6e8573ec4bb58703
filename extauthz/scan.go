package extauthz

import (
	"sync"
	"unicode/utf8"

	"github.com/rolepass/rolepass/decision"
)

// scan reads an encoded CheckRequest without making its messages: those of one
// request are a hundred and fifty allocations, and all but a dozen strings of
// it are thrown away.
//
// It is the fast way and not the specification, which is proto.Unmarshal and
// read. It takes only messages exactly of the shape that Envoy sends: known
// fields, each in its own wire type, each at most once but for headers, all
// text UTF-8, and nothing in it that read would refuse. About everything else
// it says nothing (ok is false), and the caller goes the plain way. So there is
// no case here in which protobuf merges, overwrites, or keeps what it does not
// know; what is taken, a fuzz test compares with the plain way.
//
// The strings of the Request are parts of text.
func scan(text string, r *decision.Request) bool {
	s := scanners.Get().(*scanner)
	defer func() { *s = scanner{}; scanners.Put(s) }() // it keeps nothing of anybody's
	s.headers.Request = r
	if !s.walk(text, checkRequest) || s.refused || !s.http || r.Method == "" || r.Target == "" || r.Host == "" {
		*r = decision.Request{}
		return false
	}
	if r.Body = []byte(s.rawBody); len(r.Body) == 0 {
		r.Body = []byte(s.body)
	}
	return true
}

var scanners = sync.Pool{New: func() any { return &scanner{} }}

// scanner is what was found so far.
type scanner struct {
	headers headers
	http    bool // there is an HTTP request
	refused bool // there is what read refuses

	body, rawBody    string
	name, value, raw string // of the header under way
}

// shape is what a message of one type may hold, by field number.
type shape [16]member

// member is one field: a number, bytes, text, or a message.
type member struct {
	kind kind
	of   *shape
	// keep is told of the contents; of a message, after they were walked.
	keep func(s *scanner, contents string)
	many bool // may come more than once
}

type kind int

const (
	none kind = iota // no such field is taken
	number
	octets
	characters
	message
)

// The wire types of protobuf (Encoding, "Message Structure").
const (
	wireVarint = 0
	wireBytes  = 2
)

// walk takes one message apart, and says whether it has the shape.
func (s *scanner) walk(text string, of *shape) bool {
	seen := 0
	for len(text) > 0 {
		tag := text[0] // one byte: the numbers end at 15
		f := &of[tag>>3&15]
		if tag >= 0x80 || seen&(1<<(tag>>3)) != 0 && !f.many {
			return false
		}
		seen |= 1 << (tag >> 3)
		value, n := varint(text[1:])
		if n == 0 {
			return false
		}
		text = text[1+n:]
		if f.kind == number {
			if tag&7 != wireVarint {
				return false
			}
			continue
		}
		if f.kind == none || tag&7 != wireBytes || value > uint64(len(text)) {
			return false
		}
		if !s.take(f, text[:value]) {
			return false
		}
		text = text[value:]
	}
	return true
}

// take looks at one field that is not a number.
func (s *scanner) take(f *member, contents string) bool {
	if f.kind == characters && !utf8.ValidString(contents) || f.kind == message && !s.walk(contents, f.of) {
		return false
	}
	if f.keep != nil {
		f.keep(s, contents)
	}
	return true
}

// varint reads a number and says how many bytes it has; 0: it is none.
func varint(text string) (value uint64, n int) {
	for i := range min(len(text), 10) {
		c := text[i]
		value |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if i == 9 && c > 1 {
				return 0, 0 // more than 64 bits
			}
			return value, i + 1
		}
	}
	return 0, 0
}
