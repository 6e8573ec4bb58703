package canary

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// page is how much of a page is searched, in bytes: ours are small.
const page = 1 << 20

// Transport is how a browser of the suite asks: it keeps what a person has who
// signs in, which nobody else may see, and writes down the pages of the
// application's host that refuse, and Rolepass's own, as they go by.
func (s *Suite) Transport(host string, next http.RoundTripper) http.RoundTripper {
	return transport{s, host, next}
}

type transport struct {
	suite *Suite
	host  string
	next  http.RoundTripper
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.suite.keepForm(r)
	response, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	t.suite.KeepCookies(response.Header)
	if location, err := response.Location(); err == nil {
		t.suite.KeepSigned(location.Query())
		if state := location.Query().Get("RelayState"); !strings.Contains(state, "/") { // an application's own is a path
			t.suite.Keep("a relay state", state)
		}
	}
	if r.URL.Hostname() == t.host && (response.StatusCode >= http.StatusBadRequest || strings.HasPrefix(r.URL.Path, "/rolepass/")) {
		err = t.writes(response)
	}
	return response, err
}

// writes writes a page down, and leaves it to be read again.
func (t transport) writes(response *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, page))
	if err != nil {
		return err
	}
	_, _ = t.suite.Writer("a page of the application's host").Write(append(text, '\n'))
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(text), response.Body), response.Body}
	return nil
}

// keepForm keeps what a form has of a login.
func (s *Suite) keepForm(r *http.Request) {
	if r.GetBody == nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return
	}
	body, err := r.GetBody()
	if err != nil {
		return
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return
	}
	if form, err := url.ParseQuery(string(text)); err == nil {
		s.KeepResponse(form.Get("SAMLResponse"))
	}
}
