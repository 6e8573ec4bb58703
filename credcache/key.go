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

// name is the key's one spelling, in the cache and in the sealed state. The
// session's ID has a fixed length and the shard no colon, so two keys never
// share a name.
func (k Key) name() string {
	return k.Session.ID + ":" + strconv.Itoa(k.Shard) + ":" + k.Role
}
