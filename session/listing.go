package session

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"github.com/rolepass/rolepass/recent"
)

// listing is what the index keeps of a session, as bytes: with a hundred thousand
// sessions their strings were a million objects for the garbage collector. It has
// three times and a mark at fixed places, which change, then the half of the ID
// that is not its key, and the texts.
type listing []byte

const (
	createdAt = 0
	seenAt    = 8
	expiresAt = 16
	endingAt  = 24
	restAt    = 25
)

// idHalf is half an ID, in bytes.
const idHalf = len(recent.Key{})

// keyOf splits an ID in two: the half that is its key in the index, and the rest.
func keyOf(id string) (key recent.Key, rest []byte, ok bool) {
	both, err := hex.DecodeString(id)
	if err != nil || len(both) != 2*idHalf {
		return key, nil, false
	}
	return recent.Key(both), both[len(key):], true
}

func (l listing) time(at int) time.Time {
	return time.Unix(0, int64(binary.LittleEndian.Uint64(l[at:])))
}

func (l listing) setTime(at int, t time.Time) {
	binary.LittleEndian.PutUint64(l[at:], uint64(t.UnixNano()))
}

func (l listing) setSeen(at time.Time) { l.setTime(seenAt, at) }

func (l listing) setEnding(at time.Time) {
	if l[endingAt] = 1; at.Before(l.time(expiresAt)) {
		l.setTime(expiresAt, at)
	}
}

func (l listing) ended(now time.Time, idle time.Duration) bool {
	return !now.Before(l.time(expiresAt)) || !now.Before(l.time(seenAt).Add(idle))
}

// email is the person's address, which two texts stand before.
func (l listing) email() []byte {
	var text []byte
	rest := l[restAt+len(recent.Key{}):]
	for range 3 {
		n, size := binary.Uvarint(rest)
		text, rest = rest[size:size+int(n)], rest[size+int(n):]
	}
	return text
}

// names are those that many sessions share, of IdPs, formats and roles. A listing
// has their numbers.
type names struct {
	all    []string
	number map[string]uint64 // from 1
}

// mostNames is more than are configured. A format is what an assertion says, so
// that an IdP may have a new one for each login: what is beyond stands in the
// listing, and goes with it.
const mostNames = 10_000

// inPlain has no numbers: its listings are for other processes, too.
var inPlain *names

// write writes a name's number, or 0 and the name.
func (n *names) write(w *writer, name string) {
	if n == inPlain {
		w.number(0)
		w.text(name)
		return
	}
	number, ok := n.number[name]
	if !ok && len(n.all) < mostNames {
		if n.number == nil {
			n.number = map[string]uint64{}
		}
		name = strings.Clone(name) // it stays
		n.all = append(n.all, name)
		number = uint64(len(n.all))
		n.number[name] = number
	}
	if w.number(number); number == 0 {
		w.text(name)
	}
}

func (n *names) readName(r *reader) string {
	if number := r.number(); number > 0 && n != inPlain {
		return n.all[number-1]
	}
	return r.text()
}

// listing is what is known of a session.
func (n *names) listing(s Listed, rest []byte) listing {
	var w writer
	for _, at := range []time.Time{s.Created, s.Seen, s.Expires} {
		w.time(at)
	}
	ending := byte(0)
	if s.Ending {
		ending = 1
	}
	w.b = append(append(w.b, ending), rest...)
	w.person(s.Principal)
	w.text(s.IdPSession)
	n.write(&w, s.Principal.IdP)
	n.write(&w, s.Principal.NameIDFormat)
	w.number(uint64(len(s.Roles)))
	for _, role := range s.Roles {
		n.write(&w, role)
	}
	return w.b
}

// read gives what listing wrote.
func (n *names) read(l listing, key recent.Key) Listed {
	all := Listed{Created: l.time(createdAt), Seen: l.time(seenAt), Expires: l.time(expiresAt), Ending: l[endingAt] != 0}
	r := reader{rest: string(l[restAt:])}
	all.ID = hex.EncodeToString(append(key[:], r.take(uint64(len(key)))...))
	r.person(&all.Principal)
	all.IdPSession = r.text()
	all.Principal.IdP, all.Principal.NameIDFormat = n.readName(&r), n.readName(&r)
	for range r.count() {
		all.Roles = append(all.Roles, n.readName(&r))
	}
	return all
}
