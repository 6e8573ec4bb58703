package signin

import (
	"context"
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// remembered are the accounts that opened lately, by person. Opening one costs Label
// Studio a password hash, most of a second, and people come again all day: with each
// renewal of their credentials, in each browser. The zero value is ready. It is safe
// for concurrent use.
type remembered struct {
	mu   sync.Mutex
	kept *simplelru.LRU[[sha256.Size]byte, rememberedAccount]
}

type rememberedAccount struct {
	id    int64
	until time.Time
}

// mostRemembered bounds how many are kept.
const mostRemembered = 1 << 16

func (r *remembered) put(key [sha256.Size]byte, id int64, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil {
		kept, err := simplelru.NewLRU[[sha256.Size]byte, rememberedAccount](mostRemembered, nil)
		if err != nil {
			panic(err) // only for a size below one
		}
		r.kept = kept
	}
	r.kept.Add(key, rememberedAccount{id, until})
}

func (r *remembered) get(key [sha256.Size]byte, now time.Time) (id int64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil {
		return 0, false
	}
	kept, ok := r.kept.Get(key)
	if !ok || !now.Before(kept.until) {
		r.kept.Remove(key)
		return 0, false
	}
	return kept.id, true
}

// rememberedAs lies in memory in a person's place.
func (a *Accounts) rememberedAs(person Person) [sha256.Size]byte {
	return [sha256.Size]byte(person.derive(a.Keys[0], "rolepass label-studio remembered v1"))
}

// again gives the account of a person for whom it opened lately. Label Studio is
// asked all the same: the account must be in use, in the organization, under the
// person's address, and carry their mark, which nobody can write without our key.
// Only the password is not tried. Where any of it does not hold, the long way says
// what is the matter.
func (a *Accounts) again(ctx context.Context, person Person) (account, bool) {
	if !a.remembers() {
		return account{}, false
	}
	id, ok := a.lately.get(a.rememberedAs(person), a.Now())
	if !ok {
		return account{}, false
	}
	who, err := a.confirm(ctx, account{ID: id, Email: person.Email})
	if err != nil || !strings.HasSuffix(who.Username, markOf(who.ID, person, a.Keys[0])) {
		return account{}, false
	}
	return who, true
}

// remembers is false, too, where each account has a token of its own: opening it
// makes a new one if that was revoked.
func (a *Accounts) remembers() bool { return a.Remember > 0 && len(a.Keys) > 0 && a.Opened == nil }

// remember keeps an account that opened by its password, under the address by which
// again looks for it. One that was found in another way is looked at in full each
// time.
func (a *Accounts) remember(person Person, found account) {
	if a.remembers() && found.byPassword && person.is(found.Email) {
		a.lately.put(a.rememberedAs(person), found.ID, a.Now().Add(a.Remember))
	}
}
