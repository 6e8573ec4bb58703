package login_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

const (
	public    = "https://label.test"
	acs       = public + "/rolepass/saml/acs"
	provider  = "arn:aws:iam::111122223333:saml-provider/corp"
	radiology = "arn:aws:iam::111122223333:role/radiology"
	research  = "arn:aws:iam::111122223333:role/research"
	ungranted = "arn:aws:iam::111122223333:role/visiting"
)

// world is the login with an IdP, a token service and an application.
type world struct {
	*login.Service
	t   testing.TB
	idp *samltest.IdP

	mu       sync.Mutex
	at       time.Time
	asked    []string // roles that STS was asked for
	together int
	most     int // questions to STS at the same time
	ended    []string

	// sts answers in STS's place, when it is set; signIn in the application's.
	sts    func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error
	signIn func(saml.Principal) (int64, error)
}

func (w *world) now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.at }

func (w *world) passes(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.at = w.at.Add(d) }

// sessions are those that are wanted, of all that are listed.
func (w *world) sessions(wanted func(session.Listed) bool) []session.Listed {
	w.t.Helper()
	all, err := w.Sessions.List(context.Background(), wanted)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func random(seed byte) io.Reader { return &locked{from: rand.NewChaCha8([32]byte{seed})} }

// locked is randomness for several goroutines.
type locked struct {
	mu   sync.Mutex
	from io.Reader
}

func (l *locked) Read(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.from.Read(p) }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, at: time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)}
	dir := t.TempDir() + "/keys"
	if _, err := state.NewKey(dir, w.at, random(1)); err != nil {
		t.Fatal(err)
	}
	ring, err := state.LoadKeyring(dir)
	if err != nil {
		t.Fatal(err)
	}
	secrets.KeepFiles(t, dir)
	if w.idp, err = samltest.New(samltest.Options{EntityID: "https://idp.test", SSOURL: "https://idp.test/sso", Now: w.now}); err != nil {
		t.Fatal(err)
	}
	sealer := &state.Sealer{Keys: ring, Now: w.now, Rand: random(2)}
	store := state.NewMemory(64<<20, w.now)
	set, problems := grants.Compile([]grants.Grant{
		{Role: radiology, Read: []grants.Prefix{{Bucket: "imaging", Key: "radiology/"}}, Scope: grants.Scope{Anywhere: true}},
		{Role: research, Read: []grants.Prefix{{Bucket: "imaging", Key: "research/"}}, Scope: grants.Scope{Anywhere: true}},
	}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	exchanger := &credcache.Exchanger{Name: "aws", STS: w, Duration: time.Hour, Called: func(string) {}}
	w.Service = &login.Service{
		PublicURL: public, ACSPath: "/rolepass/saml/acs", Contact: "Ada <data@label.test>", AppCookies: []string{"sessionid"},
		IdPs:   []login.IdP{{Name: "corp", SP: w.serviceProvider(w.idp, "corp")}},
		Sealer: sealer, Used: state.NewMemoryOnce(1000, w.now),
		Sessions: &session.Manager{Store: store, Sealer: sealer, Now: w.now, Rand: random(3), Idle: time.Hour, Absolute: 8 * time.Hour},
		Cache:    credcache.New(store, sealer, 8<<20, w.now), Grants: set,
		Exchanger: func(string) *credcache.Exchanger { return exchanger },
		SignIn: func(_ context.Context, p saml.Principal) (int64, error) {
			if w.signIn != nil {
				return w.signIn(p)
			}
			return 42, nil
		},
		Ended:   func(id string) { w.mu.Lock(); defer w.mu.Unlock(); w.ended = append(w.ended, id) },
		Started: w.at, Now: w.now, Rand: random(4), Verifying: make(chan struct{}, 4), Signing: login.NewTurns(4, 64),
	}
	w.passes(time.Second) // assertions come after the start
	return w
}

func (w *world) serviceProvider(idp *samltest.IdP, name string) func() *saml.ServiceProvider {
	metadata, err := saml.ParseMetadata(idp.Metadata())
	if err != nil {
		w.t.Fatal(err)
	}
	sp := &saml.ServiceProvider{EntityID: public + "/rolepass/saml/metadata", ACS: acs, Now: w.now, Rand: random(5),
		IdP: saml.IdP{Name: name, Metadata: metadata, Audience: []string{samltest.AWSAudience}, Providers: []string{provider}}}
	return func() *saml.ServiceProvider { return sp }
}

// AssumeRoleWithSAML is STS, as strict as a double can be: it reads out of the
// very assertion what it answers.
func (w *world) AssumeRoleWithSAML(ctx context.Context, in *sts.AssumeRoleWithSAMLInput, _ ...func(*sts.Options)) (*sts.AssumeRoleWithSAMLOutput, error) {
	w.mu.Lock()
	w.asked = append(w.asked, *in.RoleArn)
	w.together++
	w.most = max(w.most, w.together)
	answer := w.sts
	w.mu.Unlock()
	defer func() { w.mu.Lock(); w.together--; w.mu.Unlock() }()
	text, err := base64.StdEncoding.DecodeString(*in.SAMLAssertion)
	if err != nil || !strings.Contains(string(text), *in.RoleArn+","+*in.PrincipalArn) || in.Policy == nil || *in.DurationSeconds != 3600 {
		return nil, errors.New("a call that STS would refuse")
	}
	role := (*in.RoleArn)[strings.LastIndexByte(*in.RoleArn, '/')+1:]
	out := &sts.AssumeRoleWithSAMLOutput{
		Subject: aws.String("4711"), Issuer: aws.String("https://idp.test"), Audience: aws.String(acs),
		AssumedRoleUser: &ststypes.AssumedRoleUser{Arn: aws.String("arn:aws:sts::111122223333:assumed-role/" + role + "/ada@example.com")},
		Credentials: &ststypes.Credentials{AccessKeyId: aws.String("ASIA" + role), SecretAccessKey: aws.String("canary-secret"),
			SessionToken: aws.String("canary-token"), Expiration: aws.Time(w.now().Add(time.Hour))},
	}
	secrets.Keep("a secret access key", *out.Credentials.SecretAccessKey)
	secrets.Keep("a session token", *out.Credentials.SessionToken)
	if answer != nil {
		if err := answer(in, out); err != nil {
			return nil, err
		}
	}
	return out, ctx.Err()
}

// browser keeps the cookies of one person, as a browser would.
type browser struct {
	w       *world
	cookies map[string]string
}

func (w *world) browser() *browser { return &browser{w: w, cookies: map[string]string{}} }

func (b *browser) lines() []string {
	var pairs []string
	for name, value := range b.cookies {
		pairs = append(pairs, name+"="+value)
	}
	return []string{strings.Join(pairs, "; ")}
}

// asks sends a request of a person and keeps the cookies of the answer.
func (b *browser) asks(r login.Request) login.Page {
	b.w.t.Helper()
	r.ID, r.CookieLines, r.HTML = "r-1", b.lines(), true
	if r.Method == "" {
		r.Method = "GET"
	}
	return b.keeps(b.w.Handle(b.w.t.Context(), r))
}

func (b *browser) keeps(p login.Page) login.Page {
	for _, h := range p.Header {
		if h.Name != "set-cookie" {
			continue
		}
		cookie, err := http.ParseSetCookie(h.Value)
		if err != nil {
			b.w.t.Fatalf("a cookie that no browser reads: %v", err)
		}
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
			continue
		}
		b.cookies[cookie.Name] = cookie.Value
	}
	return p
}

// starts begins a login and gives what the IdP was asked.
func (b *browser) starts(target string) samltest.AuthnRequest {
	b.w.t.Helper()
	page := b.keeps(b.w.Start(b.w.t.Context(), login.Request{ID: "r-0", Method: "GET", Path: "/", Target: target, CookieLines: b.lines(), HTML: true}))
	return b.w.wasAsked(page)
}

func (w *world) wasAsked(page login.Page) samltest.AuthnRequest {
	w.t.Helper()
	if page.Status != 303 {
		w.t.Fatalf("no redirect to the IdP but %d: %v", page.Status, page.Refusal)
	}
	at, err := url.Parse(header(page, "location"))
	if err != nil {
		w.t.Fatal(err)
	}
	request, err := samltest.ParseAuthnRequest(&http.Request{Method: "GET", URL: at})
	if err != nil {
		w.t.Fatal(err)
	}
	return request
}

func header(p login.Page, name string) string {
	for _, h := range p.Header {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

// right is what the IdP answers when all is well.
func right(request samltest.AuthnRequest) samltest.Spec {
	return samltest.Spec{ACS: acs, InResponseTo: request.ID, Roles: []string{radiology + "," + provider, research + "," + provider},
		Attributes: []samltest.Attribute{{Name: "email", Values: []string{"ada@example.com"}}}}
}

func posting(encoded, relayState string) login.Request {
	form := url.Values{"SAMLResponse": {encoded}, "RelayState": {relayState}}
	return login.Request{Method: "POST", Path: "/rolepass/saml/acs", ContentType: "application/x-www-form-urlencoded", CrossSite: true, Body: []byte(form.Encode())}
}

// signsIn goes through a whole login, whose response may be changed.
func (b *browser) signsIn(change ...func(*samltest.Spec)) login.Page {
	b.w.t.Helper()
	request := b.starts("/projects/12/data?tab=1")
	spec := right(request)
	for _, c := range change {
		c(&spec)
	}
	return b.asks(posting(b.w.idp.Response(spec), request.RelayState))
}

// session is who the browser is signed in as; nil if nobody.
func (b *browser) session() *session.Session {
	b.w.t.Helper()
	s, err := b.w.Sessions.Find(b.w.t.Context(), b.lines())
	if err != nil && !errors.Is(err, session.ErrNone) {
		b.w.t.Fatal(err)
	}
	return s
}
