// Package session keeps who is signed in.
//
// A Session is one login of one person in one browser. The browser holds a
// cookie with 256 random bits; the server holds a sealed record that opens
// only with its own key and with that cookie together, so neither a stolen
// store nor a stolen key is enough.
//
// The package knows nothing of data: which object a session may read is for
// packages grants and credcache. It never means the AWS role session; those
// are presign.Credentials.
package session

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/rolepass/rolepass/saml"
)

// Session is one login.
type Session struct {
	// ID names the session in stores, caches and audit records. It is
	// derived from the cookie and does not lead back to it.
	ID string

	Principal saml.Principal
	// Roles are the ARNs of the roles whose credentials were taken at login.
	Roles []string
	// Missed are the granted roles that could not be taken, with the reason.
	Missed []Missed
	// AppUser is the application's number for this person.
	AppUser int64
	// Organization is the application's number of the organization whose
	// login this was; 0: it did not say.
	Organization int64

	// IdPSession is the SessionIndex of the login, for single logout.
	IdPSession string

	// Created, Seen and Expires bound the session's life: Seen moves on with
	// use, Expires never does.
	Created time.Time
	Seen    time.Time
	Expires time.Time

	// half is the cookie's half of the sealing key.
	half []byte
}

// Missed is a granted role whose credentials could not be had.
type Missed struct {
	Role   string `json:"role"`
	Reason string `json:"reason"`
}

// Handle is the short form of the ID for logs and headers.
func (s *Session) Handle() string { return s.ID[:min(12, len(s.ID))] }

// Half is the cookie's half of the sealing key, for the records of other
// packages that live and die with this session.
func (s *Session) Half() []byte { return s.half }

// String shows the handle only, so that nothing that prints a Session shows a
// person or half a key.
func (s *Session) String() string { return "session " + s.Handle() }

// Format is String, whatever the verb: fmt would print half.
func (s Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText shows the handle only; a session's record is appendRecord's.
func (s Session) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue shows the handle only.
func (s *Session) LogValue() slog.Value { return slog.StringValue(s.Handle()) }
