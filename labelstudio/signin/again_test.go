package signin_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/rolepass/rolepass/labelstudio/signin"
	"github.com/rolepass/rolepass/refusal"
)

// remembering is the accounts of a server, which opens one by its password twice a
// day.
func (s *studio) remembering() *signin.Accounts {
	a := s.accounts()
	a.Remember, a.Now = 12*time.Hour, func() time.Time { return s.now }
	return a
}

const form = "POST /user/login/"

// Who comes again costs Label Studio no password hash, for as long as is said, and
// is the same user.
func TestWhoComesAgainCostsNoPasswordHash(t *testing.T) {
	s := newStudio(t)
	a := s.remembering()
	id := signsIn(t, a, ada)
	hashes := s.count(form)
	s.now = s.now.Add(12*time.Hour - time.Second)
	shouted := ada
	shouted.Email = "ADA@example.test"
	for _, person := range []signin.Person{ada, shouted} {
		if again := signsIn(t, a, person); again != id || s.count(form) != hashes {
			t.Errorf("again it is user %d with %d more forms; want %d without", again, s.count(form)-hashes, id)
		}
	}
	s.now = s.now.Add(time.Second)
	if again := signsIn(t, a, ada); again != id || s.count(form) != hashes+1 {
		t.Errorf("in the evening it is user %d with %d more forms; want %d with one", again, s.count(form)-hashes, id)
	}
}

// Nobody is let in by what is remembered of another.
func TestWhatIsRememberedIsOnePersons(t *testing.T) {
	s := newStudio(t)
	a := s.remembering()
	signsIn(t, a, ada)
	other, elsewhere := ada, ada
	other.NameID = "persistent-eve"
	elsewhere.IdP = "https://other.example.test"
	isRefused(t, a, other, signin.CodeNotBound)
	isRefused(t, a, elsewhere, signin.CodeNotBound)
}

// What changes in Label Studio counts at the next login, as if nothing were
// remembered.
func TestWhatChangedCountsThoughTheAccountIsRemembered(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*user)
		code   string // of the refusal; empty: the same user signs in
	}{
		"deactivated":                      {func(u *user) { u.inactive = true }, string(signin.CodeInactive)},
		"removed":                          {func(u *user) { u.removed = true }, string(signin.CodeRemoved)},
		"another address":                  {func(u *user) { u.Email = "eve@example.test" }, ""}, // it is found by its mark
		"another address, and no mark":     {func(u *user) { u.Email, u.Username, u.password = "eve@example.test", "eve", "eve's" }, "other"},
		"given to somebody, who has it":    {func(u *user) { u.Username, u.password = "eve", "eve's" }, string(signin.CodeNotBound)},
		"the mark wiped":                   {func(u *user) { u.Username = "ada" }, ""},
		"no organization till the next":    {func(u *user) { u.Organization = nil }, ""},
		"the mark of another":              {func(u *user) { u.Username = "ada#rp1.aaaaaaaaaaaaaaaaaaaaaaaa" }, ""},
		"the mark of another, not ours":    {func(u *user) { u.Username, u.password = "ada#rp1.aaaaaaaaaaaaaaaaaaaaaaaa", "eve's" }, string(signin.CodeNotBound)},
		"a password, and nothing else yet": {func(u *user) { u.password = "eve's" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStudio(t)
			a := s.remembering()
			id := signsIn(t, a, ada)
			s.change(id, c.change)
			switch c.code {
			case "":
				if again := signsIn(t, a, ada); again != id {
					t.Errorf("it is user %d, was %d", again, id)
				}
			case "other":
				if again := signsIn(t, a, ada); again == id {
					t.Error("it is the account that is somebody else's now")
				}
			default:
				isRefused(t, a, ada, refusal.Code(c.code))
			}
		})
	}
}

// A password that was changed, and nothing else, counts when the account must open
// again.
func TestAChangedPasswordCountsInTheEnd(t *testing.T) {
	s := newStudio(t)
	a := s.remembering()
	id := signsIn(t, a, ada)
	s.change(id, func(u *user) { u.password = "eve's" })
	s.now = s.now.Add(12 * time.Hour)
	hashes := s.count(form)
	if again := signsIn(t, a, ada); again != id || s.count(form) == hashes {
		t.Errorf("it is user %d, after %d forms", again, s.count(form)-hashes)
	}
}

// An adopted account is looked at in full each time: it may have become an
// administrator's.
func TestAnAdoptedAccountIsLookedAtEachTime(t *testing.T) {
	s := newStudio(t)
	u := s.add(ada.Email, "chosen by somebody")
	a := s.remembering()
	a.Adopts = func(signin.Person) bool { return true }
	for range 2 {
		if id := signsIn(t, a, ada); id != u.ID {
			t.Fatalf("the person is user %d, not %d", id, u.ID)
		}
	}
	s.change(u.ID, func(u *user) { u.staff = true })
	isRefused(t, a, ada, signin.CodePrivileged)
}

// Where each account has a token of its own, it opens each time, and the token is
// looked after.
func TestWithTokensAnAccountOpensEachTime(t *testing.T) {
	s := newStudio(t)
	a, opened := s.remembering(), 0
	a.Opened = func(context.Context, int64, *http.Cookie) error { opened++; return nil }
	for range 3 {
		signsIn(t, a, ada)
	}
	if opened != 3 {
		t.Errorf("three sign-ins opened it %d times", opened)
	}
}

// Somebody whose address changed is looked for by their mark each time, and what is
// not remembered for them costs no question either.
func TestAnotherAddressCostsNoMoreThanBefore(t *testing.T) {
	costs := func(with func(*studio) *signin.Accounts) int {
		s := newStudio(t)
		a := with(s)
		signsIn(t, s.accounts(), ada)
		married := ada
		married.Email = "ada.king@example.test"
		signsIn(t, a, married)
		before := s.asked()
		signsIn(t, a, married)
		return s.asked() - before
	}
	if with, without := costs((*studio).remembering), costs((*studio).accounts); with != without {
		t.Errorf("it costs %d questions, and %d where nothing is remembered", with, without)
	}
}
