package signin_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/labelstudio/signin"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// Whom the IdP gives another address stays who they are: the account is bound
// to the NameID, and keeps the address that it has in Label Studio.
func TestAnotherAddressIsTheSameAccount(t *testing.T) {
	s := newStudio(t)
	id := signsIn(t, s.accounts(), ada)
	married := ada
	married.Email = "ada.king@example.test"
	for range 2 {
		if again := signsIn(t, s.accounts(), married); again != id {
			t.Fatalf("under the new address the person is user %d, was %d", again, id)
		}
	}
	if u := s.user(id); s.size() != 2 || u.Email != "ada@example.test" {
		t.Errorf("there are %d accounts, and this one's address is %s", s.size(), u.Email)
	}
	// Whoever has the old address now is somebody else.
	heir := signin.Person{IdP: ada.IdP, NameID: "persistent-heir", Email: ada.Email}
	isRefused(t, s.accounts(), heir, signin.CodeNotBound)
}

// The person is found among many, however the list is cut.
func TestAnotherAddressAmongManyMembers(t *testing.T) {
	s := newStudio(t)
	for i := range 450 {
		s.add(fmt.Sprintf("member-%d@example.test", i), "theirs")
	}
	id := signsIn(t, s.accounts(), ada)
	married := ada
	married.Email = "ada.king@example.test"
	if again := signsIn(t, s.accounts(), married); again != id {
		t.Errorf("among many, the person is user %d, was %d", again, id)
	}
	if n := s.count("GET /api/organizations/1/memberships"); n != 6 {
		t.Errorf("two lists of 452 members were %d questions", n)
	}
}

// A mark that was copied, cut or made up binds nothing: it names the account.
func TestAMarkIsGoodOnItsOwnAccountOnly(t *testing.T) {
	s := newStudio(t)
	id := signsIn(t, s.accounts(), ada)
	eve := s.add("eve@example.test", "eve's own")
	mark := s.user(id).Username
	for name, username := range map[string]string{"copied": mark, "cut": mark[:len(mark)-1], "made up": "ada#rp1." + strings.Repeat("A", 24)} {
		s.change(eve.ID, func(u *user) { u.Username = username })
		s.change(id, func(u *user) { u.Username = "ada" }) // and the real one wiped
		married := ada
		married.Email = strings.ReplaceAll(name, " ", "-") + "@example.test"
		if got := signsIn(t, s.accounts(), married); got == eve.ID {
			t.Errorf("%s: the person got eve's account", name)
		}
	}
	// Under the address of the account the password still says whose it is, and
	// the mark is there again.
	if again := signsIn(t, s.accounts(), ada); again != id || s.user(id).Username != mark {
		t.Errorf("the person is user %d with the username %q, was %d with %q", again, s.user(id).Username, id, mark)
	}
}

// An account without its mark could be taken for nobody's.
func TestAMarkThatIsNotTakenRefuses(t *testing.T) {
	s := newStudio(t)
	s.breaks(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			w.WriteHeader(http.StatusForbidden)
		}
		return r.Method == http.MethodPatch
	})
	isRefused(t, s.accounts(), ada, signin.CodeBearer)
	s.breaks(nil)
	signsIn(t, s.accounts(), ada)
}

// A username that an administrator chose stays in front of the mark.
func TestAUsernameStays(t *testing.T) {
	s := newStudio(t)
	id := signsIn(t, s.accounts(), ada)
	for chosen, want := range map[string]string{"lovelace": "lovelace#rp1.", "": "ada#rp1.", strings.Repeat("é", 256): strings.Repeat("é", 227) + "#rp1."} {
		s.change(id, func(u *user) { u.Username = chosen })
		signsIn(t, s.accounts(), ada)
		if got := s.user(id).Username; !strings.HasPrefix(got, want) || len([]rune(got)) > 256 {
			t.Errorf("%.20q became %.40q", chosen, got)
		}
	}
}

// Whom Label Studio has deactivated is told so, whatever their address.
func TestADeactivatedAccount(t *testing.T) {
	for _, email := range []string{ada.Email, "ada.king@example.test"} {
		s := newStudio(t)
		id := signsIn(t, s.accounts(), ada)
		s.change(id, func(u *user) { u.inactive = true })
		person := ada
		person.Email = email
		isRefused(t, s.accounts(), person, signin.CodeInactive)
		tokens := s.accounts()
		tokens.Opened = func(context.Context, int64, *http.Cookie) error { return nil }
		isRefused(t, tokens, person, signin.CodeInactive)
	}
}

// adopting is the accounts of an operator who said so.
func (s *studio) adopting() *signin.Accounts {
	a := s.accounts()
	a.Adopts = func(signin.Person) bool { return true }
	a.Programs = s.programs
	return a
}

// An account that was made by hand becomes the person's when the operator says
// so, and stays theirs when the operator no longer says so.
func TestAnAccountIsAdopted(t *testing.T) {
	s := newStudio(t)
	u := s.add(ada.Email, "chosen by somebody")
	s.change(u.ID, func(u *user) { u.tokens = []string{"somebody's"} })
	isRefused(t, s.accounts(), ada, signin.CodeNotBound)
	if id := signsIn(t, s.adopting(), ada); id != u.ID {
		t.Fatalf("the person is user %d, not %d", id, u.ID)
	}
	if now := s.user(u.ID); len(now.tokens) > 0 || now.legacy != 1 {
		t.Errorf("whoever had tokens still has them: %q, reset %d times", now.tokens, now.legacy)
	}
	married := ada
	married.Email = "ada.king@example.test"
	for _, person := range []signin.Person{ada, married} {
		if id := signsIn(t, s.accounts(), person); id != u.ID {
			t.Errorf("later the person is user %d, not %d", id, u.ID)
		}
	}
	if s.size() != 2 || s.user(u.ID).legacy != 1 {
		t.Errorf("there are %d accounts; tokens were reset %d times", s.size(), s.user(u.ID).legacy)
	}
	// Without bearers for everybody a mark alone opens nothing.
	tokens := s.accounts()
	tokens.Opened = func(context.Context, int64, *http.Cookie) error { return nil }
	isRefused(t, tokens, ada, signin.CodeInactive)
}

// One that was made over the API has had no login yet.
func TestAnAccountWithoutAnOrganizationIsAdopted(t *testing.T) {
	s := newStudio(t)
	u := s.add(ada.Email, "")
	s.change(u.ID, func(u *user) { u.Organization = nil })
	if id := signsIn(t, s.adopting(), ada); id != u.ID || s.user(u.ID).Organization == nil {
		t.Errorf("the person is user %d, not %d", id, u.ID)
	}
}

func TestWhatIsNotAdopted(t *testing.T) {
	other := signin.Person{IdP: "https://other.example.test", NameID: ada.NameID, Email: ada.Email}
	for name, c := range map[string]struct {
		prepare func(*studio)
		person  signin.Person
		code    refusal.Code
	}{
		"another person's, made at their sign-in": {func(s *studio) { signsIn(t, s.accounts(), ada) }, other, "app_account_not_bound"},
		"another person's, adopted":               {func(s *studio) { s.add(ada.Email, "x"); signsIn(t, s.adopting(), ada) }, other, "app_account_not_bound"},
		"another person's, under a key that is gone": {func(s *studio) {
			before := s.accounts()
			before.Keys = []presign.Secret{"key-gone"}
			signsIn(t, before, ada)
		}, other, "app_account_not_bound"},
		"the owner's":                 {func(*studio) {}, signin.Person{IdP: ada.IdP, NameID: ada.NameID, Email: "owner@example.test"}, "app_account_not_bound"},
		"a program's":                 {func(s *studio) { s.programs = []int64{s.add(ada.Email, "x").ID} }, ada, "app_account_privileged"},
		"one of two in other cases":   {func(s *studio) { s.add("ADA@example.test", "x"); s.add(ada.Email, "x") }, ada, "app_account_not_bound"},
		"one whose letters only fold": {func(s *studio) { s.add("kim@example.test", "x") }, signin.Person{IdP: ada.IdP, NameID: "k", Email: "\u212aim@example.test"}, "app_account_not_bound"},
		"an administrator's":          {func(s *studio) { s.add(ada.Email, "x").staff = true }, ada, "app_account_privileged"},
		"one that was deactivated":    {func(s *studio) { s.add(ada.Email, "x").inactive = true }, ada, "app_account_inactive"},
		"one that was removed":        {func(s *studio) { s.add(ada.Email, "x").removed = true }, ada, "app_account_not_bound"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStudio(t)
			c.prepare(s)
			isRefused(t, s.adopting(), c.person, c.code)
		})
	}
}

// The owner of any organization keeps their account to themselves, also where
// they are an ordinary member of this one.
func TestTheOwnerOfAnotherOrganizationIsNotAdopted(t *testing.T) {
	s := newStudio(t)
	u := s.add(ada.Email, "x")
	s.breaks(func(w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case "/api/organizations/":
			fmt.Fprint(w, `[{"id": 1}, {"id": 2}]`)
		case "/api/organizations/2":
			fmt.Fprintf(w, `{"id": 2, "created_by": %d}`, u.ID)
		default:
			return false
		}
		return true
	})
	isRefused(t, s.adopting(), ada, signin.CodePrivileged)
	if s.user(u.ID).legacy != 0 || s.user(u.ID).Username != "ada" {
		t.Error("the account was changed all the same")
	}
}

// Whatever does not answer while an account is looked at, nothing is adopted.
func TestNothingIsAdoptedUnseen(t *testing.T) {
	for path, status := range map[string]int{
		"/api/organizations/1/memberships": 500, "/api/users/2/": 404, "/api/organizations/": 500, "/api/organizations/1": 403,
		"/admin/": 500, "/api/token/": 500, "/api/current-user/reset-token/": 403,
	} {
		s := newStudio(t)
		s.add(ada.Email, "x")
		s.breaks(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == path {
				w.WriteHeader(status)
			}
			return r.URL.Path == path
		})
		if id, err := s.adopting().SignIn(t.Context(), ada); err == nil || s.user(2).Username != "ada" {
			t.Errorf("%s answers %d: signed in as user %d, with the username %q", path, status, id, s.user(2).Username)
		}
	}
}

// Two people who claim one account at once: it becomes the one's or the other's.
// Without one adoption at a time both get it in some of these rounds.
func TestTwoClaimsAtOnce(t *testing.T) {
	other := signin.Person{IdP: "https://other.example.test", NameID: "other", Email: ada.Email}
	for round := range 60 {
		s := newStudio(t)
		u := s.add(ada.Email, "x")
		a := s.adopting()
		done := make(chan bool, 2)
		for _, person := range []signin.Person{ada, other} {
			go func() {
				id, err := a.SignIn(context.Background(), person)
				done <- err == nil && id == u.ID
			}()
		}
		if one, two := <-done, <-done; one == two {
			t.Fatalf("round %d: both claims were answered %v", round, one)
		}
		s.Close()
	}
}
