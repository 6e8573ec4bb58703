package signin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rolepass/rolepass/labelstudio/signin"
	"github.com/rolepass/rolepass/refusal"
)

// tokenOffice is Label Studio as far as personal access tokens go: one a user,
// shown without its signature, changed into bearers of five minutes.
// e2e/labelstudiotest shows the same of the real one.
type tokenOffice struct {
	t    *testing.T
	user int64

	mu      sync.Mutex
	tokens  []string // not revoked
	made    int
	changed int
	refuse  bool
	as      int64 // whose bearers are given
	hold    chan struct{}
}

func (o *tokenOffice) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	o.ServeHTTP(w, r)
	return w.Result(), nil
}

func (o *tokenOffice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/token/refresh/" && o.hold != nil {
		<-o.hold
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	var body struct {
		Refresh string `json:"refresh"`
	}
	if r.Body != nil {
		_ = json.NewDecoder(r.Body).Decode(&body)
	}
	cookie, _ := r.Cookie("sessionid")
	if r.URL.Path != "/api/token/refresh/" && (cookie == nil || cookie.Value != "of-the-user") {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /api/token/":
		var shown []map[string]string
		for _, token := range o.tokens {
			shown = append(shown, map[string]string{"token": strings.TrimSuffix(token, ".signature")})
		}
		answer(w, shown)
	case "POST /api/token/blacklist/":
		if len(o.tokens) == 0 || o.tokens[0] != body.Refresh+".signature" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		o.tokens = nil
		w.WriteHeader(http.StatusNoContent)
	case "POST /api/token/":
		if len(o.tokens) > 0 {
			w.WriteHeader(http.StatusConflict)
			return
		}
		o.made++
		o.tokens = []string{"token-" + strconv.Itoa(o.made) + ".signature"}
		w.WriteHeader(http.StatusCreated)
		answer(w, map[string]string{"token": o.tokens[0]})
	case "POST /api/token/refresh/":
		if o.refuse || len(o.tokens) == 0 || o.tokens[0] != body.Refresh {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		o.changed++
		// Label Studio's clock is an hour behind: only the life counts.
		now := time.Now().Add(-time.Hour)
		access, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"token_type": "access", "user_id": strconv.FormatInt(o.as, 10), "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "jti": strconv.Itoa(o.changed),
		}).SignedString([]byte("a key that only Label Studio has"))
		if err != nil {
			o.t.Error(err)
		}
		answer(w, map[string]string{"access": access})
	default:
		o.t.Errorf("Label Studio was asked %s %s", r.Method, r.URL.Path)
	}
}

func (o *tokenOffice) changes() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.changed
}

var ofTheUser = &http.Cookie{Name: "sessionid", Value: "of-the-user"}

func office(t *testing.T) (*tokenOffice, *signin.Tokens) {
	o := &tokenOffice{t: t, user: 7, as: 7}
	return o, signin.NewTokens(&url.URL{Scheme: "http", Host: "studio.test"}, &http.Client{Transport: o}, time.Now)
}

// A login takes a token in place of the one that is there; a second login of
// the same person keeps it, so that the first goes on.
func TestALoginTakesTheUsersOneToken(t *testing.T) {
	o, tokens := office(t)
	o.tokens = []string{"the user's own.signature"}
	for range 2 {
		if err := tokens.Take(t.Context(), 7, ofTheUser); err != nil {
			t.Fatal(err)
		}
	}
	if o.made != 1 || len(o.tokens) != 1 || o.tokens[0] != "token-1.signature" {
		t.Errorf("%d tokens were made; there are %v", o.made, o.tokens)
	}
	if err := tokens.Take(t.Context(), 8, &http.Cookie{Name: "sessionid", Value: "of somebody else"}); err == nil {
		t.Error("a session that Label Studio does not know gave a token")
	}
}

// Within half of a bearer's life Label Studio is not asked; after it, one
// question renews it while the old one serves; when it has ended, one question
// serves all who wait.
func TestABearerIsRenewedBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, tokens := office(t)
		if err := tokens.Take(t.Context(), 7, ofTheUser); err != nil {
			t.Fatal(err)
		}
		get := func() string {
			t.Helper()
			authorization, err := tokens.Authorization(t.Context(), 7)
			if err != nil || !strings.HasPrefix(authorization.Reveal(), "Bearer ") {
				t.Fatalf("gave %v, %v", authorization, err)
			}
			return authorization.Reveal()
		}
		first, asked := get(), o.changes()
		time.Sleep(2 * time.Minute)
		if get() != first || o.changes() != asked {
			t.Error("Label Studio was asked within half of the bearer's life")
		}
		time.Sleep(time.Minute)
		if get() != first {
			t.Error("a request waited though the old bearer still served")
		}
		synctest.Wait()
		if second := get(); second == first || o.changes() != asked+1 {
			t.Errorf("the bearer was renewed %d times", o.changes()-asked)
		}
		time.Sleep(time.Hour)
		asked, o.hold = o.changes(), make(chan struct{})
		var waiting sync.WaitGroup
		for range 20 {
			waiting.Go(func() { get() })
		}
		synctest.Wait()
		close(o.hold)
		waiting.Wait()
		if o.changes() != asked+1 {
			t.Errorf("20 requests asked %d times", o.changes()-asked)
		}
	})
}

func TestTokensThatGiveNothing(t *testing.T) {
	for name, c := range map[string]struct {
		break_ func(*tokenOffice)
		user   int64
		code   refusal.Code
	}{
		"nobody's":           {func(*tokenOffice) {}, 9, signin.CodeNoToken},
		"revoked meanwhile":  {func(o *tokenOffice) { o.refuse = true }, 7, signin.CodeBearer},
		"another's bearers":  {func(o *tokenOffice) { o.as = 1 }, 7, signin.CodeUnavailable},
		"nothing to go with": {func(o *tokenOffice) { o.tokens = nil }, 7, signin.CodeBearer},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, tokens := office(t)
				if err := tokens.Take(t.Context(), 7, ofTheUser); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour) // what was given has ended
				c.break_(o)
				authorization, err := tokens.Authorization(t.Context(), c.user)
				var ref *refusal.Refusal
				if authorization != "" || !errors.As(err, &ref) || ref.Code != c.code {
					t.Errorf("gave %q, %v; want %s", fmt.Sprint(authorization), err, c.code)
				}
			})
		})
	}
}
