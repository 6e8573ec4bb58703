package session

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rolepass/rolepass/recent"
	"github.com/rolepass/rolepass/saml"
)

// Listed is what is known of a session without its cookie: enough to show it,
// and to end it.
type Listed struct {
	ID        string
	Principal saml.Principal
	// IdPSession is the SessionIndex that the IdP gave.
	IdPSession string
	Roles      []string
	Created    time.Time
	Seen       time.Time
	Expires    time.Time
	// Ending says that a newer session has replaced it and that it ends within
	// moments.
	Ending bool
}

// index knows the sessions that began in this process. Records are sealed and
// say nothing without their cookies; this is how somebody's sessions are found
// when they are to end.
type index struct {
	mu    sync.Mutex
	known *recent.Records // as listing writes them
	names names
	// pruneAt is the size at which ended sessions are looked for.
	pruneAt int
}

// leastPrune keeps a small index from being pruned all the time.
const leastPrune = 1024

func (x *index) add(s *Session, now time.Time, idle time.Duration) {
	key, rest, ok := keyOf(s.ID)
	if !ok {
		return // no cookie leads to it
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.known == nil {
		x.known = recent.NewRecords()
	}
	if x.known.Len() >= max(x.pruneAt, leastPrune) {
		x.each(now, idle, func(listing, recent.Key) {})
		x.pruneAt = 2 * x.known.Len()
	}
	l := x.names.listing(listedOf(s), rest)
	copy(x.known.Put(key, len(l)), l)
}

// change gives the listing of a session, if it is there, to be written to.
func (x *index) change(id string, with func(listing)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if key, _, ok := keyOf(id); ok && x.known != nil {
		if l, ok := x.known.Peek(key); ok {
			with(listing(l))
		}
	}
}

// seen moves on when a session was last used.
func (x *index) seen(id string, at time.Time) {
	x.change(id, func(l listing) { l.setSeen(at) })
}

// ends moves a session's end forward: until then it is found and can be ended.
func (x *index) ends(id string, at time.Time) {
	x.change(id, func(l listing) { l.setEnding(at) })
}

func (x *index) remove(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if key, _, ok := keyOf(id); ok && x.known != nil {
		x.known.Remove(key)
	}
}

// each gives the listings of sessions that have not ended, and forgets the others.
func (x *index) each(now time.Time, idle time.Duration, do func(listing, recent.Key)) {
	if x.known == nil {
		return
	}
	for key, l := range x.known.All() {
		if listing(l).ended(now, idle) {
			x.known.Remove(key)
			continue
		}
		do(l, key)
	}
}

// count is how many sessions have not ended.
func (x *index) count(now time.Time, idle time.Duration) (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.each(now, idle, func(listing, recent.Key) { n++ })
	return n
}

// list gives the sessions that are wanted and have not ended, the oldest first. All
// of them may be theirs as they stand: by that most of a hundred thousand are passed
// over unread.
func (x *index) list(now time.Time, idle time.Duration, may func(listing) bool, wanted func(Listed) bool) []Listed {
	x.mu.Lock()
	defer x.mu.Unlock()
	var all []Listed
	x.each(now, idle, func(l listing, key recent.Key) {
		if !may(l) {
			return
		}
		if read := x.names.read(l, key); wanted(read) {
			all = append(all, read)
		}
	})
	slices.SortFunc(all, byAge)
	return all
}

func byAge(a, b Listed) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) }

// ended says that a session's time is over.
func (l Listed) ended(now time.Time, idle time.Duration) bool {
	return !now.Before(l.Expires) || !now.Before(l.Seen.Add(idle))
}

// List gives the sessions that are wanted and have not ended, the oldest first: of
// those that began in this process, or where state is shared of all.
func (m *Manager) List(ctx context.Context, wanted func(Listed) bool) ([]Listed, error) {
	return m.directory().list(ctx, nil, wanted)
}

// Named is List for those of a name: of a hundred thousand sessions only theirs are
// read.
func (m *Manager) Named(ctx context.Context, nameID string, wanted func(Listed) bool) ([]Listed, error) {
	return m.directory().list(ctx, []person{{nameID: nameID}}, func(l Listed) bool { return l.Principal.NameID == nameID && wanted(l) })
}

// Count is how many sessions began in this process and have not ended.
func (m *Manager) Count() int { return m.index.count(m.Now(), m.Idle) }

// Surplus are the oldest sessions of a person beyond the most that one person
// may have. An IdP that names people anew at each login (transient identifiers)
// is believed about their e-mail address.
func (m *Manager) Surplus(ctx context.Context, p saml.Principal) ([]Listed, error) {
	if m.PerPerson <= 0 {
		return nil, nil
	}
	theirs, err := m.directory().list(ctx, peopleOf(p), func(l Listed) bool { return !l.Ending && samePerson(l.Principal, p) })
	if err != nil || len(theirs) <= m.PerPerson {
		return nil, err
	}
	return theirs[:len(theirs)-m.PerPerson], nil
}

// mentions says whether a listing may be of one of these people, without reading
// it; nil are all.
func mentions(people []person) func(listing) bool {
	if people == nil {
		return func(listing) bool { return true }
	}
	return func(l listing) bool {
		return slices.ContainsFunc(people, func(p person) bool {
			if p.email != "" {
				return bytes.EqualFold(l.email(), []byte(p.email))
			}
			return bytes.Contains(l, []byte(p.nameID))
		})
	}
}

func samePerson(a, b saml.Principal) bool {
	anew := namedAnew(a) && namedAnew(b)
	return a.IdP == b.IdP && (a.NameID == b.NameID || anew && a.Email != "" && strings.EqualFold(a.Email, b.Email))
}

func namedAnew(p saml.Principal) bool { return strings.HasSuffix(p.NameIDFormat, ":transient") }
