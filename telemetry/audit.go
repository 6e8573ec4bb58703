package telemetry

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/rolepass/rolepass/decision"
)

// record is one line of the audit, as JSON.
type record struct {
	Time      string `json:"time"` // RFC 3339, UTC
	RequestID string `json:"request_id,omitempty"`
	Kind      string `json:"kind"` // stream, redirect, header, page, refuse
	Code      string `json:"code"`
	Sentence  string `json:"sentence,omitempty"` // for the operator
	Cause     string `json:"cause,omitempty"`    // for the operator, where something did not answer
	Method    string `json:"method,omitempty"`
	Session   string `json:"session,omitempty"` // the session's public handle
	IdP       string `json:"idp,omitempty"`
	Who       string `json:"who,omitempty"` // the RoleSessionName, as in CloudTrail
	Bucket    string `json:"bucket,omitempty"`
	Object    string `json:"object,omitempty"` // keyed hash of bucket and key
	Task      int64  `json:"task,omitempty"`
	Project   int64  `json:"project,omitempty"`
	Door      string `json:"door,omitempty"` // a side door of the application's
	Role      string `json:"role,omitempty"`
	Grant     int    `json:"grant,omitempty"`
	TookUS    int64  `json:"took_us"`
	Shadow    bool   `json:"shadow,omitempty"` // decided, and not enforced
}

// AuditOptions are what an audit needs beside a place to write to.
type AuditOptions struct {
	JournalOptions
	// Key hashes objects. Required.
	Key []byte
}

// OpenAudit appends to a file, which only its owner may read, or writes to
// standard output where the path is "stdout".
func OpenAudit(path string, o AuditOptions) (*Journal, error) {
	return openJournal(path, audit{newObjects(o.Key)}.line, o.JournalOptions)
}

// NewAudit writes to out.
func NewAudit(out io.Writer, o AuditOptions) *Journal {
	return newJournal(out, audit{newObjects(o.Key)}.line, o.JournalOptions).begin()
}

// audit writes the lines of an audit.
type audit struct{ objects *objects }

// silent says that a request was passed and nothing else is to tell of it. What
// an administrator does through a side door is told.
func silent(e *decision.Event) bool {
	switch e.Kind {
	case decision.Pass, decision.PassOwn, decision.PassClient, decision.Open:
		return e.Page == "" && e.Refusal == nil && e.Door == ""
	}
	return false
}

// line writes the record of an event, if it is audited: a request that was passed
// to the application is not, which keeps a log of its own.
func (a audit) line(to *bytes.Buffer, e *decision.Event) bool {
	if silent(e) {
		return false
	}
	r := record{
		Time: e.Time.UTC().Format(time.RFC3339Nano), RequestID: printable(e.RequestID), Kind: e.Kind.String(), Code: code(e), Method: printable(e.Method),
		Task: e.Task, Project: e.Project, Door: string(e.Door), Role: e.Role, Grant: e.Grant, TookUS: e.Took.Microseconds(), Shadow: e.Shadow,
	}
	if e.Refusal != nil {
		r.Sentence, r.Cause = e.Refusal.Sentence, cause(e.Refusal)
	}
	if e.Session != nil {
		r.Session, r.IdP, r.Who = e.Session.Handle(), e.Session.Principal.IdP, e.Session.Principal.SessionName
	}
	if e.Location.Bucket != "" {
		r.Bucket, r.Object = e.Location.Bucket, a.objects.hash(e.Location.URI())
	}
	return json.NewEncoder(to).Encode(&r) == nil // as always, for strings and numbers
}

// printable bounds what a client may write into the audit.
func printable(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
		return s
	}
	out := []byte(s)
	for i, c := range out {
		if c < ' ' || c >= 0x7f {
			out[i] = '?'
		}
	}
	return string(out)
}
