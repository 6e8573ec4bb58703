package session

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

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
	mu   sync.Mutex
	byID map[string]Listed
	// pruneAt is the size at which ended sessions are looked for.
	pruneAt int
}

// leastPrune keeps a small index from being pruned all the time.
const leastPrune = 1024

func (x *index) add(s *Session, now time.Time, idle time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byID == nil {
		x.byID = map[string]Listed{}
	}
	if len(x.byID) >= max(x.pruneAt, leastPrune) {
		x.prune(now, idle)
		x.pruneAt = 2 * len(x.byID)
	}
	x.byID[s.ID] = Listed{s.ID, s.Principal, s.IdPSession, s.Roles, s.Created, s.Seen, s.Expires, false}
}

// seen moves on when a session was last used.
func (x *index) seen(id string, at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if l, ok := x.byID[id]; ok {
		l.Seen = at
		x.byID[id] = l
	}
}

// ends moves a session's end forward: until then it is found and can be ended.
func (x *index) ends(id string, at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	l, ok := x.byID[id]
	if !ok {
		return
	}
	if l.Ending = true; at.Before(l.Expires) {
		l.Expires = at
	}
	x.byID[id] = l
}

func (x *index) remove(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.byID, id)
}

func (x *index) prune(now time.Time, idle time.Duration) {
	for id, l := range x.byID {
		if !now.Before(l.Expires) || !now.Before(l.Seen.Add(idle)) {
			delete(x.byID, id)
		}
	}
}

// count is how many sessions have not ended.
func (x *index) count(now time.Time, idle time.Duration) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.prune(now, idle)
	return len(x.byID)
}

// list gives the sessions that have not ended, the oldest first.
func (x *index) list(now time.Time, idle time.Duration, wanted func(Listed) bool) []Listed {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.prune(now, idle)
	var all []Listed
	for _, l := range x.byID {
		if wanted(l) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b Listed) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// List gives the sessions that are wanted, of those that began in this process
// and have not ended, the oldest first.
func (m *Manager) List(wanted func(Listed) bool) []Listed {
	return m.index.list(m.Now(), m.Idle, wanted)
}

// Count is how many sessions List would give at most.
func (m *Manager) Count() int { return m.index.count(m.Now(), m.Idle) }

// Surplus are the oldest sessions of a person beyond the most that one person
// may have. An IdP that names people anew at each login (transient identifiers)
// is believed about their e-mail address.
func (m *Manager) Surplus(p saml.Principal) []Listed {
	theirs := m.List(func(l Listed) bool { return !l.Ending && samePerson(l.Principal, p) })
	if m.PerPerson <= 0 || len(theirs) <= m.PerPerson {
		return nil
	}
	return theirs[:len(theirs)-m.PerPerson]
}

func samePerson(a, b saml.Principal) bool {
	anew := strings.HasSuffix(a.NameIDFormat, ":transient") && strings.HasSuffix(b.NameIDFormat, ":transient")
	return a.IdP == b.IdP && (a.NameID == b.NameID || anew && a.Email != "" && strings.EqualFold(a.Email, b.Email))
}
