package session

import (
	"context"
	"time"

	"github.com/rolepass/rolepass/state"
)

// directory is how somebody's sessions are found when they are to end: records are
// sealed and say nothing without their cookies. It is in this process (local), or
// where all replicas look (shared).
type directory interface {
	add(ctx context.Context, s *Session) error
	// seen moves on when a session was last used, or says state.ErrNotFound.
	seen(ctx context.Context, s *Session) error
	// ends moves a session's end forward: until then it is found and can be ended.
	ends(ctx context.Context, id string, at time.Time) error
	remove(ctx context.Context, id string) error
	// list gives the sessions that are wanted and have not ended, the oldest
	// first; with people only sessions of theirs, perhaps with others.
	list(ctx context.Context, people []person, wanted func(Listed) bool) ([]Listed, error)

	// announce makes a login known that is no session yet, and withdraw takes it
	// back and says whether nobody has ended it; endAnnounced does.
	announce(ctx context.Context, as Listed, life time.Duration) (Announced, error)
	withdraw(ctx context.Context, a Announced) (still bool, err error)
	endAnnounced(ctx context.Context, wanted func(Listed) bool) (int, error)
}

// directory is the one that a Manager has.
func (m *Manager) directory() directory {
	if m.Shared != nil {
		return shared{m}
	}
	return local{m}
}

// Shared is the Store of several replicas, with what finds records there whose
// names nobody has.
type Shared interface {
	state.Store
	// Take is Delete that says whether the record was there.
	Take(ctx context.Context, name string) (bool, error)
	// Records gives the records of names, nil for each that is not there.
	Records(ctx context.Context, names []string) ([][]byte, error)
	// Names are those of all records of a kind.
	Names(ctx context.Context, kind string) ([]string, error)
	// Join puts a member into a set, which lives for so long from now on; Leave
	// takes members out of it.
	Join(ctx context.Context, set, member string, life time.Duration) error
	Leave(ctx context.Context, set string, members []string) error
	Members(ctx context.Context, set string) ([]string, error)
}

// person is by what somebody's sessions are found: a NameID, or the e-mail address
// of somebody whom their IdP names anew at each login.
type person struct{ nameID, email string }

// Announced is a login that is no session yet, in the list of all replicas.
type Announced struct{ id string }

// Announce makes a login known to the other replicas. In one process nobody has to
// be told: its own list is package login's.
func (m *Manager) Announce(ctx context.Context, as Listed, life time.Duration) (Announced, error) {
	return m.directory().announce(ctx, as, life)
}

// Withdraw takes it back, when it has become a session or will not, and says
// whether nobody ended it meanwhile.
func (m *Manager) Withdraw(ctx context.Context, a Announced) (still bool, err error) {
	return m.directory().withdraw(ctx, a)
}

// EndAnnounced ends the logins that are wanted, and says how many.
func (m *Manager) EndAnnounced(ctx context.Context, wanted func(Listed) bool) (int, error) {
	return m.directory().endAnnounced(ctx, wanted)
}
