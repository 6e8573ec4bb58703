package labelstudiotest_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/labelstudio/signin"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// person is somebody whom no other test knows.
func person(t *testing.T, name string) signin.Person {
	test := strings.ToLower(strings.TrimPrefix(t.Name(), "Test"))
	return signin.Person{IdP: "https://idp.test", NameID: "persistent-" + name + test, Email: name + "@" + test + ".test", FirstName: "Given " + name, LastName: "Family"}
}

func signsIn(t *testing.T, a *signin.Accounts, p signin.Person) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), askPatience)
	defer cancel()
	id, err := a.SignIn(ctx, p)
	if err != nil {
		t.Fatalf("signing in: %v, because of %v", err, errors.Unwrap(err))
	}
	return id
}

func isRefused(t *testing.T, a *signin.Accounts, p signin.Person, code refusal.Code) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), askPatience)
	defer cancel()
	id, err := a.SignIn(ctx, p)
	var r *refusal.Refusal
	if !errors.As(err, &r) || r.Code != code || id != 0 {
		t.Errorf("signing in gives user %d, %v (%v); want it refused as %s", id, err, errors.Unwrap(err), code)
	}
}

// whoami is what Label Studio says of a user to the user.
type whoami struct {
	ID           int64  `json:"id"`
	Email        string `json:"email"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name"`
	Organization int64  `json:"active_organization"`
}

func TestSignIn(t *testing.T) {
	s := labelStudio(t)
	ada := person(t, "Ada")
	id := signsIn(t, s.accounts(), ada)
	var who whoami
	s.must(t, "GET", "/api/current-user/whoami", id, nil, &who)
	if want := (whoami{id, strings.ToLower(ada.Email), ada.FirstName, ada.LastName, 1}); who != want || id == ownerID {
		t.Errorf("the account is %+v, want %+v", who, want)
	}
	if again := signsIn(t, s.accounts(), ada); again != id {
		t.Errorf("the second sign-in gives user %d, the first %d", again, id)
	}
	rotated := s.accounts()
	rotated.Keys = append([]presign.Secret{"a newer key"}, rotated.Keys...)
	if again := signsIn(t, rotated, ada); again != id {
		t.Errorf("after a new key the person is user %d, was %d", again, id)
	}

	eve := person(t, "Eve")
	eve.Email = strings.ToUpper(ada.Email)
	isRefused(t, s.accounts(), eve, signin.CodeNotBound)
}

func TestAccountsMadeByHandAreNotAdopted(t *testing.T) {
	s := labelStudio(t)
	var invite struct {
		Token string `json:"token"`
	}
	s.must(t, "GET", "/api/invite", ownerID, nil, &invite)
	byHand := person(t, "hand")
	token := strings.Repeat("c", 32)
	form := url.Values{"csrfmiddlewaretoken": {token}, "email": {byHand.Email}, "password": {"chosen by hand"}}
	request, err := http.NewRequestWithContext(t.Context(), "POST", s.base.String()+"/user/signup/?token="+invite.Token, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.AddCookie(&http.Cookie{Name: "csrftoken", Value: token})
	if status, _ := s.send(t, request); status != http.StatusFound {
		t.Fatalf("the sign-up by hand gives %d", status)
	}
	isRefused(t, s.accounts(), byHand, signin.CodeNotBound)

	// Made over the API: no password, no organization of its own.
	listed := person(t, "listed")
	s.must(t, "POST", "/api/users/", ownerID, map[string]string{"email": listed.Email, "username": "listed"}, nil)
	isRefused(t, s.accounts(), listed, signin.CodeNotBound)

	owner := person(t, "owner")
	owner.Email = ownerEmail
	isRefused(t, s.accounts(), owner, signin.CodeNotBound)
}

func TestWhoWasRemovedStaysOut(t *testing.T) {
	s := labelStudio(t)
	ada := person(t, "ada")
	id := signsIn(t, s.accounts(), ada)
	task := s.task(t, s.project(t), map[string]any{"image": "s3://imaging/k.png"})
	if _, err := s.client().Task(t.Context(), s.asker(t, id), task); err != nil {
		t.Fatalf("a member may not see a task: %v", err)
	}
	page := s.client()
	page.ByProject = true
	if _, err := page.Task(t.Context(), s.asker(t, id), task); err != nil {
		t.Fatalf("a member may not see a task: %v", err)
	}
	s.must(t, "DELETE", fmt.Sprintf("/api/organizations/1/memberships/%d/", id), ownerID, nil, nil)
	page.Forget(s.asker(t, id).Session)
	for _, c := range []*client.Client{s.client(), page} {
		if _, err := c.Task(t.Context(), s.asker(t, id), task); err == nil {
			t.Error("the bearer of a removed member still sees the task")
		}
	}
	isRefused(t, s.accounts(), ada, signin.CodeRemoved)
	// Label Studio's login took the person back as far as an organization goes;
	// the task stays out of reach, asked for alone or with its project.
	page.Forget(s.asker(t, id).Session)
	for _, c := range []*client.Client{s.client(), page} {
		_, err := c.Task(t.Context(), s.asker(t, id), task)
		var r *refusal.Refusal
		if !errors.As(err, &r) || r.Code != client.CodeNotTheirs {
			t.Errorf("asked for the task Label Studio says %v", err)
		}
	}
}

func TestTheWrongSecretKey(t *testing.T) {
	s := labelStudio(t)
	a := s.accounts()
	a.Bearer = signin.NewBearers(signin.Bearer{Key: "not Label Studio's", Now: time.Now, Rand: rand.Reader}).Authorization
	isRefused(t, a, person(t, "ada"), signin.CodeBearer)
}

// The bearer alone opens pages, and no other credential is needed to write.
func TestTheBearerSignsIn(t *testing.T) {
	s := labelStudio(t)
	id := signsIn(t, s.accounts(), person(t, "ada"))
	authorization, err := s.bearer().Authorization(id)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path, authorization string
		want                        int
	}{
		{"GET", "/projects/", authorization.Reveal(), 200},
		{"GET", "/user/account/", authorization.Reveal(), 200},
		{"GET", "/user/login/", authorization.Reveal(), 302},
		{"GET", "/projects/", "", 302},
		{"GET", "/projects/", authorization.Reveal() + "x", 302},
		{"GET", "/api/projects/", "", 401},
		{"POST", "/api/projects/", authorization.Reveal(), 201},
	} {
		request, err := http.NewRequestWithContext(t.Context(), c.method, s.base.String()+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.authorization != "" {
			request.Header.Set("Authorization", c.authorization)
		}
		if status, _ := s.send(t, request); status != c.want {
			t.Errorf("%s %s gives %d, want %d", c.method, c.path, status, c.want)
		}
	}
}

// Label Studio refuses a bearer from its future, so ours are dated back; both
// clocks may be a minute apart.
func TestClocksApart(t *testing.T) {
	s := labelStudio(t)
	for ahead, want := range map[time.Duration]int{
		0: 200, 50 * time.Second: 200, 90 * time.Second: 401, -4 * time.Minute: 200, -6 * time.Minute: 401,
	} {
		b := s.bearer()
		b.Now = func() time.Time { return time.Now().Add(ahead) }
		authorization, err := b.Authorization(ownerID)
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), "GET", s.base.String()+"/api/current-user/whoami", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", authorization.Reveal())
		if status, _ := s.send(t, request); status != want {
			t.Errorf("a bearer made %v ahead gives %d, want %d", ahead, status, want)
		}
	}
}

// send sends a request as it is and follows no redirect.
func (s *studio) send(t *testing.T, request *http.Request) (status int, location string) {
	t.Helper()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, response.Header.Get("Location")
}
