package signin

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/rolepass/rolepass/presign"
)

const (
	// reuse is how long one bearer serves: so short of its life that none ends
	// on its way.
	reuse = life / 2
	// mostBearers bounds how many are kept.
	mostBearers = 1 << 14
)

// Bearers makes bearers and gives the same one again for half of its life:
// making one costs more than signing an S3 location. It is safe for concurrent
// use.
type Bearers struct {
	bearer Bearer

	mu   sync.Mutex
	kept *simplelru.LRU[int64, keptBearer]
}

type keptBearer struct {
	authorization presign.Secret
	until         time.Time
}

// NewBearers makes Bearers.
func NewBearers(b Bearer) *Bearers {
	kept, err := simplelru.NewLRU[int64, keptBearer](mostBearers, nil)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &Bearers{bearer: b, kept: kept}
}

// Authorization is Bearer.Authorization; what it gives is good for at least
// half of a bearer's life.
func (b *Bearers) Authorization(_ context.Context, userID int64) (presign.Secret, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.bearer.Now()
	if kept, ok := b.kept.Get(userID); ok && now.Before(kept.until) {
		return kept.authorization, nil
	}
	authorization, err := b.bearer.Authorization(userID)
	if err != nil {
		return "", err
	}
	b.kept.Add(userID, keptBearer{authorization, now.Add(reuse)})
	return authorization, nil
}
