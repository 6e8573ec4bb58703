package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/refusal"
)

// maxAnswer bounds an answer in bytes. A task carries its annotations along.
const maxAnswer = 4 << 20

// task asks for a task with its data as stored: resolve_uri=false keeps Label
// Studio from rewriting the URIs in it.
func (c *Client) task(ctx context.Context, asker Asker, id int64) (Answer, error) {
	var task struct {
		ID      int64 `json:"id"`
		Project int64 `json:"project"`
		Data    named `json:"data"`
	}
	if err := c.get(ctx, asker, "task", "/api/tasks/"+strconv.FormatInt(id, 10)+"/", "resolve_uri=false", &task); err != nil {
		return Answer{}, err
	}
	if task.ID != id || task.Project <= 0 {
		return Answer{}, unavailable(errors.New("the answer is about another task"))
	}
	place := grants.Place{Project: task.Project}
	if c.WholePlace {
		whole, err := c.project(ctx, asker, task.Project)
		if err != nil {
			return Answer{}, err
		}
		place = whole.Place
	}
	return Answer{Place: place, uris: task.Data}, nil
}

// project asks for a project's place. Community says nothing of a workspace.
func (c *Client) project(ctx context.Context, asker Asker, id int64) (Answer, error) {
	var project struct {
		ID           int64  `json:"id"`
		Organization int64  `json:"organization"`
		Workspace    *int64 `json:"workspace"`
	}
	if err := c.get(ctx, asker, "project", "/api/projects/"+strconv.FormatInt(id, 10)+"/", "", &project); err != nil {
		return Answer{}, err
	}
	if project.ID != id || project.Organization <= 0 {
		return Answer{}, unavailable(errors.New("the answer is about another project"))
	}
	place := grants.Place{Project: id, Organization: project.Organization}
	if project.Workspace != nil {
		place.Workspace = *project.Workspace
	}
	return Answer{Place: place}, nil
}

// whoami asks who the asker is. Of a member who was removed Label Studio says
// "Deleted" in place of the address, which is nobody's.
func (c *Client) whoami(ctx context.Context, asker Asker) (Answer, error) {
	var who struct {
		ID    int64  `json:"id"`
		Email string `json:"email"`
	}
	if err := c.get(ctx, asker, "whoami", "/api/current-user/whoami", "", &who); err != nil {
		return Answer{}, err
	}
	if who.ID <= 0 || who.Email == "" {
		return Answer{}, unavailable(errors.New("the answer names nobody"))
	}
	return Answer{who: Person{ID: who.ID, Email: who.Email}}, nil
}

// Version gives Label Studio's release, such as "1.23.2". It asks as nobody and
// keeps nothing.
func (c *Client) Version(ctx context.Context) (string, error) {
	var version struct {
		Release string `json:"release"`
	}
	if err := c.get(ctx, Asker{}, "version", "/api/version/", "", &version); err != nil {
		return "", err
	}
	if version.Release == "" {
		return "", unavailable(errors.New("the answer names no release"))
	}
	return version.Release, nil
}

// get asks one question as the asker.
func (c *Client) get(ctx context.Context, asker Asker, kind, path, query string, into any) error {
	request, err := c.request(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	if asker.Authorization != "" {
		request.Header.Set("Authorization", asker.Authorization.Reveal())
	}
	if asker.Cookie != "" {
		request.Header.Set("Cookie", asker.Cookie.Reveal())
	}
	return c.send(request, kind, into)
}

func (c *Client) request(ctx context.Context, method, path, query string, body io.Reader) (*http.Request, error) {
	target := url.URL{Scheme: c.Base.Scheme, Host: c.Base.Host, Path: path, RawQuery: query}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, unavailable(err)
	}
	request.Header.Set("Accept", "application/json")
	return request, nil
}

// send sends one request and decodes the answer.
func (c *Client) send(request *http.Request, kind string, into any) error {
	if c.Asked != nil {
		c.Asked(kind)
	}
	client := *c.HTTP
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if err != nil {
		return unavailable(err)
	}
	defer response.Body.Close()
	if err := verdict(response.StatusCode, kind); err != nil {
		return err
	}
	return read(response.Body, kind, into)
}

// verdict says what a status means.
func verdict(status int, kind string) error {
	switch status {
	case http.StatusOK:
		return nil
	case http.StatusNotFound, http.StatusForbidden:
		return refusal.New(refusal.Forbidden, CodeNotTheirs, "Label Studio does not show this person the %s, or has none such.", kind)
	case http.StatusUnauthorized:
		return refusal.New(refusal.Unauthenticated, CodeIdentity, "Label Studio does not accept the person's credential; their account may have been switched off, or the secret key is not Label Studio's SECRET_KEY.")
	}
	if status == http.StatusInternalServerError && kind == "whoami" {
		return refusal.New(refusal.Unavailable, CodeShut, "Label Studio fails (500) when it is asked who the person is, as it does for whom it has removed from every organization: look at its members, and at its log.")
	}
	return unavailable(fmt.Errorf("asking for a %s: status %d", kind, status))
}

// read decodes one JSON document of bounded size.
func read(body io.Reader, kind string, into any) error {
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err != nil {
		return unavailable(fmt.Errorf("reading a %s: %w", kind, err))
	}
	if len(text) > maxAnswer {
		return refusal.New(refusal.Unavailable, CodeTooLarge, "Label Studio's answer about a %s is larger than %d bytes, annotations included; split the task.", kind, maxAnswer)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return unavailable(fmt.Errorf("reading a %s: the answer is not the JSON that Label Studio 1.23 gives", kind))
	}
	return nil
}
