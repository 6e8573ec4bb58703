package labelstudiotest_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/labelstudio/signin"
)

// Whom the IdP gives another address keeps their account in Label Studio, where
// the address stays as it was.
func TestAnotherAddressIsTheSameAccount(t *testing.T) {
	s := labelStudio(t)
	ada := person(t, "ada")
	id := signsIn(t, s.accounts(), ada)
	married := ada
	married.Email = "king@" + ada.Email[strings.IndexByte(ada.Email, '@')+1:]
	if again := signsIn(t, s.accounts(), married); again != id {
		t.Errorf("under another address the person is user %d, was %d", again, id)
	}
	var who whoami
	s.must(t, "GET", "/api/current-user/whoami", id, nil, &who)
	if who.Email != strings.ToLower(ada.Email) {
		t.Errorf("Label Studio has the address %s", who.Email)
	}
	heir := person(t, "heir")
	heir.Email = ada.Email
	isRefused(t, s.accounts(), heir, signin.CodeNotBound)

	// Who was deactivated gets a sentence of their own.
	s.database(t, "UPDATE htx_user SET is_active = 0 WHERE id = ?", id)
	isRefused(t, s.accounts(), married, signin.CodeInactive)
	isRefused(t, s.accounts(), ada, signin.CodeInactive)
}

func (s *studio) adopting() *signin.Accounts {
	a := s.accounts()
	a.Adopts = func(signin.Person) bool { return true }
	return a
}

// byHand signs somebody up with a password of their own, and gives their number.
func (s *studio) byHand(t *testing.T, p signin.Person, password string) int64 {
	t.Helper()
	var invite struct {
		Token string `json:"token"`
	}
	s.must(t, "GET", "/api/invite", ownerID, nil, &invite)
	token := strings.Repeat("c", 32)
	form := url.Values{"csrfmiddlewaretoken": {token}, "email": {p.Email}, "password": {password}}
	request, err := http.NewRequestWithContext(t.Context(), "POST", s.base.String()+"/user/signup/?token="+invite.Token, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.AddCookie(&http.Cookie{Name: "csrftoken", Value: token})
	if status, _ := s.send(t, request); status != http.StatusFound {
		t.Fatalf("the sign-up by hand gives %d", status)
	}
	var users []whoami
	s.must(t, "GET", "/api/users/", ownerID, nil, &users)
	for _, u := range users {
		if u.Email == strings.ToLower(p.Email) {
			return u.ID
		}
	}
	t.Fatal("the account is not listed")
	return 0
}

// An operator may say that accounts under people's addresses become theirs.
// Whoever made one, and kept a token of it, is out.
func TestAnAccountIsAdopted(t *testing.T) {
	s := labelStudio(t)
	ada := person(t, "ada")
	id := s.byHand(t, ada, "chosen by hand")
	var theirs struct {
		Token string `json:"token"`
	}
	s.must(t, "POST", "/api/token/", id, map[string]any{}, &theirs)
	isRefused(t, s.accounts(), ada, signin.CodeNotBound)
	if got := signsIn(t, s.adopting(), ada); got != id {
		t.Fatalf("the person is user %d, not %d", got, id)
	}
	if err := s.call("POST", "/api/token/refresh/", ownerID, map[string]string{"refresh": theirs.Token}, nil); err == nil {
		t.Error("a token from before still speaks as the person")
	}
	married := ada
	married.Email = "king" + ada.Email
	for _, p := range []signin.Person{ada, married} {
		if got := signsIn(t, s.accounts(), p); got != id {
			t.Errorf("adopted, the person is user %d, not %d", got, id)
		}
	}
	other := person(t, "other")
	other.Email = ada.Email
	isRefused(t, s.adopting(), other, signin.CodeNotBound)

	// Without bearers for everybody the mark alone opens nothing.
	tokens := signin.NewTokens(s.base, http.DefaultClient, s.bearer().Now)
	if err := tokens.Take(t.Context(), ownerID, s.session(t, ownerEmail, ownerPassword)); err != nil {
		t.Fatal(err)
	}
	a := s.adopting()
	a.Bearer, a.Opened = tokens.Authorization, func(ctx context.Context, id int64, c *http.Cookie) error { return tokens.Take(ctx, id, c) }
	isRefused(t, a, ada, signin.CodeInactive)
}

// Made over the API, an account has no password and no organization to work in.
func TestAnAccountWithoutAnOrganizationIsAdopted(t *testing.T) {
	s := labelStudio(t)
	ada := person(t, "ada")
	var made whoami
	s.must(t, "POST", "/api/users/", ownerID, map[string]string{"email": strings.ToLower(ada.Email), "username": "listed"}, &made)
	if got := signsIn(t, s.adopting(), ada); got != made.ID {
		t.Errorf("the person is user %d, not %d", got, made.ID)
	}
	if got := signsIn(t, s.accounts(), ada); got != made.ID {
		t.Errorf("at the next login the person is user %d, not %d", got, made.ID)
	}
}

func TestWhoseAccountsAreNeverAdopted(t *testing.T) {
	s := labelStudio(t)
	owner := person(t, "owner")
	owner.Email = ownerEmail
	isRefused(t, s.adopting(), owner, signin.CodeNotBound)

	staff := person(t, "staff")
	s.database(t, "UPDATE htx_user SET is_staff = 1 WHERE id = ?", s.byHand(t, staff, "chosen by hand"))
	isRefused(t, s.adopting(), staff, signin.CodePrivileged)

	other := person(t, "founder")
	id := s.byHand(t, other, "chosen by hand")
	s.database(t, "INSERT INTO organization (title, token, created_by_id, created_at, updated_at) VALUES ('Another', 'another', ?, '2026-01-01', '2026-01-01')", id)
	s.database(t, "INSERT INTO organizations_organizationmember (user_id, organization_id, created_at, updated_at) SELECT ?, max(id), '2026-01-01', '2026-01-01' FROM organization", id)
	isRefused(t, s.adopting(), other, signin.CodePrivileged)

	removed := person(t, "removed")
	s.must(t, "DELETE", "/api/organizations/1/memberships/"+number(s.byHand(t, removed, "chosen by hand"))+"/", ownerID, nil, nil)
	isRefused(t, s.adopting(), removed, signin.CodeNotBound)

	// The owner's bearer still serves: nothing was revoked that was not adopted.
	s.must(t, "GET", "/api/current-user/whoami", ownerID, nil, nil)
}

// Every member may write every other's username, which is why Rolepass lets
// nobody but administrators do it. What they can write binds nothing.
func TestAUsernameThatAMemberWrote(t *testing.T) {
	s := labelStudio(t)
	ada, eve := person(t, "ada"), person(t, "eve")
	id, eves := signsIn(t, s.accounts(), ada), signsIn(t, s.accounts(), eve)
	var of struct {
		Username string `json:"username"`
	}
	s.must(t, "GET", "/api/users/"+number(id)+"/", eves, nil, &of)
	s.must(t, "PATCH", "/api/users/"+number(eves)+"/", eves, map[string]string{"username": of.Username}, nil)
	s.must(t, "PATCH", "/api/users/"+number(id)+"/", eves, map[string]string{"username": "ada"}, nil)
	married := ada
	married.Email = "king" + ada.Email
	if got := signsIn(t, s.accounts(), married); got == eves {
		t.Error("the person got the account of who copied their mark")
	}
	if got := signsIn(t, s.accounts(), ada); got != id {
		t.Errorf("under the old address the person is user %d, was %d", got, id)
	}
}
