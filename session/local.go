package session

import (
	"context"
	"time"
)

// local is the directory of a single process: its index, in memory.
type local struct{ *Manager }

func (m local) add(_ context.Context, s *Session) error {
	m.index.add(s, m.Now(), m.Idle)
	return nil
}

func (m local) seen(_ context.Context, s *Session) error {
	m.index.seen(s.ID, s.Seen)
	return nil
}

func (m local) ends(_ context.Context, id string, at time.Time) error {
	m.index.ends(id, at)
	return nil
}

func (m local) remove(_ context.Context, id string) error {
	m.index.remove(id)
	return nil
}

func (m local) list(_ context.Context, people []person, wanted func(Listed) bool) ([]Listed, error) {
	return m.index.list(m.Now(), m.Idle, mentions(people), wanted), nil
}

// announce tells nobody: package login knows the logins of its own process.
func (local) announce(context.Context, Listed, time.Duration) (Announced, error) {
	return Announced{}, nil
}

func (local) withdraw(context.Context, Announced) (bool, error) { return true, nil }

func (local) endAnnounced(context.Context, func(Listed) bool) (int, error) { return 0, nil }
