package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
	"github.com/rolepass/rolepass/telemetry"
)

// Replayer decides again what was recorded, under a configuration that need
// not be in force: with the real decider, credentials that are good for nothing,
// and an application that says what it said.
type Replayer struct {
	config  *config.Config
	decider *decision.Decider
	// people are sessions, by their roles.
	people map[string]person
	// compared are the prefixes that what was recorded was compared with.
	compared []string
	// says is what the application said, of the record that is decided.
	says telemetry.Recorded
	last decision.Event
}

// person is somebody with some roles.
type person struct{ session, cookie string }

// Why a record does not tell what would be decided.
var (
	ErrUntoldKey   = errors.New("only the prefix of an older grant was recorded of the key, and a new grant's prefix is longer: record with keys: true")
	ErrUntoldPlace = errors.New("the application was not asked then where the task is, and a new grant holds in some places only")
)

// nowhere is the number of a place that is not known; no grant names it.
const nowhere = 1 << 52

// NewReplayer makes a replayer for a configuration.
func NewReplayer(c *config.Config) (*Replayer, error) {
	if len(c.Titles) > 0 {
		return nil, errors.New("grants name projects by their titles, which only a running Rolepass looks up: write their numbers to replay")
	}
	sealer, err := throwaway()
	if err != nil {
		return nil, err
	}
	r := &Replayer{config: c, people: map[string]person{}}
	store := state.NewMemory(c.State.MiB<<20, time.Now)
	sessions := &session.Manager{Store: store, Sealer: sealer, Now: time.Now, Rand: rand.Reader, Idle: 24 * time.Hour, Absolute: 24 * time.Hour}
	cache := credcache.New(store, sealer, opened(c.State.MiB), time.Now)
	app := client.New(&url.URL{Scheme: "http", Host: "recorded"}, &http.Client{Transport: r}, time.Now)
	app.WholePlace = slices.ContainsFunc(c.GrantList, wholePlace)
	r.decider = &decision.Decider{
		Hosts: hosts(c.PublicURL), PublicOrigin: c.PublicURL.Scheme + "://" + c.PublicURL.Host,
		Login:    &login.Service{PublicURL: c.PublicURL.String(), ACSPath: c.ACSPath, Sealer: sealer, Sessions: sessions, Cache: cache, Grants: c.Grants, Now: time.Now, Rand: rand.Reader},
		Sessions: sessions, Grants: c.Grants, Buckets: buckets(c), Confirm: confirm(c), App: app,
		Bearer:         func(context.Context, int64) (presign.Secret, error) { return "Bearer of-nobody", nil },
		Administrators: c.LabelStudio.Administrators, Cache: cache, Signer: &presign.Signer{Now: time.Now}, Delivery: c.Delivery,
		Deadlines: decision.DefaultDeadlines(), Now: time.Now, Sinks: []decision.Sink{func(e *decision.Event) { r.last = *e }},
	}
	return r, nil
}

// throwaway seals with a key that is kept nowhere.
func throwaway() (*state.Sealer, error) {
	dir, err := os.MkdirTemp("", "rolepass-replay-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	keys := filepath.Join(dir, "keys")
	if _, err := state.NewKey(keys, time.Now(), rand.Reader); err != nil {
		return nil, err
	}
	ring, err := state.LoadKeyring(keys)
	return &state.Sealer{Keys: ring, Now: time.Now, Rand: rand.Reader}, err
}

// Verdict is a decision as a replay compares it.
type Verdict struct {
	// Yes says that the request may go on, Role under which role.
	Yes  bool
	Role string
	Code string
}

// Was is the verdict that was recorded. Credentials that had ended are no fault
// of the configuration's, which said yes.
func Was(r telemetry.Recorded) Verdict {
	yes := r.Kind != "refuse" || r.Code == string(decision.CodeCredentials)
	return Verdict{yes, r.Role, r.Code}
}

// Compared tells with which prefixes the records that follow were compared:
// their keys begin with the one that is recorded, and with no longer one.
func (r *Replayer) Compared(prefixes []string) { r.compared = prefixes }

// Decide decides one record again.
func (r *Replayer) Decide(ctx context.Context, recorded telemetry.Recorded) (Verdict, error) {
	if recorded.Door == "" && recorded.Key == "" && r.longer(recorded) {
		return Verdict{}, ErrUntoldKey
	}
	who, err := r.signsIn(ctx, recorded.Roles)
	if err != nil {
		return Verdict{}, err
	}
	r.says = recorded
	r.decider.App.Forget(who.session) // what it said of another record
	request := decision.Request{ID: "replay", Method: "GET", Target: target(recorded), Host: r.decider.Hosts[0], CookieLines: []string{who.cookie}, FetchSite: "same-origin", FetchMode: "no-cors", FetchDest: "image"}
	if door, ok := doors[labelstudio.Door(recorded.Door)]; ok {
		request.Method, request.Target, request.FetchDest, request.ContentType = door.method, door.target, "empty", "application/x-www-form-urlencoded"
	}
	out := r.decider.Decide(ctx, request)
	if out.Code == decision.CodeScope && recorded.Code != string(decision.CodeScope) && r.placeUnknown(recorded) {
		return Verdict{}, ErrUntoldPlace
	}
	return Verdict{out.Kind != decision.Refuse && out.Kind != decision.Page, r.last.Role, string(out.Code)}, nil
}

// doors are requests that each need one of Label Studio's side doors.
var doors = map[labelstudio.Door]struct{ method, target string }{
	labelstudio.DoorStorage:        {"POST", "/api/storages/s3/"},
	labelstudio.DoorExport:         {"GET", "/api/projects/1/export?exportType=YOLO"},
	labelstudio.DoorModel:          {"POST", "/api/ml/"},
	labelstudio.DoorImport:         {"POST", "/api/projects/1/import"},
	labelstudio.DoorWebhook:        {"POST", "/api/webhooks/"},
	labelstudio.DoorAdministration: {"GET", "/admin/"},
}

// placeUnknown says that the record does not tell all of the place that a
// grant may ask for.
func (r *Replayer) placeUnknown(recorded telemetry.Recorded) bool {
	return recorded.Project == 0 || recorded.Organization == 0 && r.decider.App.WholePlace
}

// longer says that a grant of these roles has a prefix of which the record
// cannot tell whether the key begins with it.
func (r *Replayer) longer(recorded telemetry.Recorded) bool {
	for _, g := range r.config.GrantList {
		for _, p := range g.Read {
			for _, role := range recorded.Roles {
				if role == g.Role && p.Bucket == recorded.Bucket && len(p.Key) > len(recorded.Prefix) && strings.HasPrefix(p.Key, recorded.Prefix) && !slices.Contains(r.compared, p.String()) {
					return true
				}
			}
		}
	}
	return false
}

// unknownKey stands for the rest of a key that was not recorded.
const unknownKey = "not-recorded"

func object(recorded telemetry.Recorded) string {
	key := recorded.Key
	if key == "" {
		key = recorded.Prefix + unknownKey
	}
	return "s3://" + recorded.Bucket + "/" + key
}

// target is a fetch of the same object.
func target(recorded telemetry.Recorded) string {
	return fmt.Sprintf("/tasks/%d/resolve/?fileuri=%s", max(1, recorded.Task), base64.URLEncoding.EncodeToString([]byte(object(recorded))))
}

// signsIn gives somebody with these roles.
func (r *Replayer) signsIn(ctx context.Context, roles []string) (person, error) {
	name := strings.Join(roles, " ")
	if who, ok := r.people[name]; ok {
		return who, nil
	}
	s, token, err := r.decider.Sessions.New(time.Time{})
	if err != nil {
		return person{}, err
	}
	s.AppUser, s.Roles = 1, roles
	for _, role := range roles {
		policies, err := r.config.Grants.SessionPolicies(role)
		if err != nil {
			continue // a role that is not granted
		}
		for shard := range policies {
			credentials := &presign.Credentials{AccessKeyID: "REPLAY", SecretAccessKey: "replay", SessionToken: "replay", Expires: time.Now().Add(24 * time.Hour), STS: r.config.RoleSTS[role]}
			if err := r.decider.Cache.Put(ctx, credcache.Key{Session: s, Role: role, Shard: shard}, credentials); err != nil {
				return person{}, err
			}
		}
	}
	if err := r.decider.Sessions.Keep(ctx, s); err != nil {
		return person{}, err
	}
	r.people[name] = person{s.ID, session.CookieName + "=" + token}
	return r.people[name], nil
}

// RoundTrip is the application: it says of the task what it said. Where it was
// not asked, since no grant covered the object, it says yes.
func (r *Replayer) RoundTrip(request *http.Request) (*http.Response, error) {
	said := r.says
	if said.Code == string(client.CodeNotTheirs) {
		return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: request}, nil
	}
	uris := []string{object(said)}
	if said.Code == string(decision.CodeNotInTask) {
		uris = nil
	}
	answer := map[string]any{"id": max(1, said.Task), "project": known(said.Project), "data": uris}
	if strings.HasPrefix(request.URL.Path, "/api/projects/") {
		id, _ := strconv.ParseInt(strings.Trim(strings.TrimPrefix(request.URL.Path, "/api/projects/"), "/"), 10, 64)
		answer = map[string]any{"id": id, "organization": known(said.Organization), "workspace": said.Workspace}
	}
	text, err := json.Marshal(answer)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(text)), Request: request}, err
}

func known(place int64) int64 {
	if place == 0 {
		return nowhere
	}
	return place
}
