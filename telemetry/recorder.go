package telemetry

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/grants"
)

// Recorded is one decision that depends on the configuration, with what it was
// decided by: facts of the session in place of its cookie, and of the object
// only what Recorder may keep. `rolepass replay` reads it.
type Recorded struct {
	Time  string   `json:"time"` // RFC 3339, UTC
	IdP   string   `json:"idp,omitempty"`
	Who   string   `json:"who,omitempty"` // the RoleSessionName, as in CloudTrail
	Roles []string `json:"roles,omitempty"`

	// Door is the side door of a request that is no fetch.
	Door string `json:"door,omitempty"`

	Bucket string `json:"bucket,omitempty"`
	// Prefix is the longest prefix of a grant that the object's key begins
	// with. Key is the whole key, where the operator has it kept.
	Prefix string `json:"prefix,omitempty"`
	Key    string `json:"key,omitempty"`
	Task   int64  `json:"task,omitempty"`
	// Confirmed says that the application said yes, and where the task is.
	Confirmed    bool  `json:"confirmed,omitempty"`
	Organization int64 `json:"organization,omitempty"`
	Workspace    int64 `json:"workspace,omitempty"`
	Project      int64 `json:"project,omitempty"`

	// Kind is KindPrefixes in a line that holds no decision but all prefixes
	// that the following ones were compared with.
	Kind     string   `json:"kind"`
	Prefixes []string `json:"prefixes,omitempty"`
	Code     string   `json:"code,omitempty"`
	Role     string   `json:"role,omitempty"`
}

// KindPrefixes is the kind of a line that tells of the grants' prefixes.
const KindPrefixes = "prefixes"

// RecorderOptions are what a recorder needs beside a place to write to.
type RecorderOptions struct {
	JournalOptions
	// Prefixes are those of all grants.
	Prefixes []grants.Prefix
	// Keys keeps whole object keys.
	Keys bool
}

// OpenRecorder appends to a file, as OpenAudit does, what can be replayed.
func OpenRecorder(path string, o RecorderOptions) (*Journal, error) {
	j, err := openJournal(path, o.line, o.JournalOptions)
	if err != nil {
		return nil, err
	}
	head := Recorded{Time: o.Now().UTC().Format(time.RFC3339), Kind: KindPrefixes}
	for _, p := range o.Prefixes {
		head.Prefixes = append(head.Prefixes, p.String())
	}
	text, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	j.add(append(text, '\n'))
	return j, nil
}

// line writes the record of an event, but for one that no configuration would have
// changed: of nobody, of a page, of a request that is refused for what it is.
func (o RecorderOptions) line(to *bytes.Buffer, e *decision.Event) bool {
	if e.Session == nil || e.Kind == decision.Page || e.Location.Bucket == "" && e.Door == "" {
		return false
	}
	if e.Refusal != nil && !slices.Contains(replayable, string(e.Refusal.Code)) {
		return false
	}
	r := Recorded{
		Time: e.Time.UTC().Format(time.RFC3339), IdP: e.Session.Principal.IdP, Who: e.Session.Principal.SessionName, Roles: e.Session.Roles,
		Door: string(e.Door), Bucket: e.Location.Bucket, Prefix: o.longest(e.Location.Bucket, e.Location.Key), Task: e.Task,
		Confirmed: e.Place != (grants.Place{}), Organization: e.Place.Organization, Workspace: e.Place.Workspace, Project: e.Place.Project,
		Kind: e.Kind.String(), Code: code(e), Role: e.Role,
	}
	if o.Keys {
		r.Key = e.Location.Key
	}
	return json.NewEncoder(to).Encode(&r) == nil // as always, for strings and numbers
}

// replayable are the refusals that another configuration might not have made,
// and those by which the application said no. Others are about what was asked,
// or about what did not answer.
var replayable = []string{
	string(decision.CodeBucket), string(decision.CodeNoGrant), string(decision.CodeScope), string(decision.CodeSideDoor),
	string(decision.CodeCredentials), string(decision.CodeNotInTask), "app_not_theirs",
}

// longest is the longest prefix of any grant that a key begins with.
func (o RecorderOptions) longest(bucket, key string) string {
	longest := ""
	for _, p := range o.Prefixes {
		if p.Bucket == bucket && strings.HasPrefix(key, p.Key) && len(p.Key) > len(longest) {
			longest = p.Key
		}
	}
	return longest
}
