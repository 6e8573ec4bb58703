package signin_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rolepass/rolepass/labelstudio/signin"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func minter() signin.Bearer {
	return signin.Bearer{Key: secretKey, Now: func() time.Time { return noon }, Rand: rand.Reader}
}

func TestABearerIsOneOfLabelStudiosAccessTokens(t *testing.T) {
	authorization, err := minter().Authorization(42)
	if err != nil {
		t.Fatal(err)
	}
	token, ok := strings.CutPrefix(authorization.Reveal(), "Bearer ")
	claims := jwt.MapClaims{}
	parsed, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte(secretKey), nil }, jwt.WithoutClaimsValidation())
	if !ok || err != nil || parsed.Method.Alg() != "HS256" {
		t.Fatalf("%v, %v", ok, err)
	}
	for name, want := range map[string]any{"token_type": "access", "user_id": "42", "exp": float64(noon.Unix() + 300), "iat": float64(noon.Unix() - 60)} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	if id, _ := claims["jti"].(string); len(id) != 32 || len(claims) != 5 {
		t.Errorf("the claims are %v", claims)
	}
	another, _ := minter().Authorization(42)
	if another.Reveal() == authorization.Reveal() {
		t.Error("two tokens have the same id")
	}
	if said := fmt.Sprintf("%v %+v %#v", authorization, minter(), minter()); strings.Contains(said, secretKey) || strings.Contains(said, token) {
		t.Errorf("printing tells %s", said)
	}
}

func TestBearersThatAreNotMade(t *testing.T) {
	for _, id := range []int64{0, -1} {
		if got, err := minter().Authorization(id); err == nil || got != "" {
			t.Errorf("user %d gets a bearer", id)
		}
	}
	keyless := minter()
	keyless.Key = ""
	if got, err := keyless.Authorization(1); err == nil || got != "" {
		t.Error("an empty key signs")
	}
	dull := minter()
	dull.Rand = bytes.NewReader(nil)
	if got, err := dull.Authorization(1); err == nil || got != "" {
		t.Error("a token without an id is made")
	}
}
