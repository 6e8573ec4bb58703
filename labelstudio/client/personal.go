package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/rolepass/rolepass/presign"
)

// whoseToken asks whose token the asker has, and with what to ask on. A personal
// access token is no credential of the API: Label Studio changes it into a bearer
// of five minutes, as its SDK does for the API and not for objects.
func (c *Client) whoseToken(ctx context.Context, asker Asker) (Answer, error) {
	if token, ok := personal(asker.Authorization); ok {
		bearer, err := c.bearer(ctx, token)
		if err != nil {
			return Answer{}, err
		}
		asker.Authorization = bearer
	}
	answer, err := c.whoami(ctx, asker)
	// It is kept, and not the request that it may be a part of.
	answer.who.Authorization = presign.Secret(strings.Clone(asker.Authorization.Reveal()))
	return answer, err
}

// bearer changes a personal access token. The answer about its owner is used for
// a minute, and the bearer with it.
func (c *Client) bearer(ctx context.Context, token string) (presign.Secret, error) {
	body, err := json.Marshal(map[string]string{"refresh": token})
	if err != nil {
		return "", unavailable(err)
	}
	request, err := c.request(ctx, http.MethodPost, "/api/token/refresh/", "", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	var given struct {
		Access string `json:"access"`
	}
	if err := c.send(request, "token", &given); err != nil {
		return "", err
	}
	if given.Access == "" {
		return "", unavailable(errors.New("the answer has no bearer"))
	}
	return presign.Secret("Bearer " + given.Access), nil
}

// personal takes a personal access token out of an Authorization header: a JWT
// that calls itself one to refresh with. Whether it is a good one Label Studio
// says.
func personal(authorization presign.Secret) (token string, ok bool) {
	token, ok = strings.CutPrefix(authorization.Reveal(), "Bearer ")
	parts := strings.Split(token, ".")
	if !ok || len(parts) != 3 {
		return "", false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", false
	}
	var claims struct {
		Type string `json:"token_type"`
	}
	return token, json.Unmarshal(text, &claims) == nil && claims.Type == "refresh"
}
