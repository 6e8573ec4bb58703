package session

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/rolepass/rolepass/saml"
)

// recordVersion is the first byte of a session's record, before it is sealed.
const recordVersion = 1

var errRecord = errors.New("the record does not hold a session in a form that this version writes")

// appendRecord appends what is kept of a session: all but its ID and half, which
// come with the cookie. A hundred thousand of these are in memory, so names of
// fields are not repeated in each.
func (s *Session) appendRecord(b []byte) []byte {
	w := writer{append(b, recordVersion)}
	for _, at := range []time.Time{s.Created, s.Seen, s.Expires} {
		w.time(at)
	}
	w.number(uint64(s.AppUser))
	w.number(uint64(s.Organization))
	w.text(s.Principal.IdP)
	w.text(s.Principal.NameIDFormat)
	w.person(s.Principal)
	w.text(s.IdPSession)
	w.number(uint64(len(s.Roles)))
	for _, role := range s.Roles {
		w.text(role)
	}
	w.number(uint64(len(s.Missed)))
	for _, m := range s.Missed {
		w.text(m.Role)
		w.text(m.Reason)
	}
	return w.b
}

// fromRecord reads what appendRecord wrote, to the last byte.
func fromRecord(record []byte) (*Session, error) {
	r := reader{rest: string(record)} // the session's texts are parts of one
	if r.take(1) != string(rune(recordVersion)) {
		return nil, errRecord
	}
	s := &Session{Created: r.time(), Seen: r.time(), Expires: r.time()}
	s.AppUser, s.Organization = int64(r.number()), int64(r.number())
	s.Principal.IdP, s.Principal.NameIDFormat = r.text(), r.text()
	r.person(&s.Principal)
	s.IdPSession = r.text()
	for range r.count() {
		s.Roles = append(s.Roles, r.text())
	}
	for range r.count() {
		s.Missed = append(s.Missed, Missed{r.text(), r.text()})
	}
	if r.bad || r.rest != "" {
		return nil, errRecord
	}
	return s, nil
}

// writer writes numbers, and texts after their lengths.
type writer struct{ b []byte }

func (w *writer) number(n uint64) { w.b = binary.AppendUvarint(w.b, n) }

func (w *writer) text(s string) {
	w.number(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) time(t time.Time) {
	w.b = binary.LittleEndian.AppendUint64(w.b, uint64(t.UnixNano()))
}

// person writes what is a person's own of a principal.
func (w *writer) person(p saml.Principal) {
	for _, text := range []string{p.NameID, p.SessionName, p.Email, p.FirstName, p.LastName} {
		w.text(text)
	}
}

// reader reads what a writer wrote. What it cannot read is empty, and it says so
// in the end.
type reader struct {
	rest string
	bad  bool
}

func (r *reader) take(n uint64) string {
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, ""
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) number() uint64 {
	var head [binary.MaxVarintLen64]byte
	n, size := binary.Uvarint(head[:copy(head[:], r.rest)])
	if size <= 0 {
		r.bad, r.rest = true, ""
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// count is a number of things that each take a byte at least.
func (r *reader) count() uint64 {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, ""
		return 0
	}
	return n
}

func (r *reader) text() string { return r.take(r.number()) }

func (r *reader) time() time.Time {
	var bytes [8]byte
	copy(bytes[:], r.take(8))
	return time.Unix(0, int64(binary.LittleEndian.Uint64(bytes[:])))
}

func (r *reader) person(p *saml.Principal) {
	for _, text := range []*string{&p.NameID, &p.SessionName, &p.Email, &p.FirstName, &p.LastName} {
		*text = r.text()
	}
}
