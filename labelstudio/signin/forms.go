package signin

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// maxAnswer bounds an answer in bytes.
const maxAnswer = 256 << 10

var errNoKeys = errors.New("no key to derive passwords from")

// account is what GET /api/current-user/whoami says.
type account struct {
	ID           int64  `json:"id"`
	Email        string `json:"email"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name"`
	Organization int64  `json:"active_organization"`
}

// removed says that the account's membership was ended: Label Studio then
// writes this word in place of the address.
func (a account) removed() bool { return a.Email == "Deleted" }

// whoami asks who the request is.
func (a *Accounts) whoami(ctx context.Context, as func(*http.Request)) (account, error) {
	var who account
	if err := a.get(ctx, "/api/current-user/whoami", as, &who); err != nil {
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
	request, err := a.request(ctx, http.MethodPost, path, query, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, unavailable(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Referer", request.URL.Scheme+"://"+request.URL.Host+path) // asked for where Label Studio itself serves https
	request.AddCookie(&http.Cookie{Name: "csrftoken", Value: token})
	response, err := a.send(request)
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
	authorization, err := a.Bearer.Authorization(id)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"first_name": first, "last_name": last})
	if err != nil {
		return err
	}
	request, err := a.request(ctx, http.MethodPatch, "/api/users/"+strconv.FormatInt(id, 10)+"/", nil, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	bearing(authorization)(request)
	response, err := a.send(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("PATCH of the user answered %d", response.StatusCode)
	}
	return nil
}

// get asks the API and decodes its answer.
func (a *Accounts) get(ctx context.Context, path string, as func(*http.Request), into any) error {
	request, err := a.request(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return unavailable(err)
	}
	as(request)
	response, err := a.send(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return refusal.New(refusal.Unavailable, CodeBearer, "Label Studio does not accept Rolepass's bearer at %s; check that the secret key is Label Studio's SECRET_KEY, that owner_id is the owner's user id, that API tokens are enabled for the organization, and that the clocks agree.", path)
	default:
		return unavailable(fmt.Errorf("%s answered %d", path, response.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		return unavailable(fmt.Errorf("reading %s: %w", path, err))
	}
	return nil
}

func bearing(authorization presign.Secret) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", authorization.Reveal()) }
}

func (a *Accounts) request(ctx context.Context, method, path string, query url.Values, body io.Reader) (*http.Request, error) {
	target := url.URL{Scheme: a.Base.Scheme, Host: a.Base.Host, Path: path, RawQuery: query.Encode()}
	return http.NewRequestWithContext(ctx, method, target.String(), body)
}

// send sends the request and follows no redirect. Errors of net/http name the
// URL, which holds the invitation's token, so only what is underneath is kept.
func (a *Accounts) send(request *http.Request) (*http.Response, error) {
	client := *a.HTTP
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err
		}
		return nil, unavailable(fmt.Errorf("%s %s: %w", request.Method, request.URL.Path, err))
	}
	return response, nil
}

// formToken makes a token of the length and alphabet that Django takes.
func (a *Accounts) formToken() (string, error) {
	var token [16]byte
	if _, err := io.ReadFull(a.Rand, token[:]); err != nil {
		return "", fmt.Errorf("making a form token: %w", err)
	}
	return hex.EncodeToString(token[:]), nil
}
