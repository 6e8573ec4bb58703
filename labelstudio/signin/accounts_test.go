package signin_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolepass/rolepass/labelstudio/signin"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

var ada = signin.Person{IdP: "https://idp.example.test", NameID: "persistent-ada", Email: "Ada@Example.test", FirstName: "Ada", LastName: "Lovelace"}

func (s *studio) accounts() *signin.Accounts {
	return &signin.Accounts{
		Base: s.base(), HTTP: http.DefaultClient, Owner: 1, Rand: rand.Reader, Keys: []presign.Secret{"key-new"},
		Bearer: s.bearer(secretKey),
	}
}

// bearer is the credential of who holds a secret key.
func (s *studio) bearer(key presign.Secret) func(context.Context, int64) (presign.Secret, error) {
	return signin.NewBearers(signin.Bearer{Key: key, Now: func() time.Time { return s.now }, Rand: rand.Reader}).Authorization
}

func signsIn(t *testing.T, a *signin.Accounts, p signin.Person) int64 {
	t.Helper()
	id, err := a.SignIn(context.Background(), p)
	if err != nil {
		t.Fatalf("signing in: %v, because of %v", err, errors.Unwrap(err))
	}
	return id
}

func isRefused(t *testing.T, a *signin.Accounts, p signin.Person, code refusal.Code) *refusal.Refusal {
	t.Helper()
	id, err := a.SignIn(context.Background(), p)
	var r *refusal.Refusal
	if !errors.As(err, &r) || r.Code != code || id != 0 {
		t.Fatalf("signing in gives user %d, %v; want it refused as %s", id, err, code)
	}
	return r
}

func TestTheFirstSignInMakesTheAccountAndLaterOnesOpenIt(t *testing.T) {
	s := newStudio(t)
	id := signsIn(t, s.accounts(), ada)
	if u := s.user(id); id == 1 || u.Email != "ada@example.test" || u.FirstName != "Ada" || u.LastName != "Lovelace" {
		t.Fatalf("the account is %+v", u)
	}
	if again := signsIn(t, s.accounts(), ada); again != id || s.size() != 2 {
		t.Errorf("the second sign-in gives user %d of %d, want %d of 2", again, s.size(), id)
	}
	if n := s.count("POST /user/signup/"); n != 1 {
		t.Errorf("%d sign-ups for two sign-ins", n)
	}
	if n := len(s.user(id).password); n < 16 {
		t.Errorf("the derived password has %d characters", n)
	}
}

func TestNamesAPersonChoseStay(t *testing.T) {
	s := newStudio(t)
	id := signsIn(t, s.accounts(), ada)
	s.change(id, func(u *user) { u.FirstName = "Countess" })
	signsIn(t, s.accounts(), ada)
	if got := s.user(id).FirstName; got != "Countess" {
		t.Errorf("the next sign-in renamed the account to %q", got)
	}
}

func TestAnotherPersonsAccountIsNotAdopted(t *testing.T) {
	for name, other := range map[string]signin.Person{
		"same address, other name":     {IdP: ada.IdP, NameID: "persistent-eve", Email: ada.Email},
		"same name at another IdP":     {IdP: "https://other.example.test", NameID: ada.NameID, Email: ada.Email},
		"address in another case":      {IdP: ada.IdP, NameID: "persistent-eve", Email: "ADA@EXAMPLE.TEST"},
		"IdP and name cut differently": {IdP: ada.IdP + "p", NameID: strings.TrimPrefix(ada.NameID, "p"), Email: ada.Email},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStudio(t)
			signsIn(t, s.accounts(), ada)
			isRefused(t, s.accounts(), other, signin.CodeNotBound)
		})
	}
}

func TestAccountsMadeByHandAreNotAdopted(t *testing.T) {
	s := newStudio(t)
	s.add(ada.Email, "chosen by somebody")
	isRefused(t, s.accounts(), ada, signin.CodeNotBound)
	owner := ada
	owner.Email = "owner@example.test"
	isRefused(t, s.accounts(), owner, signin.CodeNotBound)
}

// Even an owner whose password is the derived one stays the owner's.
func TestTheOwnersAccountIsNobodys(t *testing.T) {
	s := newStudio(t)
	id := signsIn(t, s.accounts(), ada)
	a := s.accounts()
	a.Owner = id
	isRefused(t, a, ada, signin.CodeNotBound)
}

func TestKeysRotate(t *testing.T) {
	s := newStudio(t)
	before := s.accounts()
	before.Keys = []presign.Secret{"key-old"}
	id := signsIn(t, before, ada)
	absent := signin.Person{IdP: ada.IdP, NameID: "absent", Email: "absent@example.test"}
	signsIn(t, before, absent)

	during := s.accounts()
	during.Keys = []presign.Secret{"key-new", "key-old"}
	if got := signsIn(t, during, ada); got != id {
		t.Errorf("with both keys the person is user %d, was %d", got, id)
	}
	bob := signin.Person{IdP: ada.IdP, NameID: "bob", Email: "bob@example.test"}
	of := signsIn(t, during, bob)
	if got := signsIn(t, s.accounts(), bob); got != of {
		t.Errorf("an account made during the rotation does not open with the new key alone")
	}
	if got := signsIn(t, s.accounts(), ada); got != id {
		t.Errorf("with the new key alone, under which the person has signed in, they are user %d, were %d", got, id)
	}
	isRefused(t, s.accounts(), absent, signin.CodeNotBound) // the old key is gone too early
}

func TestTwoFirstSignInsAtOnceAreOneAccount(t *testing.T) {
	s := newStudio(t)
	// Both see no account before either signs up.
	var logins sync.WaitGroup
	logins.Add(2)
	a := s.accounts()
	a.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		response, err := http.DefaultTransport.RoundTrip(r)
		if r.URL.Path == "/user/login/" && s.count("POST /user/signup/") == 0 {
			logins.Done()
			logins.Wait()
		}
		return response, err
	})}
	ids := make(chan int64, 2)
	for range 2 {
		go func() {
			id, err := a.SignIn(context.Background(), ada)
			if err != nil {
				t.Errorf("signing in: %v", err)
			}
			ids <- id
		}()
	}
	if one, two := <-ids, <-ids; one != two || one <= 1 {
		t.Errorf("two tabs are users %d and %d", one, two)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestWhomLabelStudioNoLongerHas(t *testing.T) {
	s := newStudio(t)
	id := signsIn(t, s.accounts(), ada)
	s.change(id, func(u *user) { u.removed = true })
	isRefused(t, s.accounts(), ada, signin.CodeRemoved)
}

func TestLabelStudioMustMeanTheSamePerson(t *testing.T) {
	for name, c := range map[string]struct {
		who  string
		code refusal.Code
	}{
		"another user":     {`{"id": 1, "email": "ada@example.test", "active_organization": 1}`, signin.CodeMismatch},
		"another address":  {`{"id": 2, "email": "eve@example.test", "active_organization": 1}`, signin.CodeMismatch},
		"no organization":  {`{"id": 2, "email": "ada@example.test", "active_organization": null}`, signin.CodeNoOrganization},
		"no user":          {`{"id": 0, "email": "ada@example.test", "active_organization": 1}`, signin.CodeUnavailable},
		"nothing":          {`{}`, signin.CodeUnavailable},
		"something else":   {`<html>`, signin.CodeUnavailable},
		"a cut-off answer": {`{"id": 2, "email": "ada@exam`, signin.CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStudio(t)
			signsIn(t, s.accounts(), ada)
			s.breaks(func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/api/current-user/whoami" || r.Header.Get("Authorization") == "" {
					return false
				}
				fmt.Fprint(w, c.who)
				return true
			})
			isRefused(t, s.accounts(), ada, c.code)
		})
	}
}

func TestAnAnswerThatIsNoneRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		status int
		code   refusal.Code
	}{
		"login breaks":              {"/user/login/", 500, signin.CodeUnavailable},
		"login goes elsewhere":      {"/user/login/", 301, signin.CodeUnavailable},
		"login without a session":   {"/user/login/", 302, signin.CodeUnavailable},
		"login form refused":        {"/user/login/", 403, signin.CodeForm},
		"sign-up form refused":      {"/user/signup/", 403, signin.CodeForm},
		"sign-up breaks":            {"/user/signup/", 502, signin.CodeUnavailable},
		"no invitation":             {"/api/invite", 404, signin.CodeUnavailable},
		"owner's bearer refused":    {"/api/invite", 401, signin.CodeBearer},
		"whoami without a cookie":   {"/api/current-user/whoami", 401, signin.CodeBearer},
		"no organization: a 500":    {"/api/current-user/whoami", 500, signin.CodeUnavailable},
		"whoami sends us elsewhere": {"/api/current-user/whoami", 302, signin.CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStudio(t)
			s.breaks(func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != c.path {
					return false
				}
				w.Header().Set("Location", "/elsewhere/")
				w.WriteHeader(c.status)
				return true
			})
			r := isRefused(t, s.accounts(), ada, c.code)
			if r.Class != refusal.Unavailable {
				t.Errorf("its class is %d; the person is not at fault", r.Class)
			}
			if s.count("GET /elsewhere/")+s.count("POST /elsewhere/") > 0 {
				t.Error("a redirect was followed")
			}
		})
	}
}

func TestLabelStudioIsDown(t *testing.T) {
	s := newStudio(t)
	s.Close()
	isRefused(t, s.accounts(), ada, signin.CodeUnavailable)
}

func TestTheWrongSecretKey(t *testing.T) {
	s := newStudio(t)
	a := s.accounts()
	a.Bearer = s.bearer("another key")
	isRefused(t, a, ada, signin.CodeBearer)
	if s.size() != 1 {
		t.Error("an account was made all the same")
	}
}

func TestPersonsWithoutAnAccountToBe(t *testing.T) {
	s := newStudio(t)
	for _, change := range []func(*signin.Person){
		func(p *signin.Person) { p.IdP = "" },
		func(p *signin.Person) { p.NameID = "" },
		func(p *signin.Person) { p.Email = "" },
		func(p *signin.Person) { p.Email = "ada" },
		func(p *signin.Person) { p.Email = "@example.test" },
		func(p *signin.Person) { p.Email = "ada@" },
		func(p *signin.Person) { p.Email = " ada@example.test" },
		func(p *signin.Person) { p.Email = "ada@example.test\n" },
		func(p *signin.Person) { p.Email = "a\x00da@example.test" },
		func(p *signin.Person) { p.Email = strings.Repeat("a", 300) + "@example.test" },
	} {
		p := ada
		change(&p)
		isRefused(t, s.accounts(), p, signin.CodePerson)
	}
	if s.asked() != 0 {
		t.Errorf("Label Studio was asked about them %d times", s.asked())
	}
}

// A name only shows: its failure is told and costs nobody the sign-in.
func TestANameThatIsNotTaken(t *testing.T) {
	s := newStudio(t)
	s.breaks(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if bytes.Contains(body, []byte("username")) {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	var log bytes.Buffer
	a := s.accounts()
	a.Log = slog.New(slog.NewTextHandler(&log, nil))
	id := signsIn(t, a, ada)
	if text := log.String(); !strings.Contains(text, "403") || strings.Contains(strings.ToLower(text), "ada") {
		t.Errorf("the log says %q", text)
	}
	s.breaks(nil)
	signsIn(t, a, ada)
	if got := s.user(id).FirstName; got != "Ada" {
		t.Errorf("the next sign-in left the name %q", got)
	}
}

// Whatever goes wrong, what is said about it tells nobody who, nor how to get in.
func TestNothingSaysWho(t *testing.T) {
	s := newStudio(t)
	var log bytes.Buffer
	a := s.accounts()
	a.Log = slog.New(slog.NewTextHandler(&log, nil))
	say := []string{fmt.Sprintf("%v %+v %#v", ada, ada, ada)}
	signsIn(t, a, ada)
	password := s.user(2).password
	for _, path := range []string{"/user/login/", "/user/signup/", "/api/invite", "/api/current-user/whoami"} {
		s.breaks(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == path {
				panic(http.ErrAbortHandler)
			}
			return false
		})
		p := ada
		p.NameID, p.Email = p.NameID+path, "x"+p.Email
		_, err := a.SignIn(context.Background(), p)
		for ; err != nil; err = errors.Unwrap(err) {
			say = append(say, fmt.Sprintf("%+v", err))
		}
	}
	all := strings.ToLower(strings.Join(say, "\n") + log.String())
	for _, secret := range []string{"ada", "lovelace", strings.ToLower(password), s.invite, secretKey, "key-new"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is told in:\n%s", secret, all)
		}
	}
}
