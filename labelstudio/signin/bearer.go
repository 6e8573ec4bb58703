// Package signin signs people into Label Studio Community, which knows nothing
// of SAML, without changing it.
//
// Bearer makes the credential: Label Studio takes a JSON Web Token that is
// signed with its own SECRET_KEY as the user that the token names, for pages
// and for the API, without a cookie. So whoever holds that key says who is
// asking; Rolepass says it for the person that the identity provider named.
//
//	bearer := signin.Bearer{Key: secretKey, Now: time.Now, Rand: rand.Reader}
//	authorization, err := bearer.Authorization(userID)
//
// Tokens is for operators who do not share that key: each person's own personal
// access token, which Label Studio changes into such bearers.
//
// Accounts finds the user id, making the account at the first sign-in:
//
//	accounts := signin.Accounts{Base: base, HTTP: client, Bearer: signin.NewBearers(bearer).Authorization, Owner: 1, Keys: keys, Rand: rand.Reader}
//	userID, err := accounts.SignIn(ctx, signin.Person{IdP: ..., NameID: ..., Email: ...})
//
// An account belongs to a person, that is to an identity provider and the
// persistent NameID it gave, and not to an e-mail address: the account's
// password is derived from the two, so only an account that this derivation
// opens was made for this very person, and it carries a mark of theirs by which
// it is found under whatever address. Nothing is stored. An account that
// somebody made otherwise, by hand or by another sign-up, is refused, or adopted
// where the operator says so; the owner's is refused always.
//
// The package does not change a person's roles in Label Studio (Community has
// none), nor the address that an account has there, and does not delete
// accounts.
package signin

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rolepass/rolepass/presign"
)

const (
	// life is Label Studio's own life of an access token.
	life = 5 * time.Minute
	// skew is how far Label Studio's clock may be behind ours: it refuses a
	// token that was issued in its future.
	skew = time.Minute
)

// Bearer makes bearers that Label Studio accepts.
type Bearer struct {
	// Key is Label Studio's SECRET_KEY.
	Key presign.Secret
	// Now is the time; time.Now outside tests.
	Now func() time.Time
	// Rand gives the token ids; crypto/rand.Reader outside tests.
	Rand io.Reader
}

// claims are those of an access token of djangorestframework-simplejwt 5: it
// requires each but iat.
type claims struct {
	TokenType string `json:"token_type"`
	UserID    string `json:"user_id"`
	jwt.RegisteredClaims
}

// Authorization gives the value of an Authorization header, "Bearer" and a
// token for the user, good for five minutes.
func (b Bearer) Authorization(userID int64) (presign.Secret, error) {
	if userID <= 0 || b.Key == "" {
		return "", fmt.Errorf("making a bearer: it needs a user id and Label Studio's secret key")
	}
	var id [16]byte
	if _, err := io.ReadFull(b.Rand, id[:]); err != nil {
		return "", fmt.Errorf("making a bearer: %w", err)
	}
	now := b.Now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		TokenType: "access",
		UserID:    strconv.FormatInt(userID, 10),
		RegisteredClaims: jwt.RegisteredClaims{
			ID:        hex.EncodeToString(id[:]),
			IssuedAt:  jwt.NewNumericDate(now.Add(-skew)),
			ExpiresAt: jwt.NewNumericDate(now.Add(life)),
		},
	}).SignedString([]byte(b.Key.Reveal()))
	if err != nil {
		return "", fmt.Errorf("signing a bearer: %w", err)
	}
	return presign.Secret("Bearer " + token), nil
}
