package client_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// jwt writes what looks like a token with this payload.
func jwt(payload string) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg": "HS256"}`)) + "." + part([]byte(payload)) + ".c2lnbmVk"
}

// changer is a Label Studio that changes one personal token into a bearer, takes
// the bearer alone, and counts what it is asked.
type changer struct {
	personal string
	bearer   string
	asked    map[string]int
}

func (c *changer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.asked[r.Method+" "+r.URL.Path]++
	switch r.URL.Path {
	case "/api/token/refresh/":
		var sent struct{ Refresh string }
		if json.NewDecoder(r.Body).Decode(&sent) != nil || sent.Refresh != c.personal || r.Header.Get("Authorization") != "" || r.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"access": %q}`, c.bearer)
	case "/api/current-user/whoami":
		if r.Header.Get("Authorization") != "Bearer "+c.bearer {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"id": 7, "email": "ml@example.com"}`)
	}
}

// Label Studio gives programs a personal token, which its API does not take: it
// is changed first, and what is asked after that is asked with what it became.
func TestAPersonalTokenIsChanged(t *testing.T) {
	studio := &changer{personal: jwt(`{"token_type": "refresh", "user_id": "7"}`), bearer: "of-five-minutes", asked: map[string]int{}}
	c := serving(t, studio.ServeHTTP)
	asker := client.Asker{Session: "token a", Credential: "a", Authorization: presign.Secret("Bearer " + studio.personal)}
	for range 3 {
		who, err := c.Owner(t.Context(), asker)
		if err != nil || who.ID != 7 || who.Authorization != "Bearer of-five-minutes" {
			t.Fatalf("it is %d's, and worth the right bearer: %t (%v)", who.ID, who.Authorization == "Bearer of-five-minutes", err)
		}
	}
	if studio.asked["POST /api/token/refresh/"] != 1 || studio.asked["GET /api/current-user/whoami"] != 1 {
		t.Errorf("Label Studio was asked %v", studio.asked)
	}
	// A token of the API's own goes as it is.
	as := client.Asker{Session: "token b", Credential: "b", Authorization: "Bearer of-five-minutes"}
	if who, err := c.Owner(t.Context(), as); err != nil || who.Authorization != as.Authorization {
		t.Errorf("another token is worth something else (%v)", err)
	}
}

// What only looks like a personal token is somebody's if Label Studio says so.
func TestTokensThatAreNotChanged(t *testing.T) {
	studio := &changer{personal: "another", bearer: "of-five-minutes", asked: map[string]int{}}
	c := serving(t, studio.ServeHTTP)
	for name, text := range map[string]struct {
		authorization string
		changed       int
	}{
		"one that Label Studio does not know": {"Bearer " + jwt(`{"token_type": "refresh"}`), 1},
		"one of the API":                      {"Bearer " + jwt(`{"token_type": "access"}`), 0},
		"one without a type":                  {"Bearer " + jwt(`{}`), 0},
		"one whose type is no text":           {"Bearer " + jwt(`{"token_type": ["refresh"]}`), 0},
		"no JSON":                             {"Bearer " + jwt(`refresh`), 0},
		"no base64":                           {"Bearer a.%%%.c", 0},
		"another scheme":                      {"Token " + jwt(`{"token_type": "refresh"}`), 0},
		"too many parts":                      {"Bearer " + jwt(`{"token_type": "refresh"}`) + ".d", 0},
		"nothing":                             {"Bearer ", 0},
	} {
		clear(studio.asked)
		_, err := c.Owner(t.Context(), client.Asker{Session: name, Credential: name, Authorization: presign.Secret(text.authorization)})
		isRefused(t, err, refusal.Unauthenticated, client.CodeIdentity)
		if studio.asked["POST /api/token/refresh/"] != text.changed {
			t.Errorf("%s: Label Studio was asked %v", name, studio.asked)
		}
	}
}

// A bearer that is none is no answer, and the token is in no error.
func TestAChangeThatGivesNothing(t *testing.T) {
	c := serving(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"access": ""}`) })
	token := jwt(`{"token_type": "refresh"}`)
	_, err := c.Owner(t.Context(), client.Asker{Session: "s", Credential: "c", Authorization: presign.Secret("Bearer " + token)})
	isRefused(t, err, refusal.Unavailable, client.CodeUnavailable)
	if strings.Contains(fmt.Sprintf("%+v", err), token) {
		t.Error("the token is told")
	}
}
