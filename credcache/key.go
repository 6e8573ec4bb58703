package credcache

import (
	"strconv"

	"github.com/rolepass/rolepass/session"
)

// Key says whose credentials are meant: one session's, of one role, for one
// shard of the role's session policies.
type Key struct {
	Session *session.Session
	Role    string
	Shard   int
}

// place is the key as the cache in memory compares it, without a string of its
// own.
func (k Key) place() place { return place{k.Session.ID, k.Role, k.Shard} }

type place struct {
	session, role string
	shard         int
}

// name is the key's one spelling, in the sealed state and its names. The
// session's ID has a fixed length and the shard no colon, so two keys never
// share a name.
func (k Key) name() string {
	return k.Session.ID + ":" + strconv.Itoa(k.Shard) + ":" + k.Role
}
