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

	mu    sync.Mutex
	users map[int64]*user
	// programs are the accounts that are programs'.
	programs []int64
	sent     []string // method and path of each request
	invite   string
	// broken answers in place of the studio, when it gives true.
	broken func(w http.ResponseWriter, r *http.Request) bool
}

type user struct {
	ID           int64  `json:"id"`
	Email        string `json:"email"`
	Username     string `json:"username"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name"`
	Organization *int64 `json:"active_organization"`
	password     string
	removed      bool
	member       bool
	// inactive and staff are switches of Django's; tokens are the personal ones,
	// legacy counts how often the other was reset.
	inactive, staff bool
	tokens          []string
	legacy          int
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
	local, _, _ := strings.Cut(email, "@")
	u := &user{ID: int64(len(s.users) + 1), Email: strings.ToLower(email), Username: strings.ToLower(local), password: password, Organization: &one, member: true}
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
			answer(w, u.shown())
		})
	case strings.HasPrefix(r.URL.Path, "/api/users/"):
		s.as(w, r, func(*user) { s.account(w, r) })
	case strings.HasPrefix(r.URL.Path, "/api/organizations/"), r.URL.Path == "/admin/", strings.HasPrefix(r.URL.Path, "/api/token/"), route == "POST /api/current-user/reset-token/":
		s.as(w, r, func(u *user) { s.standing(w, r, u) })
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
	case u == nil || u.password != r.PostFormValue("password") || u.inactive:
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
	case u == nil || u.inactive:
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

// shown is a user as the API shows them: of who was removed, the number only.
func (u *user) shown() user {
	shown := *u
	if u.removed {
		shown.Email, shown.Username, shown.FirstName, shown.LastName = "Deleted", "Deleted", "Deleted", "User"
	}
	return shown
}

// account is /api/users/N/, which every member may read and change.
func (s *studio) account(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(r.URL.Path, "/api/users/"), "/"), 10, 64)
	of := s.users[id]
	if err != nil || of == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if r.Method == http.MethodPatch {
		if r.Header.Get("Content-Type") != "application/json" {
			s.t.Errorf("a PATCH with the type %q", r.Header.Get("Content-Type"))
		}
		before := of.Email
		_ = json.NewDecoder(r.Body).Decode(of)
		of.Email = before // read-only
	}
	answer(w, of.shown())
}

// standing is what is asked about a user before their account is adopted, and
// the list in which people are looked for.
func (s *studio) standing(w http.ResponseWriter, r *http.Request, u *user) {
	switch route := r.Method + " " + r.URL.Path; {
	case route == "GET /api/organizations/":
		answer(w, []map[string]any{{"id": 1}})
	case route == "GET /api/organizations/1":
		answer(w, map[string]any{"id": 1, "created_by": 1})
	case route == "GET /api/organizations/1/memberships":
		s.memberships(w, r)
	case route == "GET /admin/" && !u.staff:
		w.Header().Set("Location", "/admin/login/?next=/admin/")
		w.WriteHeader(http.StatusFound)
	case route == "GET /admin/":
		fmt.Fprint(w, "<title>Site administration</title>")
	case route == "GET /api/token/":
		all := []map[string]string{}
		for _, token := range u.tokens {
			all = append(all, map[string]string{"token": token})
		}
		answer(w, all)
	case route == "POST /api/token/blacklist/":
		u.tokens = nil
		w.WriteHeader(http.StatusNoContent)
	case route == "POST /api/current-user/reset-token/":
		u.legacy++
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"token": "fresh"}`)
	default:
		s.t.Errorf("Label Studio was asked %s", route)
		w.WriteHeader(http.StatusNotFound)
	}
}

// memberships is one page of the organization's members.
func (s *studio) memberships(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("page_size"))
	results, next := []map[string]any{}, any(nil)
	for id := int64((page-1)*size + 1); id <= int64(page*size); id++ {
		if u := s.users[id]; u != nil && u.member {
			results = append(results, map[string]any{"id": id, "user": u.shown()})
		}
	}
	if page*size < len(s.users) {
		next = s.URL + "/api/organizations/1/memberships?page=" + strconv.Itoa(page+1)
	}
	answer(w, map[string]any{"count": len(s.users), "next": next, "results": results})
}
