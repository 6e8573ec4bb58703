package decision_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

const (
	radiology = "arn:aws:iam::111122223333:role/radiology"
	research  = "arn:aws:iam::111122223333:role/research"
	other     = "arn:aws:iam::111122223333:role/other"
	public    = "https://label.test"
)

// tasks are what the application's tasks hold, by number.
var tasks = map[string]struct {
	project int64
	uris    []string
}{
	"7": {12, []string{"s3://imaging/radiology/lung.png", "s3://imaging/radiology/red lung+1&ü.png", "s3://imaging/anonymised/a.png", "s3://payroll/2026.csv", "s3://foreign/x.png"}},
	"6": {12, []string{"s3://imaging/radiology/loop.webm", "s3://imaging/radiology/scan.svg", "s3://imaging/radiology/beat.csv", "s3://imaging/radiology/note.txt",
		"s3://imaging/radiology/page.html", "s3://imaging/radiology/paper.pdf", "s3://imaging/radiology/turns.json", "s3://imaging/radiology/lung", "s3://imaging/radiology/slice.dcm"}},
	"8": {13, []string{"s3://imaging/radiology/lung.png"}},
}

// world is a Decider with real parts around it, and an application that
// answers about its tasks.
type world struct {
	*decision.Decider
	t      testing.TB
	events []decision.Event
	mu     sync.Mutex
	now    time.Time
	store  *brittle
	// app answers in the application's place, when it is set.
	app    http.HandlerFunc
	asked  []string
	sealer *state.Sealer
	email  string // of who signs in
	idp    *samltest.IdP
}

// brittle is a Store that can stop answering.
type brittle struct {
	state.Store
	err error
}

func (b *brittle) Get(ctx context.Context, name string) ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Store.Get(ctx, name)
}

func (w *world) clock() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }

func (w *world) pass(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.now = w.now.Add(d) }

func random() io.Reader { return rand.NewChaCha8([32]byte{1}) }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, email: "ada@example.com", now: time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)}
	dir := t.TempDir() + "/keys"
	if _, err := state.NewKey(dir, w.now, random()); err != nil {
		t.Fatal(err)
	}
	ring, err := state.LoadKeyring(dir)
	if err != nil {
		t.Fatal(err)
	}
	secrets.KeepFiles(t, dir)
	for _, task := range tasks {
		for _, uri := range task.uris {
			secrets.KeepURI(uri)
		}
	}
	w.sealer = &state.Sealer{Keys: ring, Now: w.clock, Rand: random()}
	w.store = &brittle{Store: state.NewMemory(64<<20, w.clock)}
	sessions := &session.Manager{Store: w.store, Sealer: w.sealer, Now: w.clock, Rand: random(), Idle: time.Hour, Absolute: 8 * time.Hour}
	set, problems := grants.Compile([]grants.Grant{
		{Role: radiology, Read: prefixes(t, "s3://imaging/radiology/"), Scope: grants.Scope{Projects: []int64{12}}},
		{Role: research, Read: prefixes(t, "s3://imaging/anonymised/", "s3://foreign/"), Scope: grants.Scope{Anywhere: true}},
	}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	cache := credcache.New(w.store, w.sealer, 8<<20, w.clock)
	app := w.application()
	w.Decider = &decision.Decider{
		Hosts: []string{"label.test", "label.test:443"}, PublicOrigin: public,
		Login: w.login(sessions, cache, set, app), Sessions: sessions, Grants: set,
		Buckets: map[string]presign.Bucket{
			"imaging": bucket(t, "imaging", "aws"),
			"foreign": bucket(t, "foreign", "elsewhere"),
		},
		App: app, Bearer: func(_ context.Context, user int64) (presign.Secret, error) {
			return presign.Secret(fmt.Sprintf("Bearer of-%d", user)), nil
		},
		AppCookies: []string{"sessionid"}, Cache: cache, Signer: &presign.Signer{Now: w.clock},
		Deadlines: decision.DefaultDeadlines(), Now: w.clock,
		Sinks: []decision.Sink{func(e *decision.Event) { w.mu.Lock(); defer w.mu.Unlock(); w.events = append(w.events, *e) }, secrets.Sink},
	}
	return w
}

func prefixes(t testing.TB, uris ...string) (all []grants.Prefix) {
	for _, uri := range uris {
		p, err := grants.ParsePrefix(uri)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func bucket(t testing.TB, name, sts string) presign.Bucket {
	b, err := presign.NewBucket(name, "eu-west-1", sts, "")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (w *world) login(sessions *session.Manager, cache *credcache.Cache, set *grants.Set, app *client.Client) *login.Service {
	idp, err := samltest.New(samltest.Options{EntityID: "https://idp.test", SSOURL: "https://idp.test/sso", Now: w.clock})
	if err != nil {
		w.t.Fatal(err)
	}
	w.idp = idp
	metadata, err := saml.ParseMetadata(idp.Metadata())
	if err != nil {
		w.t.Fatal(err)
	}
	sp := &saml.ServiceProvider{EntityID: public + "/sp", ACS: public + "/rolepass/saml/acs", Now: w.clock, Rand: random(), IdP: saml.IdP{Name: "corp", Metadata: metadata, Audience: []string{"urn:amazon:webservices"}, Providers: []string{"arn:aws:iam::111122223333:saml-provider/corp"}}}
	return &login.Service{
		PublicURL: public, ACSPath: "/rolepass/saml/acs", IdPs: []login.IdP{{Name: "corp", SP: func() *saml.ServiceProvider { return sp }}},
		Contact: "data@label.test", AppCookies: []string{"sessionid"},
		Sealer: w.sealer, Used: state.NewMemoryOnce(100, w.clock), Sessions: sessions, Cache: cache, Grants: set,
		Exchanger: func(string) *credcache.Exchanger {
			return &credcache.Exchanger{Name: "aws", STS: exchange{w.clock}, Duration: time.Hour, Called: func(string) {}}
		},
		SignIn: func(context.Context, saml.Principal) (int64, error) { return 0, nil },
		Ended:  app.Forget, Started: w.now, Now: w.clock, Rand: random(), Verifying: make(chan struct{}, 1), Signing: login.NewTurns(4, 64),
	}
}

// application is a Label Studio that knows the tasks, and asks for the bearer
// of user 42.
func (w *world) application() *client.Client {
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, r.URL.Path)
		answer := w.app
		w.mu.Unlock()
		if answer != nil {
			answer(out, r)
			return
		}
		w.tasks(out, r)
	}))
	w.t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	return client.New(base, server.Client(), w.clock)
}

// tasks answers about the tasks.
func (w *world) tasks(out http.ResponseWriter, r *http.Request) {
	task, ok := tasks[strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/api/tasks/"), "/")]
	if r.Header.Get("Authorization") != "Bearer of-42" || !ok {
		out.WriteHeader(http.StatusNotFound)
		return
	}
	fmt.Fprintf(out, `{"id": %s, "project": %d, "data": %s}`, strings.Trim(strings.TrimPrefix(r.URL.Path, "/api/tasks/"), "/"), task.project, marshal(task.uris))
}

func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// signedIn gives the cookie of a person with these roles, whose credentials
// last an hour.
func (w *world) signedIn(roles ...string) (cookie string) {
	return w.signedInUntil(w.clock().Add(time.Hour), roles...)
}

func (w *world) signedInUntil(ends time.Time, roles ...string) (cookie string) {
	w.t.Helper()
	s, token, err := w.Sessions.New(time.Time{})
	if err != nil {
		w.t.Fatal(err)
	}
	s.AppUser, s.Roles, s.Principal = 42, roles, saml.Principal{IdP: "corp", NameID: "4711", SessionName: "ada", Email: w.email}
	for _, role := range roles {
		credentials := kept(&presign.Credentials{AccessKeyID: "ASIA" + role[len(role)-4:], SecretAccessKey: "canary-secret-key", SessionToken: "canary-session-token", Expires: ends, STS: "aws"})
		if err := w.Cache.Put(w.t.Context(), credcache.Key{Session: s, Role: role}, credentials); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.Sessions.Keep(w.t.Context(), s); err != nil {
		w.t.Fatal(err)
	}
	secrets.Keep("a cookie", token)
	return session.CookieName + "=" + token
}

// fetching is the path by which Label Studio's pages fetch an object.
func fetching(task, uri string) string {
	return "/tasks/" + task + "/resolve/?fileuri=" + base64.URLEncoding.EncodeToString([]byte(uri))
}

// request is what a browser asks from the application's own page.
func request(method, target, cookie string) decision.Request {
	return decision.Request{ID: "r-1", Method: method, Target: target, Host: "label.test", CookieLines: []string{cookie}, FetchSite: "same-origin", FetchMode: "no-cors", FetchDest: "image"}
}

// comesBackTo ends a login that was started, and gives where it leads.
func (w *world) comesBackTo(started decision.Decision, relayState string) string {
	w.t.Helper()
	at, err := url.Parse(location(started))
	if err != nil {
		w.t.Fatal(err)
	}
	asked, err := samltest.ParseAuthnRequest(&http.Request{Method: "GET", URL: at})
	if err != nil {
		w.t.Fatal(err)
	}
	var cookies []string
	for _, h := range started.Answer.Header {
		if h.Name == "set-cookie" {
			pair, _, _ := strings.Cut(h.Value, ";")
			cookies = append(cookies, pair)
		}
	}
	response := w.idp.Response(samltest.Spec{ACS: public + "/rolepass/saml/acs", InResponseTo: asked.ID, IssueInstant: w.clock().Add(time.Second),
		Roles: []string{radiology + ",arn:aws:iam::111122223333:saml-provider/corp"}})
	w.pass(2 * time.Second)
	r := request("POST", "/rolepass/saml/acs", strings.Join(cookies, "; "))
	r.FetchSite, r.ContentType = "cross-site", "application/x-www-form-urlencoded"
	r.Body = []byte(url.Values{"SAMLResponse": {response}, "RelayState": {relayState}}.Encode())
	back := w.Decide(w.t.Context(), r)
	if back.Answer.Status != 303 {
		w.t.Fatalf("the ACS answers %d: %v", back.Answer.Status, w.events[len(w.events)-1].Refusal)
	}
	return location(back)
}

// exchange is a token service that gives what it is asked for.
type exchange struct{ now func() time.Time }

func (x exchange) AssumeRoleWithSAML(_ context.Context, in *sts.AssumeRoleWithSAMLInput, _ ...func(*sts.Options)) (*sts.AssumeRoleWithSAMLOutput, error) {
	role := (*in.RoleArn)[strings.LastIndexByte(*in.RoleArn, '/')+1:]
	return &sts.AssumeRoleWithSAMLOutput{
		Subject: aws.String("4711"), Issuer: aws.String("https://idp.test"), Audience: aws.String(public + "/rolepass/saml/acs"),
		AssumedRoleUser: &ststypes.AssumedRoleUser{Arn: aws.String("arn:aws:sts::111122223333:assumed-role/" + role + "/ada@example.com")},
		Credentials:     &ststypes.Credentials{AccessKeyId: aws.String("ASIA"), SecretAccessKey: aws.String("s"), SessionToken: aws.String("t"), Expiration: aws.Time(x.now().Add(time.Hour))},
	}, nil
}
