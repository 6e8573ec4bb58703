package login_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/state"
)

func (w *world) grants(roles ...string) {
	w.t.Helper()
	var list []grants.Grant
	for _, role := range roles {
		list = append(list, grants.Grant{Role: role, Read: []grants.Prefix{{Bucket: "imaging", Key: "a/"}}, Scope: grants.Scope{Anywhere: true}})
	}
	set, problems := grants.Compile(list, nil)
	if len(problems) > 0 {
		w.t.Fatal(problems)
	}
	w.Grants = set
}

func TestATransientNameIsRefused(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := b.signsIn(func(s *samltest.Spec) { s.NameIDFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient" })
	if page.Status != 403 || page.Refusal == nil || page.Refusal.Code != login.CodeTransient || !strings.Contains(page.Refusal.Sentence, "persistent") {
		t.Errorf("answered %d, %v", page.Status, page.Refusal)
	}
	if b.session() != nil || len(w.asked) > 0 {
		t.Errorf("STS was asked for %v", w.asked)
	}
}

// A tile at the IdP leads to a fresh login a few times, then to an explanation.
func TestUnsolicitedResponsesDoNotGoRoundForEver(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	request := b.starts("/")
	for range 5 {
		spec := right(request)
		spec.InResponseTo = samltest.Absent
		page := b.asks(posting(w.idp.Response(spec), request.RelayState))
		if b.session() != nil {
			t.Fatal("somebody is signed in")
		}
		if page.Status == 403 {
			return
		}
		path, query, _ := strings.Cut(header(page, "location"), "?")
		request = w.wasAsked(b.asks(login.Request{Path: path, Query: query}))
	}
	t.Error("it goes round for ever")
}

// Two providers may vouch for one role; STS is asked for it once.
func TestARoleOfTwoProvidersIsTakenOnce(t *testing.T) {
	w := newWorld(t)
	second := provider + "-2"
	sp := *w.IdPs[0].SP()
	sp.IdP.Providers = []string{provider, second}
	w.IdPs[0].SP = func() *saml.ServiceProvider { return &sp }
	b := w.browser()
	b.signsIn(func(s *samltest.Spec) { s.Roles = []string{radiology + "," + provider, radiology + "," + second} })
	if s := b.session(); s == nil || !slices.Equal(s.Roles, []string{radiology}) || len(w.asked) != 1 {
		t.Errorf("signed in as %v; STS was asked for %v", s, w.asked)
	}
}

// STS takes an assertion for minutes only, so roles are asked for together; it
// limits its callers, so eight at a time.
func TestEightQuestionsAtATime(t *testing.T) {
	w := newWorld(t)
	var roles, pairs []string
	for i := range 20 {
		role := fmt.Sprintf("arn:aws:iam::111122223333:role/team%d", i)
		roles, pairs = append(roles, role), append(pairs, role+","+provider)
	}
	w.grants(roles...)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		gate := make(chan struct{})
		w.sts = func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error { <-gate; return nil }
		b := w.browser()
		request := b.starts("/")
		spec := right(request)
		spec.Roles = pairs
		pages := make(chan login.Page, 1)
		go func() { pages <- b.asks(posting(w.idp.Response(spec), request.RelayState)) }()
		synctest.Wait() // until all that can be asked has been asked
		if w.together != 8 {
			t.Errorf("%d at a time", w.together)
		}
		close(gate)
		if page := <-pages; page.Event != "login" {
			t.Errorf("answered %d: %v", page.Status, page.Refusal)
		}
	})
	asked := slices.Clone(w.asked)
	slices.Sort(asked)
	if w.most != 8 || len(asked) != 20 || len(slices.Compact(asked)) != 20 {
		t.Errorf("%d at a time, %v", w.most, w.asked)
	}
}

// A login that waits for STS keeps nobody else from having theirs verified.
func TestASlowSTSDoesNotHoldATurn(t *testing.T) {
	w := newWorld(t)
	w.Verifying = make(chan struct{}, 1)
	both := make(chan struct{})
	var open sync.Once
	w.sts = func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error {
		w.mu.Lock()
		all := w.together == 4
		w.mu.Unlock()
		if all {
			open.Do(func() { close(both) })
		}
		select {
		case <-both:
		case <-time.After(10 * time.Second):
			return errors.New("the other login did not get here")
		}
		return nil
	}
	var group sync.WaitGroup
	for range 2 {
		b := w.browser()
		group.Go(func() {
			if page := b.signsIn(); page.Event != "login" {
				t.Errorf("answered %d: %v", page.Status, page.Refusal)
			}
		})
	}
	group.Wait()
}

// With all turns taken, who gives up waiting is refused and not verified.
func TestWithoutATurnNothingIsVerified(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	request := b.starts("/")
	w.Verifying = make(chan struct{})
	post := posting(w.idp.Response(right(request)), request.RelayState)
	post.CookieLines = b.lines()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if page := w.Handle(ctx, post); page.Status != 503 || page.Refusal.Code != login.CodeACSBusy || header(page, "retry-after") == "" {
		t.Errorf("answered %d, %v", page.Status, page.Refusal)
	}
}

func TestAPanicForOneRoleIsThatRolesFailure(t *testing.T) {
	w := newWorld(t)
	w.sts = func(in *sts.AssumeRoleWithSAMLInput, _ *sts.AssumeRoleWithSAMLOutput) error {
		if *in.RoleArn == research {
			panic("canary")
		}
		return nil
	}
	b := w.browser()
	b.signsIn()
	if s := b.session(); s == nil || len(s.Missed) != 1 || s.Missed[0].Reason != string(login.CodeInternal) {
		t.Errorf("signed in as %v", s)
	}
}

// What was used before a restart is not known after it. The IdP's clock may be
// ahead, so its word alone does not say that an assertion is newer.
func TestALoginFromBeforeARestart(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	request := b.starts("/")
	spec := right(request)
	spec.IssueInstant = w.now().Add(40 * time.Second) // within what clocks may differ
	encoded := w.idp.Response(spec)
	w.passes(10 * time.Second)
	w.Started, w.Used = w.now(), state.NewMemoryOnce(100, w.now)
	if page := b.asks(posting(encoded, request.RelayState)); page.Refusal == nil || page.Refusal.Code != login.CodeBeforeStart || b.session() != nil {
		t.Errorf("answered %d, %v", page.Status, page.Refusal)
	}
}

// An address that a browser folds into one of our own pages is not returned to.
func TestFoldedReturnAddresses(t *testing.T) {
	for target, want := range map[string]string{
		"/./rolepass/logout":      "/",
		"/x/../rolepass/logout":   "/",
		"/%2e/rolepass/logout":    "/",
		"/x/%2E%2e/rolepass/":     "/",
		"/x/.%2e":                 "/",
		"/.//evil.test/":          "/",
		"/a.b/..c/...?x=/../y":    "/a.b/..c/...?x=/../y",
		"/projects/?q=%2e%2e/%0d": "/projects/?q=%2e%2e/%0d",
	} {
		w := newWorld(t)
		b := w.browser()
		request := b.starts(target)
		if page := b.asks(posting(w.idp.Response(right(request)), request.RelayState)); header(page, "location") != want {
			t.Errorf("%q leads to %q, want %q", target, header(page, "location"), want)
		}
	}
}

// A browser drops a cookie above 4096 bytes, and the login would go in circles.
func TestTheLongestReturnAddressFitsACookie(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	target := "/?" + strings.Repeat("&", 1022)
	request := b.starts(target)
	for name, value := range b.cookies {
		if len(name)+len(value) > 4096 {
			t.Errorf("a cookie of %d bytes", len(name)+len(value))
		}
	}
	if page := b.asks(posting(w.idp.Response(right(request)), request.RelayState)); header(page, "location") != target {
		t.Errorf("leads to %.40q: %v", header(page, "location"), page.Refusal)
	}
}

// Nothing that somebody sends comes into a header as a line of its own.
func TestNoHeaderIsInjected(t *testing.T) {
	w := newWorld(t)
	evil := "\r\nset-cookie: evil=1"
	handle := strings.Repeat("A", 11) + "\r\n" + strings.Repeat("A", 11) + ".0"
	for name, r := range map[string]login.Request{
		"return address": {Path: login.StartPath, Query: "to=/a%0d%0aset-cookie:evil=1"},
		"idp":            {Path: login.StartPath, Query: "idp=corp%0d%0aevil"},
		"try":            {Path: login.StartPath, Query: "try=1%0d%0aevil"},
		"relay state":    posting("eA==", handle),
		"cookie name":    {Path: login.LogoutPath, CookieLines: []string{"__Host-rolepass-login-" + strings.TrimSuffix(handle, ".0") + "=x"}},
		"path":           {Path: "/rolepass/" + evil, Target: "/rolepass/" + evil},
		"method":         {Path: login.LogoutPath, Method: "GET" + evil},
		"request id":     {Path: login.WhoAmIPath, ID: evil},
	} {
		if r.Method == "" {
			r.Method = "GET"
		}
		for _, h := range w.Handle(t.Context(), r).Header {
			if strings.ContainsAny(h.Name+h.Value, "\r\n\x00") {
				t.Errorf("%s: header %q is %q", name, h.Name, h.Value)
			}
		}
	}
}

// An attacker's cookie, planted before the login, is nobody's session after it.
func TestAPlantedCookieIsNobodysSession(t *testing.T) {
	w := newWorld(t)
	attacker, victim := w.browser(), w.browser()
	attacker.signsIn()
	planted := attacker.cookies["__Host-rolepass"]
	victim.cookies["__Host-rolepass"] = planted
	victim.signsIn(func(s *samltest.Spec) { s.SessionName = "ada@example.com" })
	if victim.cookies["__Host-rolepass"] == planted || victim.session() == nil {
		t.Error("the planted cookie is the victim's session")
	}
	if attacker.session() != nil {
		t.Error("the session that the browser had goes on")
	}
}

// An attacker's response in a victim's browser signs nobody in (login CSRF).
func TestSomebodyElsesResponseSignsNobodyIn(t *testing.T) {
	w := newWorld(t)
	attacker, victim := w.browser(), w.browser()
	theirs, mine := attacker.starts("/"), victim.starts("/")
	for _, relay := range []string{theirs.RelayState, mine.RelayState, ""} {
		victim.asks(posting(w.idp.Response(right(theirs)), relay))
		if victim.session() != nil {
			t.Fatalf("signed in by relay state %q", relay)
		}
	}
}

// Grants may change while people are signed in; they can still sign out.
func TestALogoutAfterTheGrantsAreGone(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signsIn()
	s := b.session()
	w.grants(research)
	if page := b.asks(login.Request{Path: login.LogoutPath}); page.Event != "logout" || b.cookies["__Host-rolepass"] != "" {
		t.Errorf("answered %d: %v", page.Status, page.Refusal)
	}
	for _, role := range s.Roles {
		if _, err := w.Cache.Get(t.Context(), credcache.Key{Session: s, Role: role}); !errors.Is(err, credcache.ErrNone) {
			t.Errorf("the credentials of %s stay: %v", role, err)
		}
	}
}

// stuck is a Store that does not delete names with a prefix.
type stuck struct {
	state.Store
	prefix string
}

func (s *stuck) Delete(ctx context.Context, name string) error {
	if strings.HasPrefix(name, s.prefix) {
		return errors.New("read-only")
	}
	return s.Store.Delete(ctx, name)
}

// A logout that did not happen says so, and can be tried again.
func TestALogoutThatFailsIsNoLogout(t *testing.T) {
	w := newWorld(t)
	w.Sessions.Store = &stuck{w.Sessions.Store, "session:"}
	b := w.browser()
	b.signsIn()
	if page := b.asks(login.Request{Path: login.LogoutPath}); page.Status != 503 || b.cookies["__Host-rolepass"] == "" || b.session() == nil {
		t.Errorf("answered %d", page.Status)
	}
}

func TestHeadIsGetWithoutWords(t *testing.T) {
	for _, path := range []string{login.WhoAmIPath, login.MetadataPath, login.SignedOutPath, login.ClearedPath, "/rolepass/none"} {
		w := newWorld(t)
		b := w.browser()
		b.signsIn()
		get, head := b.asks(login.Request{Path: path}), b.asks(login.Request{Path: path, Method: "HEAD"})
		if get.Status != head.Status || !slices.Equal(get.Header, head.Header) {
			t.Errorf("%s: GET %v, HEAD %v", path, get, head)
		}
	}
}

func TestWhoAmIForPrograms(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signsIn()
	page := w.Handle(t.Context(), login.Request{Method: "GET", Path: login.WhoAmIPath, CookieLines: b.lines()})
	var got struct {
		IdP, Name, Expires string
		Roles              []string
	}
	if err := json.Unmarshal(page.Body, &got); err != nil || page.Status != 200 || header(page, "content-type") != "application/json" {
		t.Fatalf("%d %s: %v", page.Status, page.Body, err)
	}
	if got.IdP != "corp" || got.Name != "ada@example.com" || len(got.Roles) != 2 || got.Expires == "" {
		t.Errorf("%s", page.Body)
	}
}

// No page, and no way of printing what this package hands around, shows a
// cookie, an assertion or a credential.
func TestNothingShowsASecret(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	request := b.starts("/")
	encoded := w.idp.Response(right(request))
	post := posting(encoded, request.RelayState)
	page := b.asks(post)
	post.CookieLines = b.lines()
	s := b.session()
	var shown strings.Builder
	logger := slog.New(slog.NewJSONHandler(&shown, nil))
	for _, v := range []any{page, &page, post, &post, s, *s, w.Sealer, w.Sealer.Keys, *w.Sealer.Keys,
		credcache.Key{Session: s, Role: radiology}, credcache.Order{Encoded: encoded}, &credcache.Order{Encoded: encoded}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
			fmt.Fprintf(&shown, verb, v)
		}
	}
	logger.Info("x", "page", page, "request", post, "session", s, "order", credcache.Order{Encoded: encoded}, "key", w.Sealer.Keys)
	for _, p := range []login.Page{page, b.asks(login.Request{Path: login.WhoAmIPath}), b.asks(login.Request{Path: login.MetadataPath}), b.asks(posting(encoded, request.RelayState))} {
		shown.Write(p.Body)
		shown.WriteString(fmt.Sprint(p.Refusal, errors.Unwrap(errors.Join(refusalError(p)))))
	}
	for name, secret := range map[string]string{
		"cookie": b.cookies["__Host-rolepass"], "assertion": encoded[:60], "form": string(post.Body[:60]),
		"credentials": "canary", "half": fmt.Sprint(s.Half())[1:40], "half in hex": fmt.Sprintf("%x", s.Half()), "half in base64": base64.StdEncoding.EncodeToString(s.Half()),
	} {
		if secret == "" || strings.Contains(shown.String(), secret) {
			t.Errorf("the %s shows", name)
		}
	}
	for _, key := range w.Sealer.Keys.Derive("x") {
		if strings.Contains(shown.String(), fmt.Sprintf("%x", key)) {
			t.Error("a key shows")
		}
	}
}

func refusalError(p login.Page) error {
	if p.Refusal == nil {
		return nil
	}
	return error((*refusal.Refusal)(p.Refusal))
}

// What is opened in memory goes with its session, whatever the grants say
// today and though the state has nothing to delete.
func TestNothingOpenedOutlivesItsSession(t *testing.T) {
	for name, leave := range map[string]func(*world, *browser){
		"logout": func(_ *world, b *browser) { b.asks(login.Request{Path: login.LogoutPath}) },
		"a new login": func(w *world, b *browser) {
			request := w.wasAsked(b.asks(login.Request{Path: login.StartPath}))
			b.asks(posting(w.idp.Response(right(request)), request.RelayState))
		},
	} {
		w := newWorld(t)
		b := w.browser()
		b.signsIn()
		s := b.session()
		first, err := w.Cache.Get(t.Context(), credcache.Key{Session: s, Role: radiology})
		if err != nil {
			t.Fatal(err)
		}
		odd := credcache.Key{Session: s, Role: radiology, Shard: 3} // as of other grants
		if err := w.Cache.Put(t.Context(), odd, first); err != nil {
			t.Fatal(err)
		}
		if err := w.Sessions.Store.Delete(t.Context(), "credentials:"+s.ID+":3:"+radiology); err != nil {
			t.Fatal(err)
		}
		leave(w, b)
		for _, k := range []credcache.Key{odd, {Session: s, Role: radiology}, {Session: s, Role: research}} {
			if _, err := w.Cache.Get(t.Context(), k); !errors.Is(err, credcache.ErrNone) {
				t.Errorf("%s: %s of shard %d stays: %v", name, k.Role, k.Shard, err)
			}
		}
	}
}
