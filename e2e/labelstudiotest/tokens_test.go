package labelstudiotest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/labelstudio/signin"
)

// Without Label Studio's SECRET_KEY: the owner's personal access token invites,
// and each person's own token, taken at the login, speaks for them, on pages
// and at the API.
func TestSigningInWithTokens(t *testing.T) {
	s := labelStudio(t)
	tokens := signin.NewTokens(s.base, http.DefaultClient, time.Now)
	if err := tokens.Take(t.Context(), ownerID, s.session(t, ownerEmail, ownerPassword)); err != nil {
		t.Fatal(err)
	}
	a := s.accounts()
	a.Bearer, a.Opened = tokens.Authorization, tokens.Take
	ada := person(t, "tokens")
	id := signsIn(t, a, ada)
	if again := signsIn(t, a, ada); again != id {
		t.Errorf("the second sign-in gives user %d, the first %d", again, id)
	}
	// After a restart nothing is kept, and the token that is there is replaced.
	tokens = signin.NewTokens(s.base, http.DefaultClient, time.Now)
	if err := tokens.Take(t.Context(), ownerID, s.session(t, ownerEmail, ownerPassword)); err != nil {
		t.Fatal(err)
	}
	a.Bearer, a.Opened = tokens.Authorization, tokens.Take
	if again := signsIn(t, a, ada); again != id {
		t.Errorf("after a restart the sign-in gives user %d, before %d", again, id)
	}
	for _, path := range []string{"/projects/", "/api/projects/"} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", s.base.String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		authorization, err := tokens.Authorization(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", authorization.Reveal())
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 200 {
			t.Errorf("%s answers %d to the person's token", path, response.StatusCode)
		}
	}
}

// session logs in with a password, as a browser does, and gives the cookie.
func (s *studio) session(t *testing.T, email, password string) *http.Cookie {
	t.Helper()
	const double = "0123456789abcdef0123456789abcdef" // the form's token and the cookie's
	form := url.Values{"csrfmiddlewaretoken": {double}, "email": {email}, "password": {password}}
	request, err := http.NewRequestWithContext(t.Context(), "POST", s.base.String()+"/user/login/", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.AddCookie(&http.Cookie{Name: "csrftoken", Value: double})
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for _, cookie := range response.Cookies() {
		if cookie.Name == "sessionid" && response.StatusCode == 302 {
			return cookie
		}
	}
	t.Fatalf("the login answers %d", response.StatusCode)
	return nil
}
