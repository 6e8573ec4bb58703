package signin

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rolepass/rolepass/refusal"
)

var errNoKeys = errors.New("no key to derive passwords from")

// account is what GET /api/current-user/whoami and the lists of users say.
type account struct {
	ID           int64  `json:"id"`
	Email        string `json:"email"`
	Username     string `json:"username"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name"`
	Organization int64  `json:"active_organization"`

	byPassword bool // it has opened
}

// removed says that the account's membership was ended: Label Studio then
// writes this word in place of the address.
func (a account) removed() bool { return a.Email == "Deleted" }

// whoami asks who the request is.
func (a *Accounts) whoami(ctx context.Context, as func(*http.Request)) (account, error) {
	var who account
	if err := a.studio().get(ctx, "/api/current-user/whoami", as, &who); err != nil {
		return account{}, err
	}
	if who.ID <= 0 {
		return account{}, unavailable(errors.New("whoami names no user"))
	}
	return who, nil
}

// submit posts the login or the sign-up form. It gives the session cookie when
// Label Studio let the person in, nil when it showed the form again.
func (a *Accounts) submit(ctx context.Context, path string, query url.Values, email, password string) (*http.Cookie, error) {
	token, err := a.formToken()
	if err != nil {
		return nil, unavailable(err)
	}
	// Django compares the token of the form with that of the cookie; both may
	// be the client's own (a double submit).
	form := url.Values{"csrfmiddlewaretoken": {token}, "email": {email}, "password": {password}}
	request, err := a.studio().request(ctx, http.MethodPost, path, query, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, unavailable(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Referer", request.URL.Scheme+"://"+request.URL.Host+path) // asked for where Label Studio itself serves https
	request.AddCookie(&http.Cookie{Name: "csrftoken", Value: token})
	response, err := a.studio().do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusFound:
		for _, cookie := range response.Cookies() {
			if cookie.Name == "sessionid" && cookie.Value != "" {
				return &http.Cookie{Name: cookie.Name, Value: cookie.Value}, nil
			}
		}
		return nil, unavailable(fmt.Errorf("%s gave no session", path))
	case http.StatusOK:
		return nil, nil
	case http.StatusForbidden:
		return nil, refusal.New(refusal.Unavailable, CodeForm, "Label Studio refuses its own form %s; reach it by its internal address, and check that sign-up by invitation is not blocked.", path)
	default:
		return nil, unavailable(fmt.Errorf("%s answered %d", path, response.StatusCode))
	}
}

// rename sets the names of an account, as that account.
func (a *Accounts) rename(ctx context.Context, id int64, first, last string) error {
	return a.change(ctx, id, id, map[string]any{"first_name": first, "last_name": last})
}

// change sets fields of an account, as a user.
func (a *Accounts) change(ctx context.Context, as, id int64, fields map[string]any) error {
	authorization, err := a.Bearer(ctx, as)
	if err != nil {
		return err
	}
	return a.studio().send(ctx, http.MethodPatch, userPath(id), bearing(authorization), fields, nil, http.StatusOK)
}

func userPath(id int64) string { return "/api/users/" + strconv.FormatInt(id, 10) + "/" }

// formToken makes a token of the length and alphabet that Django takes.
func (a *Accounts) formToken() (string, error) {
	var token [16]byte
	if _, err := io.ReadFull(a.Rand, token[:]); err != nil {
		return "", fmt.Errorf("making a form token: %w", err)
	}
	return hex.EncodeToString(token[:]), nil
}
