package login

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// retryCookie names the one login of a browser that waits, and opens it. It is
// not sent with what another site posts.
const retryCookie = "__Host-rolepass-retry"

// halfSize is the length of what only the browser has, in bytes.
const halfSize = 32

// answered is a login whose answer was verified, and counts as used.
type answered struct {
	handle    handle
	pending   pending
	encoded   string
	assertion *saml.Assertion
	sp        *saml.ServiceProvider
}

// Format shows the login's name only, whatever the verb: the rest is good for
// credentials.
func (a answered) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "login "+a.handle.name) }

// LogValue shows the login's name only.
func (a answered) LogValue() slog.Value { return slog.StringValue(a.handle.name) }

// waitingLogin is what is sealed of it. The assertion itself is not: it is read
// and verified anew at each try.
type waitingLogin struct {
	Pending pending `json:"pending"`
	Encoded string  `json:"encoded"`
}

// putAside seals the login for this browser and lets it wait.
func (s *Service) putAside(in answered, life time.Duration) (cookie string, err error) {
	half := make([]byte, halfSize)
	if _, err := io.ReadFull(s.Rand, half); err != nil {
		return "", fmt.Errorf("drawing the half of a waiting login: %w", err)
	}
	value, err := json.Marshal(waitingLogin{in.pending, in.encoded})
	if err != nil {
		return "", fmt.Errorf("encoding a waiting login: %w", err)
	}
	name := in.handle.name
	record, err := s.Sealer.Seal("waiting", name, half, value, s.Now().Add(life))
	if err != nil {
		return "", err
	}
	if !s.waiting.put(name, listedAs(in.assertion), record, life) {
		return "", errors.New("too many logins wait to be tried again")
	}
	return ownCookie(retryCookie, name+"."+base64.RawURLEncoding.EncodeToString(half), life), nil
}

// openWaiting gives the login that the address names, if this browser has it.
func (s *Service) openWaiting(r Request) (in answered, until time.Time, ok bool) {
	query, err := url.ParseQuery(r.Query)
	if err != nil {
		return answered{}, time.Time{}, false
	}
	in, until, ok = s.openCookie(r)
	return in, until, ok && query.Get("login") == in.handle.name
}

// openCookie gives the login that waits for this browser.
func (s *Service) openCookie(r Request) (in answered, until time.Time, ok bool) {
	text, _ := session.Cookie(r.CookieLines, retryCookie)
	name, encoded, _ := strings.Cut(text, ".")
	h, ok := parseHandle(name + ".0")
	half, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(half) != halfSize {
		return answered{}, time.Time{}, false
	}
	record, _, _ := s.waiting.look(h.name)
	value, until, err := s.Sealer.Open("waiting", h.name, half, record)
	var kept waitingLogin
	if err != nil || json.Unmarshal(value, &kept) != nil {
		return answered{}, time.Time{}, false
	}
	return answered{handle: h, pending: kept.Pending, encoded: kept.Encoded}, until, true
}

// abandon forgets the login that waits for this browser: with it somebody could
// come in again after the person has signed out.
func (s *Service) abandon(r Request) {
	if in, _, ok := s.openCookie(r); ok {
		s.waiting.forget(in.handle.name)
	}
}
