package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// maxAnswer bounds an answer in bytes: a page of members, each with keys of
// their own choice for the editor, is the largest.
const maxAnswer = 8 << 20

// caller sends requests to one Label Studio.
type caller struct {
	base *url.URL
	http *http.Client
}

// get asks the API and decodes its answer.
func (c caller) get(ctx context.Context, path string, as func(*http.Request), into any) error {
	return c.getPart(ctx, path, nil, as, into)
}

// getPart is get with a query.
func (c caller) getPart(ctx context.Context, path string, query url.Values, as func(*http.Request), into any) error {
	request, err := c.request(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return unavailable(err)
	}
	as(request)
	return c.answer(request, http.StatusOK, into)
}

// post sends JSON to the API and decodes its answer; into may be nil.
func (c caller) post(ctx context.Context, path string, as func(*http.Request), body, into any, status int) error {
	return c.send(ctx, http.MethodPost, path, as, body, into, status)
}

// send is post by another method.
func (c caller) send(ctx context.Context, method, path string, as func(*http.Request), body, into any, status int) error {
	text, err := json.Marshal(body)
	if err != nil {
		return unavailable(err)
	}
	request, err := c.request(ctx, method, path, nil, bytes.NewReader(text))
	if err != nil {
		return unavailable(err)
	}
	request.Header.Set("Content-Type", "application/json")
	as(request)
	return c.answer(request, status, into)
}

// answer sends a request of the API and decodes what comes back with the
// status that it should have.
func (c caller) answer(request *http.Request, status int, into any) error {
	path := request.URL.Path
	response, err := c.do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case status:
	case http.StatusUnauthorized, http.StatusForbidden:
		return refusal.New(refusal.Unavailable, CodeBearer, "Label Studio does not accept Rolepass's credential at %s (%d); check that the secret key is Label Studio's SECRET_KEY (or the owner's token still his), that owner_id is the owner's user id, that API tokens are enabled for the organization, and that the clocks agree.", path, response.StatusCode)
	default:
		return unavailable(fmt.Errorf("%s answered %d", path, response.StatusCode))
	}
	if into == nil {
		return nil
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

func (c caller) request(ctx context.Context, method, path string, query url.Values, body io.Reader) (*http.Request, error) {
	target := url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: path, RawQuery: query.Encode()}
	return http.NewRequestWithContext(ctx, method, target.String(), body)
}

// do sends the request and follows no redirect. Errors of net/http name the
// URL, which holds the invitation's token, so only what is underneath is kept.
func (c caller) do(request *http.Request) (*http.Response, error) {
	client := *c.http
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
