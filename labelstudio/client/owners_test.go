package client_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// slowly is a Label Studio that needs long to say whose a token is.
type slowly struct {
	mu    sync.Mutex
	valid map[string]bool
}

func (s *slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(4 * time.Second):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &http.Response{StatusCode: http.StatusUnauthorized, Body: io.NopCloser(strings.NewReader("")), Request: r}
	if s.valid[r.Header.Get("Authorization")] {
		out.StatusCode, out.Body = http.StatusOK, io.NopCloser(strings.NewReader(`{"id": 7, "email": "ml@example.com"}`))
	}
	return out, nil
}

func (s *slowly) revokes(token string) { s.mu.Lock(); defer s.mu.Unlock(); s.valid[token] = false }

// token is an asker with a token, from an address.
func token(text, from string) client.Asker {
	return client.Asker{Session: "token " + text, Credential: text, Authorization: presign.Secret(text), From: from}
}

// floods asks with made-up tokens, one from each address, and waits until all
// the turns that they get are taken.
func floods(t *testing.T, c *client.Client, from func(n int) string) {
	for n := range 100 {
		go c.Owner(t.Context(), token(fmt.Sprint("made-up ", n), from(n)))
	}
	synctest.Wait()
}

func everywhere(n int) string { return fmt.Sprintf("192.0.2.%d", n) }

func TestMadeUpTokensInAllTurnsStopNoProgram(t *testing.T) {
	const own, attackers = "10.0.0.7", "203.0.113.9"
	for name, c := range map[string]struct {
		floods func(n int) string
		before func(t *testing.T, s *slowly, c *client.Client)
		asker  client.Asker
		busy   bool
	}{
		"a program that was known, against tokens from everywhere": {everywhere, recognised("ml", own), token("ml", own), false},
		"from another address than before":                         {everywhere, recognised("ml", own), token("ml", "10.0.0.8"), false},
		"its next token, against tokens from one address":          {func(int) string { return attackers }, recognised("ml", own), token("next", own), false},
		"against tokens from one network":                          {func(n int) string { return fmt.Sprintf("2001:db8::%x", n+1) }, nothing, token("next", own), false},
		"against an IPv4 address in two spellings": {func(n int) string {
			if n%2 == 0 {
				return attackers
			}
			return "::ffff:" + attackers
		}, nothing, token("next", own), false},
		"a token that nobody knows, against tokens from everywhere":  {everywhere, nothing, token("next", own), true},
		"a token that nobody knows, from where the others come from": {func(int) string { return own }, nothing, token("next", own), true},
		"a user's token, who has no program":                         {everywhere, asked("ml", own), token("ml", own), true},
		"a program's token that was revoked": {everywhere, func(t *testing.T, s *slowly, c *client.Client) {
			recognised("ml", own)(t, s, c)
			time.Sleep(time.Minute)
			s.revokes("ml")
			if _, err := c.Owner(t.Context(), token("ml", own)); err == nil {
				t.Error("it is still somebody's")
			}
		}, token("ml", own), true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &slowly{valid: map[string]bool{"ml": true, "next": true}}
				asks := client.New(&url.URL{Scheme: "http", Host: "label-studio.test"}, &http.Client{Transport: s}, time.Now)
				c.before(t, s, asks)
				time.Sleep(time.Minute) // what was said before is not used any more
				floods(t, asks, c.floods)
				began := time.Now()
				who, err := asks.Owner(t.Context(), c.asker)
				var ref *refusal.Refusal
				busy := errors.As(err, &ref) && ref.Code == client.CodeBusy
				if busy != c.busy || !busy && (err != nil || who.ID != 7 || time.Since(began) != 4*time.Second) {
					t.Errorf("%v after %s: %v", who.ID, time.Since(began), err)
				}
				time.Sleep(time.Minute)
				if turns := asks.Turns(); turns != 0 {
					t.Errorf("%d turns were not handed back", turns)
				}
			})
		})
	}
}

func nothing(*testing.T, *slowly, *client.Client) {}

func asked(text, from string) func(*testing.T, *slowly, *client.Client) {
	return func(t *testing.T, _ *slowly, c *client.Client) {
		if _, err := c.Owner(t.Context(), token(text, from)); err != nil {
			t.Fatal(err)
		}
	}
}

func recognised(text, from string) func(*testing.T, *slowly, *client.Client) {
	return func(t *testing.T, s *slowly, c *client.Client) {
		asked(text, from)(t, s, c)
		c.Recognised(token(text, from))
	}
}

// Tokens of programs are remembered to a bound, and the latest used ones.
func TestKnownTokensAreBounded(t *testing.T) {
	c := client.New(&url.URL{Scheme: "http", Host: "label-studio.test"}, &http.Client{Transport: &slowly{}}, time.Now)
	for n := range 5000 {
		c.Recognised(token(fmt.Sprint(n), ""))
	}
	if known := c.Known(); known != 1000 {
		t.Errorf("%d tokens are remembered", known)
	}
}
