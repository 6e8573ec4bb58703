package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rolepass/rolepass/state"
)

// grace is how long a session lives on that a new one of the same person has
// replaced: what their pages asked meanwhile is still on its way, and a page of
// the application that gets a 401 leaves, with unsaved work.
const grace = 30 * time.Second

// EndSoon ends a session in a moment. What finds it until then writes it no
// longer life.
func (m *Manager) EndSoon(ctx context.Context, id string) error {
	record, err := m.Store.Get(ctx, storeName(id))
	if errors.Is(err, state.ErrNotFound) {
		return m.directory().remove(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("reading a session that ends: %w", err)
	}
	// The mark comes first, and outlives the session: whoever writes the
	// session anew in between looks for it afterwards.
	ends := m.Now().Add(grace)
	if mark, err := m.Store.Get(ctx, endingName(id)); err == nil {
		if before, err := time.Parse(time.RFC3339Nano, string(mark)); err == nil && before.Before(ends) {
			ends = before // it was told before: no renewal gives it more
		}
	}
	if err := m.Store.Put(ctx, endingName(id), ends.AppendFormat(nil, time.RFC3339Nano), ends.Add(m.marked())); err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	if err := m.directory().ends(ctx, id, ends); err != nil {
		return err
	}
	return m.shorten(ctx, id, record, ends)
}

// marked is for how long a mark outlives its session. Whoever writes that anew at
// the last moment looks for the mark at once; but where a server is asked, they may
// not get an answer, and what they wrote lives on. So its next use finds the mark.
func (m *Manager) marked() time.Duration {
	if m.Shared == nil {
		return touchEvery
	}
	return max(touchEvery, m.Idle)
}

// endingSoon takes back the life that a record was given after its session had
// been told to end. One whose end is over is none: ErrNone.
func (m *Manager) endingSoon(ctx context.Context, id string, record []byte) error {
	mark, err := m.Store.Get(ctx, endingName(id))
	if errors.Is(err, state.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading whether a session ends: %w", err)
	}
	ends, err := time.Parse(time.RFC3339Nano, string(mark))
	if err != nil {
		ends = m.Now() // not a mark of ours: at once
	}
	if !m.Now().Before(ends) {
		if err := m.End(ctx, &Session{ID: id}); err != nil {
			return err
		}
		return ErrNone
	}
	if err := m.directory().ends(ctx, id, ends); err != nil {
		return err
	}
	return m.shorten(ctx, id, record, ends)
}

func (m *Manager) shorten(ctx context.Context, id string, record []byte, ends time.Time) error {
	err := m.Store.Replace(ctx, storeName(id), record, ends)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return fmt.Errorf("ending a session: %w", err)
	}
	return nil
}

func endingName(id string) string { return "ending:" + id }
