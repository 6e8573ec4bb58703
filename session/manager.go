package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/rolepass/rolepass/state"
)

// ErrNone says that nobody is signed in: no cookie, or one that opens nothing.
var ErrNone = errors.New("no session")

// kind names session records among all sealed records.
const kind = "session"

// touchEvery is how old Seen may grow before the record is written again.
const touchEvery = time.Minute

// Manager begins, finds and ends sessions.
type Manager struct {
	Store  state.Store
	Sealer *state.Sealer
	// Shared is where several replicas list their sessions, behind Store; nil:
	// this process is the only one.
	Shared Shared
	Now    func() time.Time
	Rand   io.Reader
	// Idle ends a session that long after its last use, Absolute that long
	// after its login.
	Idle     time.Duration
	Absolute time.Duration
	// PerPerson is how many sessions one person may have at a time; 0 means
	// any number.
	PerPerson int
	// For is what the sessions are for, where records outlive this process: one
	// that was begun for something else, such as another application, whose
	// accounts have other numbers, is none. May be empty.
	For string
	// IdPs are those by whose word somebody may still be here; nil: all.
	IdPs []string
	// MostOpened bounds how many sessions are remembered as opened, a kilobyte
	// each; 0: 32,768.
	MostOpened int

	opened opened
	index  index
}

// New prepares a session with an identifier of its own, not yet kept: the
// caller fills it, then calls Keep. Token is the cookie's value.
func (m *Manager) New(latest time.Time) (s *Session, token string, err error) {
	secret := make([]byte, tokenSize)
	if _, err := io.ReadFull(m.Rand, secret); err != nil {
		return nil, "", fmt.Errorf("drawing a session identifier: %w", err)
	}
	value := encode(secret)
	parsed, _ := parse(value)
	now, half := m.Now(), parsed.half()
	s = &Session{ID: parsed.id, half: half[:], Created: now, Seen: now, Expires: now.Add(m.Absolute)}
	if !latest.IsZero() && latest.Before(s.Expires) {
		s.Expires = latest
	}
	return s, value, nil
}

// Keep writes the record of a new session.
func (m *Manager) Keep(ctx context.Context, s *Session) error {
	record, ends, err := m.seal(s)
	if err != nil {
		return err
	}
	if err := m.Store.Put(ctx, storeName(s.ID), record, ends); err != nil {
		return fmt.Errorf("keeping a session: %w", err)
	}
	return m.directory().add(ctx, s)
}

// seal gives a session's record and its end: the seal carries the idle limit,
// so a session that was not used in time no longer opens.
func (m *Manager) seal(s *Session) (record []byte, ends time.Time, err error) {
	ends = s.Expires
	if idle := s.Seen.Add(m.Idle); idle.Before(ends) {
		ends = idle
	}
	record, err = m.Sealer.Seal(m.sealedAs(), s.ID, s.half, s.appendRecord(nil), ends)
	return record, ends, err
}

// sealedAs is the kind of record to which a seal is bound.
func (m *Manager) sealedAs() string {
	if m.For == "" {
		return kind
	}
	return kind + " for " + m.For
}

// Find gives the session of a request's Cookie lines, or ErrNone. Others hold
// the same Session: read it, and change nothing.
func (m *Manager) Find(ctx context.Context, cookieLines []string) (*Session, error) {
	value, ok := Cookie(cookieLines, CookieName)
	if !ok {
		return nil, ErrNone
	}
	t, ok := parse(value)
	if !ok {
		return nil, ErrNone
	}
	record, err := m.Store.Get(ctx, t.store)
	if errors.Is(err, state.ErrNotFound) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("reading a session: %w", err)
	}
	now := m.Now()
	s, err := m.open(t, record, now)
	if err != nil {
		return nil, err
	}
	if m.IdPs != nil && !slices.Contains(m.IdPs, s.Principal.IdP) {
		return nil, ErrNone
	}
	return m.touch(ctx, s, now)
}

// open gives the session of a record, which was perhaps opened before.
func (m *Manager) open(t token, record []byte, now time.Time) (*Session, error) {
	if s, ok := m.opened.get(t.id, record, now); ok {
		return s, nil
	}
	half := t.half()
	value, ends, err := m.Sealer.Open(m.sealedAs(), t.id, half[:], record)
	if err != nil {
		return nil, ErrNone
	}
	s, err := fromRecord(value)
	if err != nil {
		return nil, ErrNone
	}
	s.ID, s.half = t.id, half[:]
	m.opened.put(t.id, record, s, ends, m.MostOpened)
	return s, nil
}

// touch moves Seen on, now and then: in the list first, so that a session never
// outlives its place there. Nobody could end it then. A session that was ended
// meanwhile is not written again.
func (m *Manager) touch(ctx context.Context, s *Session, now time.Time) (*Session, error) {
	if !now.Before(s.Expires) {
		return nil, ErrNone
	}
	if now.Sub(s.Seen) < touchEvery {
		return s, nil
	}
	touched := *s
	touched.Seen = now
	record, ends, err := m.seal(&touched)
	if err != nil {
		return nil, err
	}
	if err = m.directory().seen(ctx, &touched); err == nil {
		err = m.Store.Replace(ctx, storeName(s.ID), record, ends)
	}
	if errors.Is(err, state.ErrNotFound) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("keeping a session: %w", err)
	}
	if err := m.endingSoon(ctx, s.ID, record); err != nil {
		return nil, err
	}
	return &touched, nil
}

// End forgets a session.
func (m *Manager) End(ctx context.Context, s *Session) error {
	m.opened.remove(s.ID)
	if err := m.Store.Delete(ctx, storeName(s.ID)); err != nil {
		return fmt.Errorf("ending a session: %w", err) // it stays listed, to be ended again
	}
	return m.directory().remove(ctx, s.ID)
}

// storePrefix and a session's ID name its record.
const storePrefix = kind + ":"

func storeName(id string) string { return storePrefix + id }
