package session

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/state"
)

// shared is the directory of several replicas. What it keeps is sealed with the
// server's key, each record bound to its own name:
//
//	listed:ID      what the list says of a session, until that ends
//	theirs:HASH    a set of IDs: the sessions of one person, by a keyed hash of
//	               their NameID or address
//	entering:ID    what the list will say of a login that is no session yet
//	logins:…       a set of those IDs
//
// A set may name what has gone. A record is written before its name joins a set, so
// that whoever finds the name without it may take it out.
type shared struct{ *Manager }

const (
	listedKind   = "listed"
	enteringKind = "entering"
	enteringSet  = "logins:entering"
)

var errListed = errors.New("the list holds what this version did not write")

func (m shared) add(ctx context.Context, s *Session) error {
	record, ends, err := m.sealListed(listedKind, listedOf(s))
	if err != nil {
		return err
	}
	if err := m.Shared.Put(ctx, listedKind+":"+s.ID, record, ends); err != nil {
		return fmt.Errorf("listing a session: %w", err)
	}
	return m.join(ctx, s)
}

// join puts a session into the sets of its person.
func (m shared) join(ctx context.Context, s *Session) error {
	for _, p := range peopleOf(s.Principal) {
		if err := m.Shared.Join(ctx, m.sets(p)[0], s.ID, m.Absolute); err != nil {
			return fmt.Errorf("listing a session: %w", err)
		}
	}
	return nil
}

// seen joins the sets anew: a server that is full, or fails over, may have lost them,
// and a logout at the IdP finds nobody's sessions then.
func (m shared) seen(ctx context.Context, s *Session) error {
	if err := m.relist(ctx, listedOf(s)); err != nil {
		return err
	}
	return m.join(ctx, s)
}

func (m shared) ends(ctx context.Context, id string, at time.Time) error {
	all, _, err := m.read(ctx, listedKind, []string{id})
	if err != nil || len(all) == 0 {
		return err
	}
	l := all[0]
	l.Ending = true
	if at.Before(l.Expires) {
		l.Expires = at
	}
	if err := m.relist(ctx, l); !errors.Is(err, state.ErrNotFound) {
		return err
	}
	return nil // it has ended meanwhile
}

// relist writes what the list says of a session, or says state.ErrNotFound.
func (m shared) relist(ctx context.Context, l Listed) error {
	record, ends, err := m.sealListed(listedKind, l)
	if err != nil {
		return err
	}
	if err := m.Shared.Replace(ctx, listedKind+":"+l.ID, record, ends); err != nil {
		return fmt.Errorf("listing a session: %w", err)
	}
	return nil
}

func (m shared) remove(ctx context.Context, id string) error {
	return m.Shared.Delete(ctx, listedKind+":"+id)
}

func (m shared) list(ctx context.Context, people []person, wanted func(Listed) bool) ([]Listed, error) {
	ids, err := m.ids(ctx, people)
	if err != nil {
		return nil, err
	}
	all, _, err := m.read(ctx, listedKind, ids)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(l Listed) bool { return l.ended(m.Now(), m.Idle) || !wanted(l) })
	slices.SortFunc(all, byAge)
	return all, nil
}

// ids are those of the sessions of some people, or of all.
func (m shared) ids(ctx context.Context, people []person) (all []string, err error) {
	if people == nil {
		names, err := m.Shared.Names(ctx, listedKind)
		if err != nil {
			return nil, fmt.Errorf("listing sessions: %w", err)
		}
		for _, name := range names {
			all = append(all, name[len(listedKind)+1:])
		}
		return all, nil
	}
	for _, p := range people {
		for _, set := range m.sets(p) {
			theirs, err := m.members(ctx, set, listedKind)
			if err != nil {
				return nil, err
			}
			all = append(all, theirs...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// members are those of a set whose records are there; the others leave it.
func (m shared) members(ctx context.Context, set, kind string) ([]string, error) {
	ids, err := m.Shared.Members(ctx, set)
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	_, gone, err := m.read(ctx, kind, ids)
	if err != nil {
		return nil, err
	}
	if err := m.Shared.Leave(ctx, set, gone); err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	return ids, nil
}

// read gives what the list says about some IDs, and those of which nothing is
// there. A record that does not open says nothing, and stays: perhaps another
// replica has its key.
func (m shared) read(ctx context.Context, kind string, ids []string) (all []Listed, gone []string, err error) {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = kind + ":" + id
	}
	records, err := m.Shared.Records(ctx, names)
	if err != nil {
		return nil, nil, fmt.Errorf("listing sessions: %w", err)
	}
	for i, record := range records {
		if record == nil {
			gone = append(gone, ids[i])
		} else if l, err := m.openListed(kind, ids[i], record); err == nil {
			all = append(all, l)
		}
	}
	return all, gone, nil
}

// sets are those of a person, the first for what is new: the others are those of
// keys that were the newest before.
func (m shared) sets(p person) []string {
	text := "name\x00" + p.nameID
	if p.email != "" {
		text = "email\x00" + folded(p.email)
	}
	all := m.Sealer.Blind("sessions of a person", text)
	for i, sum := range all {
		all[i] = "theirs:" + sum
	}
	return all
}

func (m shared) announce(ctx context.Context, as Listed, life time.Duration) (Announced, error) {
	var id [2 * idHalf]byte
	if _, err := io.ReadFull(m.Rand, id[:]); err != nil {
		return Announced{}, fmt.Errorf("drawing the name of a login: %w", err)
	}
	as.ID, as.Seen, as.Created = hex.EncodeToString(id[:]), m.Now(), m.Now()
	as.Expires = m.Now().Add(life)
	record, ends, err := m.sealListed(enteringKind, as)
	if err != nil {
		return Announced{}, err
	}
	if err := m.Shared.Put(ctx, enteringKind+":"+as.ID, record, ends); err != nil {
		return Announced{}, fmt.Errorf("announcing a login: %w", err)
	}
	if err := m.Shared.Join(ctx, enteringSet, as.ID, life); err != nil {
		return Announced{}, fmt.Errorf("announcing a login: %w", err)
	}
	return Announced{as.ID}, nil
}

func (m shared) withdraw(ctx context.Context, a Announced) (still bool, err error) {
	still, err = m.Shared.Take(ctx, enteringKind+":"+a.id)
	return still, errors.Join(err, m.Shared.Leave(ctx, enteringSet, []string{a.id}))
}

func (m shared) endAnnounced(ctx context.Context, wanted func(Listed) bool) (n int, err error) {
	ids, err := m.members(ctx, enteringSet, enteringKind)
	if err != nil {
		return 0, err
	}
	all, _, err := m.read(ctx, enteringKind, ids)
	if err != nil {
		return 0, err
	}
	for _, l := range all {
		if !wanted(l) {
			continue
		}
		was, err := m.Shared.Take(ctx, enteringKind+":"+l.ID)
		if err != nil {
			return n, fmt.Errorf("ending a login: %w", err)
		}
		if was {
			n++
		}
	}
	return n, nil
}

// sealListed gives the record of what the list says.
func (m shared) sealListed(kind string, l Listed) (record []byte, ends time.Time, err error) {
	_, rest, ok := keyOf(l.ID)
	if !ok {
		return nil, time.Time{}, errListed
	}
	ends = l.Expires
	if idle := l.Seen.Add(m.Idle); idle.Before(ends) {
		ends = idle
	}
	record, err = m.Sealer.Seal(kind, l.ID, nil, append([]byte{recordVersion}, inPlain.listing(l, rest)...), ends)
	return record, ends, err
}

func (m shared) openListed(kind, id string, record []byte) (Listed, error) {
	value, _, err := m.Sealer.Open(kind, id, nil, record)
	if err != nil {
		return Listed{}, err
	}
	key, _, ok := keyOf(id)
	if !ok || len(value) < 1+restAt+len(key) || value[0] != recordVersion {
		return Listed{}, errListed
	}
	return inPlain.read(value[1:], key), nil
}

func listedOf(s *Session) Listed {
	return Listed{ID: s.ID, Principal: s.Principal, IdPSession: s.IdPSession, Roles: s.Roles, Created: s.Created, Seen: s.Seen, Expires: s.Expires}
}

func peopleOf(p saml.Principal) []person {
	all := []person{{nameID: p.NameID}}
	if namedAnew(p) && p.Email != "" {
		all = append(all, person{email: p.Email})
	}
	return all
}

// folded is an address as samePerson compares it.
func folded(email string) string { return strings.ToLower(email) }
