package decisiontest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

// Public is the application's address, as browsers know it.
const Public = "https://label.test"

// World is a real Decider with real parts around it, all in this process: the
// application is a function, and time stands until it is moved.
type World struct {
	*decision.Decider
	// Last is the last decision's event.
	Last decision.Event

	now   time.Time
	tasks map[int64]Task // what the application says
}

// NewWorld makes a world in which nobody is signed in and nothing is granted.
func NewWorld(start time.Time) (*World, error) {
	w := &World{now: start, tasks: map[int64]Task{}}
	sealer, err := w.sealer()
	if err != nil {
		return nil, err
	}
	store := state.NewMemory(256<<20, w.clock)
	sessions := &session.Manager{Store: store, Sealer: sealer, Now: w.clock, Rand: random(), Idle: idle, Absolute: absolute}
	cache := credcache.New(store, sealer, 64<<20, w.clock)
	app := client.New(&url.URL{Scheme: "http", Host: "app.test"}, &http.Client{Transport: w}, w.clock)
	w.Decider = &decision.Decider{
		Hosts: []string{"label.test"}, PublicOrigin: Public, Sessions: sessions, Cache: cache, App: app,
		Login: &login.Service{
			PublicURL: Public, ACSPath: "/rolepass/saml/acs", Sealer: sealer, Used: state.NewMemoryOnce(16, w.clock), Sessions: sessions, Cache: cache,
			Ended: app.Forget, Started: start, Now: w.clock, Rand: random(), Verifying: make(chan struct{}, 1), Signing: login.NewTurns(4, 64),
		},
		Bearer: func(_ context.Context, user int64) (presign.Secret, error) {
			return presign.Secret("Bearer " + strconv.FormatInt(user, 10)), nil
		},
		AppCookies: []string{"sessionid"}, Signer: &presign.Signer{Now: w.clock}, Deadlines: decision.DefaultDeadlines(), Now: w.clock,
		Sinks: []decision.Sink{func(e *decision.Event) { w.Last = *e }},
	}
	if w.Buckets, err = buckets(); err != nil {
		return nil, err
	}
	return w, w.Grant(nil)
}

func (w *World) clock() time.Time { return w.now }

func random() io.Reader { return rand.NewChaCha8([32]byte{1}) }

func (w *World) sealer() (*state.Sealer, error) {
	dir, err := os.MkdirTemp("", "decisiontest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if _, err := state.NewKey(dir, w.now, random()); err != nil {
		return nil, err
	}
	ring, err := state.LoadKeyring(dir)
	return &state.Sealer{Keys: ring, Now: w.clock, Rand: random()}, err
}

// buckets are two, of which the second is another token service's than the
// one whose credentials everybody has.
func buckets() (map[string]presign.Bucket, error) {
	all := map[string]presign.Bucket{}
	for name, sts := range map[string]string{"imaging": "aws", "foreign": "elsewhere"} {
		b, err := presign.NewBucket(name, "eu-west-1", sts, "")
		if err != nil {
			return nil, err
		}
		all[name] = b
	}
	return all, nil
}

// Grant replaces all grants.
func (w *World) Grant(all []Grant) error {
	set, err := compiled(all)
	w.Grants, w.Login.Grants = set, set
	return err
}

// compiled makes the real set of grants.
func compiled(all []Grant) (*grants.Set, error) {
	var list []grants.Grant
	for _, g := range all {
		scope := grants.Scope{Anywhere: g.Project == 0}
		if g.Project != 0 {
			scope.Projects = []int64{g.Project}
		}
		list = append(list, grants.Grant{Role: g.Role, Read: []grants.Prefix{{Bucket: g.Bucket, Key: g.Prefix}}, Scope: scope})
	}
	set, problems := grants.Compile(list, nil)
	if len(problems) > 0 {
		return nil, fmt.Errorf("compiling %+v: %v", all, problems)
	}
	return set, nil
}

// SignIn begins a session, with credentials that end at different times.
func (w *World) SignIn(ctx context.Context, user int64, until map[string]time.Time, roles ...string) (*Session, error) {
	s, token, err := w.Sessions.New(time.Time{})
	if err != nil {
		return nil, err
	}
	s.AppUser, s.Roles, s.Principal = user, roles, saml.Principal{IdP: "corp", NameID: strconv.FormatInt(user, 10)}
	for role, end := range until {
		credentials := &presign.Credentials{AccessKeyID: "ASIA" + role[strings.LastIndexByte(role, '/')+1:], SecretAccessKey: "secret", SessionToken: "token", Expires: end, STS: "aws"}
		if err := w.Cache.Put(ctx, credcache.Key{Session: s, Role: role}, credentials); err != nil {
			return nil, err
		}
	}
	if err := w.Sessions.Keep(ctx, s); err != nil {
		return nil, err
	}
	return &Session{Cookie: session.CookieName + "=" + token, User: user, Roles: roles, Began: w.now, Seen: w.now, Until: until}, nil
}

// SignOut ends a session as the logout does.
func (w *World) SignOut(ctx context.Context, s *Session) error {
	found, err := w.Sessions.Find(ctx, []string{s.Cookie})
	if err != nil {
		return err
	}
	w.App.Forget(found.ID)
	return w.Sessions.End(ctx, found)
}

// Request is the request of a browser that asks a question.
func (q Question) Request() decision.Request {
	uri := base64.URLEncoding.EncodeToString([]byte("s3://" + q.Bucket + "/" + q.Key))
	r := decision.Request{
		ID: "r-1", Method: q.Method, Host: "label.test", Target: "/tasks/" + strconv.FormatInt(q.Task, 10) + "/resolve/?fileuri=" + uri,
		FetchSite: "same-origin", FetchMode: "no-cors", FetchDest: q.Dest,
	}
	if q.Foreign {
		r.FetchSite = "cross-site"
	}
	if q.Who != nil {
		r.CookieLines = []string{"a=b; " + q.Who.Cookie}
	}
	return r
}

// RoundTrip is the application: it shows a task to those whose it is.
func (w *World) RoundTrip(r *http.Request) (*http.Response, error) {
	id, _ := strconv.ParseInt(strings.Trim(strings.TrimPrefix(r.URL.Path, "/api/tasks/"), "/"), 10, 64)
	user, _ := strconv.ParseInt(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), 10, 64)
	task, ok := w.tasks[id]
	if !ok || !slices.Contains(task.Theirs, user) {
		return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: r}, nil
	}
	text, err := json.Marshal(map[string]any{"id": id, "project": task.Project, "data": task.URIs})
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(text)), Request: r}, err
}
