package signin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const secretKey = "label-studio-secret-key-of-the-test"

// studio is a Label Studio as far as signing in goes: as strict as 1.23 about
// forms, tokens and memberships, which the tests in e2e/labelstudiotest show
// of the real one.
type studio struct {
	*httptest.Server
	t   *testing.T
	now time.Time

	mu     sync.Mutex
	users  map[int64]*user
	sent   []string // method and path of each request
	invite string
	// broken answers in place of the studio, when it gives true.
	broken func(w http.ResponseWriter, r *http.Request) bool
}

type user struct {
	ID           int64  `json:"id"`
	Email        string `json:"email"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name"`
	Organization *int64 `json:"active_organization"`
	password     string
	removed      bool
	member       bool
}

func newStudio(t *testing.T) *studio {
	s := &studio{t: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), users: map[int64]*user{}, invite: "invitation-token"}
	s.add("owner@example.test", "the owner's own password")
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *studio) add(email, password string) *user {
	one := int64(1)
	u := &user{ID: int64(len(s.users) + 1), Email: strings.ToLower(email), password: password, Organization: &one, member: true}
	s.users[u.ID] = u
	return u
}

func (s *studio) byEmail(email string) *user {
	for _, u := range s.users {
		if u.Email == strings.ToLower(email) {
			return u
		}
	}
	return nil
}

func (s *studio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, r.Method+" "+r.URL.Path)
	if s.broken != nil && s.broken(w, r) {
		return
	}
	switch route := r.Method + " " + r.URL.Path; {
	case route == "POST /user/login/":
		s.login(w, r)
	case route == "POST /user/signup/":
		s.signup(w, r)
	case route == "GET /api/invite":
		s.as(w, r, func(*user) {
			answer(w, map[string]string{"token": s.invite, "invite_url": "/user/signup/?token=" + s.invite})
		})
	case route == "GET /api/current-user/whoami":
		s.as(w, r, func(u *user) {
			shown := *u
			if u.removed {
				shown.Email, shown.FirstName, shown.LastName = "Deleted", "Deleted", "User"
			}
			answer(w, shown)
		})
	case strings.HasPrefix(route, "PATCH /api/users/"):
		s.as(w, r, func(u *user) {
			if r.URL.Path != fmt.Sprintf("/api/users/%d/", u.ID) || r.Header.Get("Content-Type") != "application/json" {
				s.t.Errorf("%s by user %d", route, u.ID)
			}
			_ = json.NewDecoder(r.Body).Decode(u)
			answer(w, u)
		})
	default:
		s.t.Errorf("Label Studio was asked %s", route)
		w.WriteHeader(http.StatusNotFound)
	}
}

// csrf is Django's double submit: cookie and field alike, 32 letters and digits.
func csrf(r *http.Request) bool {
	cookie, err := r.Cookie("csrftoken")
	field := r.PostFormValue("csrfmiddlewaretoken")
	return err == nil && cookie.Value == field && len(field) == 32 && strings.Trim(field, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func (s *studio) login(w http.ResponseWriter, r *http.Request) {
	u := s.byEmail(r.PostFormValue("email"))
	switch {
	case !csrf(r):
		w.WriteHeader(http.StatusForbidden)
	case u == nil || u.password != r.PostFormValue("password"):
		fmt.Fprint(w, "<form>The email and password you entered don't match.</form>")
	case !u.member:
		w.WriteHeader(http.StatusInternalServerError)
	default:
		one := int64(1)
		u.Organization = &one // also of a removed member: measured
		s.enter(w, u)
	}
}

func (s *studio) signup(w http.ResponseWriter, r *http.Request) {
	switch {
	case !csrf(r) || r.URL.Query().Get("token") != s.invite:
		w.WriteHeader(http.StatusForbidden)
	case s.byEmail(r.PostFormValue("email")) != nil || len(r.PostFormValue("password")) < 8 || len(r.PostFormValue("password")) > 128:
		fmt.Fprint(w, "<form>User with this email already exists</form>")
	default:
		s.enter(w, s.add(r.PostFormValue("email"), r.PostFormValue("password")))
	}
}

func (s *studio) enter(w http.ResponseWriter, u *user) {
	http.SetCookie(w, &http.Cookie{Name: "csrftoken", Value: "rotated"})
	http.SetCookie(w, &http.Cookie{Name: "sessionid", Value: "session-of-" + strconv.FormatInt(u.ID, 10)})
	w.Header().Set("Location", "/")
	w.WriteHeader(http.StatusFound)
}

// as finds who asks, by session or by bearer, and answers for that user.
func (s *studio) as(w http.ResponseWriter, r *http.Request, do func(*user)) {
	var id string
	if cookie, err := r.Cookie("sessionid"); err == nil {
		id = strings.TrimPrefix(cookie.Value, "session-of-")
	}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(bearer, claims, func(*jwt.Token) (any, error) { return []byte(secretKey), nil },
			jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(func() time.Time { return s.now }))
		if err == nil && claims["token_type"] == "access" && claims["jti"] != nil {
			id, _ = claims["user_id"].(string)
		}
	}
	n, _ := strconv.ParseInt(id, 10, 64)
	switch u := s.users[n]; {
	case u == nil:
		w.WriteHeader(http.StatusUnauthorized)
	case u.Organization == nil:
		w.WriteHeader(http.StatusInternalServerError)
	default:
		do(u)
	}
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (s *studio) base() *url.URL {
	u, err := url.Parse(s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func (s *studio) count(route string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sent := range s.sent {
		if sent == route {
			n++
		}
	}
	return n
}

// breaks puts the function in front of the studio; nil takes it away.
func (s *studio) breaks(how func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = how
}

func (s *studio) change(id int64, how func(*user)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(s.users[id])
}

// user gives a copy of the user, a zero one when there is none.
func (s *studio) user(id int64) user {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[id]; u != nil {
		return *u
	}
	return user{}
}

func (s *studio) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.users)
}

func (s *studio) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}
