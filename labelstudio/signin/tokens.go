package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"

	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// patience is how long one renewal may take, however many wait for it.
const patience = 5 * time.Second

// Tokens gives the credential of Label Studio's users where its SECRET_KEY is
// not shared: each person's own personal access token, which Label Studio
// changes into a bearer of five minutes. It holds them in memory only. Label
// Studio lets a user have one such token, so the one that the person had from
// elsewhere is revoked when Tokens takes its own. It is safe for concurrent
// use.
type Tokens struct {
	studio caller
	now    func() time.Time

	renewals singleflight.Group

	mu   sync.Mutex
	kept *simplelru.LRU[int64, keptToken]
}

// keptToken is a user's personal token with the bearer that it gave last.
type keptToken struct {
	personal      presign.Secret
	authorization presign.Secret
	// reuse is when a new bearer is fetched, while the old one still serves
	// until it ends.
	reuse, ends time.Time
}

// NewTokens makes Tokens for the Label Studio at base.
func NewTokens(base *url.URL, http *http.Client, now func() time.Time) *Tokens {
	kept, err := simplelru.NewLRU[int64, keptToken](mostBearers, nil)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &Tokens{studio: caller{base, http}, now: now, kept: kept}
}

// Keep takes a token that the operator made, such as the owner's.
func (t *Tokens) Keep(userID int64, personal presign.Secret) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept.Add(userID, keptToken{personal: personal})
}

// Take makes a personal token as the user whose session cookie it is, unless
// the one that is kept still serves.
func (t *Tokens) Take(ctx context.Context, userID int64, session *http.Cookie) error {
	if _, err := t.renew(ctx, userID); err == nil {
		return nil
	}
	as := func(r *http.Request) { r.AddCookie(session) }
	if err := t.studio.revokeTokens(ctx, as); err != nil {
		return err
	}
	var made struct {
		Token string `json:"token"`
	}
	if err := t.studio.post(ctx, "/api/token/", as, struct{}{}, &made, http.StatusCreated); err != nil {
		return err
	}
	if made.Token == "" {
		return unavailable(errors.New("/api/token/ gave no token"))
	}
	t.Keep(userID, presign.Secret(made.Token))
	_, err := t.renew(ctx, userID)
	return err
}

// revokeTokens ends the personal access tokens of a user.
func (c caller) revokeTokens(ctx context.Context, as func(*http.Request)) error {
	var had []struct {
		Token string `json:"token"`
	}
	if err := c.get(ctx, "/api/token/", as, &had); err != nil {
		return err
	}
	for _, one := range had {
		if err := c.post(ctx, "/api/token/blacklist/", as, map[string]string{"refresh": one.Token}, nil, http.StatusNoContent); err != nil {
			return err
		}
	}
	return nil
}

// Authorization gives the value of an Authorization header for a user. It asks
// Label Studio once in some minutes, and waits for that only when the last
// bearer has ended.
func (t *Tokens) Authorization(ctx context.Context, userID int64) (presign.Secret, error) {
	kept, ok := t.get(userID)
	switch now := t.now(); {
	case !ok:
		return "", refusal.New(refusal.Forbidden, CodeNoToken, "No token of Label Studio is kept for this person: they sign out and in again.")
	case now.Before(kept.reuse):
		return kept.authorization, nil
	case now.Before(kept.ends):
		// The old bearer serves meanwhile; if this fails the next request
		// tries again.
		go func() { _, _ = t.renew(context.WithoutCancel(ctx), userID) }()
		return kept.authorization, nil
	}
	return t.renew(ctx, userID)
}

func (t *Tokens) get(userID int64) (keptToken, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept.Get(userID)
}

// renew changes the personal token into a new bearer, once for all who wait.
func (t *Tokens) renew(ctx context.Context, userID int64) (presign.Secret, error) {
	done := t.renewals.DoChan(strconv.FormatInt(userID, 10), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return t.exchange(ctx, userID)
	})
	select {
	case result := <-done:
		if result.Err != nil {
			return "", result.Err
		}
		return result.Val.(presign.Secret), nil
	case <-ctx.Done():
		return "", unavailable(ctx.Err())
	}
}

func (t *Tokens) exchange(ctx context.Context, userID int64) (presign.Secret, error) {
	kept, ok := t.get(userID)
	if !ok {
		return "", unavailable(errNoToken)
	}
	var fresh struct {
		Access string `json:"access"`
	}
	err := t.studio.post(ctx, "/api/token/refresh/", func(*http.Request) {}, map[string]string{"refresh": kept.personal.Reveal()}, &fresh, http.StatusOK)
	if err != nil {
		return "", err
	}
	lives, err := lifeOf(fresh.Access, userID)
	if err != nil {
		return "", unavailable(err)
	}
	now := t.now()
	kept.authorization, kept.reuse, kept.ends = presign.Secret("Bearer "+fresh.Access), now.Add(lives/2), now.Add(lives*9/10)
	t.mu.Lock()
	defer t.mu.Unlock()
	if still, ok := t.kept.Peek(userID); ok && still.personal == kept.personal {
		t.kept.Add(userID, kept)
	}
	return kept.authorization, nil
}

var errNoToken = errors.New("no token is kept for the user")

// lifeOf reads how long Label Studio's bearer lives, and that it is the
// user's. The difference of its two times means the same on every clock. The
// signature is Label Studio's own business: the bearer goes back to where it
// came from.
func lifeOf(access string, userID int64) (time.Duration, error) {
	var c claims
	if _, _, err := jwt.NewParser().ParseUnverified(access, &c); err != nil {
		return 0, fmt.Errorf("reading a bearer of Label Studio: %w", err)
	}
	if c.UserID != strconv.FormatInt(userID, 10) || c.ExpiresAt == nil || c.IssuedAt == nil || !c.ExpiresAt.After(c.IssuedAt.Time) {
		return 0, errors.New("a bearer of Label Studio is another user's, or has no life")
	}
	return c.ExpiresAt.Sub(c.IssuedAt.Time), nil
}
