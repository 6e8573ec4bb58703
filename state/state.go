// Package state keeps sealed records, wherever they live.
//
// Whoever has something to keep (package session its sessions, package
// credcache its credentials, package login the assertions that were used)
// seals it with a Sealer and puts it into a Store. A Store sees names and
// sealed bytes only, so it may be memory or a server that is not
// trusted with the contents.
//
// The package decides nothing: it does not know what a session is, and a
// record that does not open is simply not there.
package state

import (
	"context"
	"time"
)

// Store keeps records by name until they expire. It is safe for concurrent
// use. Do not change a record that was put or got: a Store may hold the same.
type Store interface {
	// Put keeps a record, in place of one with the same name.
	Put(ctx context.Context, name string, record []byte, expires time.Time) error
	// Replace is Put for a name that is there, and ErrNotFound otherwise: a
	// record that was deleted meanwhile stays deleted.
	Replace(ctx context.Context, name string, record []byte, expires time.Time) error
	// Get gives a record, or ErrNotFound.
	Get(ctx context.Context, name string) ([]byte, error)
	// Delete forgets a record; one that is not there is no error.
	Delete(ctx context.Context, name string) error
}

// Once remembers names, so that each is used a single time.
type Once interface {
	// Use reports whether this is the first use of the name. Of concurrent
	// callers exactly one is first. After expires the name may be forgotten.
	// An error means that it could not be known: then nobody is first.
	Use(ctx context.Context, name string, expires time.Time) (first bool, err error)
}
