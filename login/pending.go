package login

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rolepass/rolepass/session"
)

// pendingPrefix begins the names of the login cookies. There is one per login
// that was started, so that two tabs do not overwrite each other's.
const pendingPrefix = "__Host-rolepass-login-"

// forceCookie marks a browser in which somebody signed out: the next login
// must ask for the password again.
const forceCookie = "__Host-rolepass-asks"

const (
	// forceLife is longer than anybody stays away.
	forceLife = 365 * 24 * time.Hour
	// pendingLife is how long a person may take at the IdP.
	pendingLife = 10 * time.Minute
	// mostPending is how many logins may be open in one browser.
	mostPending = 4
	// longestReturn bounds the address to return to, in bytes.
	longestReturn = 1024
	// mostAttempts is how often a lost cookie leads to a fresh login before
	// the person is told.
	mostAttempts = 2
)

// pending is a login that was started and is not finished. It lives in the
// browser, sealed: a flood of started logins costs the server nothing, and
// every replica can finish what another started.
type pending struct {
	RequestID string    `json:"id"`
	IdP       string    `json:"idp"`
	Return    string    `json:"return"`
	Forced    bool      `json:"forced"`
	Started   time.Time `json:"started"`
	// Replaces is the session that the browser had when the login began.
	Replaces string `json:"replaces,omitempty"`
	// Whose says, as a hash, whose session that was.
	Whose string `json:"whose,omitempty"`
	// Renewing says that the login only renews it.
	Renewing bool `json:"renewing,omitempty"`
	// Passive says that the IdP was told to ask nothing.
	Passive bool `json:"passive,omitempty"`
}

// handle is the RelayState: a random name for the cookie, and how often this
// login was begun anew. It says nothing else and is never an address.
type handle struct {
	name    string
	attempt int
}

const handleSize = 16

func (s *Service) newHandle(attempt int) (handle, error) {
	random := make([]byte, handleSize)
	if _, err := io.ReadFull(s.Rand, random); err != nil {
		return handle{}, fmt.Errorf("drawing a relay state: %w", err)
	}
	return handle{name: base64.RawURLEncoding.EncodeToString(random), attempt: attempt}, nil
}

func (h handle) String() string { return fmt.Sprintf("%s.%d", h.name, h.attempt) }

// parseHandle reads a RelayState; anything but our own form is refused.
func parseHandle(text string) (handle, bool) {
	name, attempt, ok := strings.Cut(text, ".")
	if !ok || len(attempt) != 1 || attempt[0] < '0' || attempt[0] > '9' {
		return handle{}, false
	}
	random, err := base64.RawURLEncoding.Strict().DecodeString(name)
	// The decoder passes over line ends, which must not come into a name.
	if err != nil || len(random) != handleSize || base64.RawURLEncoding.EncodeToString(random) != name {
		return handle{}, false
	}
	return handle{name: name, attempt: int(attempt[0] - '0')}, true
}

// sealPending gives the Set-Cookie value. SameSite=None is needed: the IdP's
// POST to the ACS comes from another site.
func (s *Service) sealPending(h handle, p pending) (string, error) {
	var value bytes.Buffer
	encoder := json.NewEncoder(&value)
	encoder.SetEscapeHTML(false) // six bytes for each "&" of an address are too many for a cookie
	if err := encoder.Encode(p); err != nil {
		return "", fmt.Errorf("encoding a pending login: %w", err)
	}
	record, err := s.Sealer.Seal("login", h.name, nil, value.Bytes(), p.Started.Add(pendingLife))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s%s=%s; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=%d",
		pendingPrefix, h.name, base64.RawURLEncoding.EncodeToString(record), int(pendingLife/time.Second)), nil
}

// openPending finds the login that a RelayState names, in this browser.
func (s *Service) openPending(h handle, cookieLines []string) (pending, bool) {
	text, ok := session.Cookie(cookieLines, pendingPrefix+h.name)
	if !ok {
		return pending{}, false
	}
	record, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return pending{}, false
	}
	value, _, err := s.Sealer.Open("login", h.name, nil, record)
	if err != nil {
		return pending{}, false
	}
	var p pending
	if err := json.Unmarshal(value, &p); err != nil {
		return pending{}, false
	}
	return p, true
}

func dropPending(name string) string {
	return pendingPrefix + name + "=; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=0"
}

// pendingNames lists the login cookies that a browser sent.
func pendingNames(cookieLines []string) []string {
	var names []string
	for cookie := range session.Cookies(cookieLines) {
		if name, ok := strings.CutPrefix(cookie, pendingPrefix); ok {
			if _, valid := parseHandle(name + ".0"); valid {
				names = append(names, name)
			}
		}
	}
	return names
}

// returnTo gives the address to return to after the login: a path of this
// site, or "/". It never leads elsewhere: the second byte keeps out //host
// and /\host, and no byte is one that a browser drops or folds.
func returnTo(target string) string {
	if len(target) < 1 || len(target) > longestReturn || target[0] != '/' {
		return "/"
	}
	if len(target) > 1 && (target[1] == '/' || target[1] == '\\') {
		return "/"
	}
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '"' || c == '<' || c == '>' {
			return "/"
		}
	}
	if strings.HasPrefix(target, Prefix) || hasDotSegment(target) {
		return "/"
	}
	return target
}

// hasDotSegment says that a browser would fold the path into another one, such
// as the logout (WHATWG URL §4.1 takes %2e for a dot).
func hasDotSegment(target string) bool {
	path := target
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	for segment := range strings.SplitSeq(path, "/") {
		segment = strings.ReplaceAll(strings.ToLower(segment), "%2e", ".")
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
