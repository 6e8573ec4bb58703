package login_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

func TestALogin(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := b.signsIn()
	if page.Status != 303 || header(page, "location") != "/projects/12/data?tab=1" || page.Event != "login" {
		t.Fatalf("answered %d to %q: %v", page.Status, header(page, "location"), page.Refusal)
	}
	s := b.session()
	if s == nil || s.AppUser != 42 || s.Principal.SessionName != "ada@example.com" || !slices.Equal(s.Roles, []string{radiology, research}) {
		t.Fatalf("signed in as %+v", s)
	}
	for _, role := range s.Roles {
		credentials, err := w.Cache.Get(t.Context(), credcache.Key{Session: s, Role: role})
		if err != nil || credentials.STS != "aws" {
			t.Errorf("credentials of %s: %v", role, err)
		}
	}
	for name := range b.cookies {
		if strings.HasPrefix(name, "__Host-rolepass-login-") {
			t.Errorf("the pending login %s stays", name)
		}
	}
	if len(w.asked) != 2 {
		t.Errorf("STS was asked for %v", w.asked)
	}
}

// What may be wrong with the IdP's POST, and what comes of it: never a session.
func TestWhatBecomesNoSession(t *testing.T) {
	encodedFor := func(w *world, r samltest.AuthnRequest, change func(*samltest.Spec)) string {
		spec := right(r)
		change(&spec)
		return w.idp.Response(spec)
	}
	same := func(*samltest.Spec) {}
	for _, c := range []struct {
		name   string
		post   func(*world, *browser, samltest.AuthnRequest) login.Request
		status int
		code   refusal.Code
	}{
		{"by GET", func(w *world, _ *browser, r samltest.AuthnRequest) login.Request {
			post := posting(encodedFor(w, r, same), r.RelayState)
			post.Method = "GET"
			return post
		}, 405, "acs_form"},
		{"as JSON", func(w *world, _ *browser, r samltest.AuthnRequest) login.Request {
			post := posting(encodedFor(w, r, same), r.RelayState)
			post.ContentType = "application/json"
			return post
		}, 400, "acs_form"},
		{"two responses", func(w *world, _ *browser, r samltest.AuthnRequest) login.Request {
			post := posting(encodedFor(w, r, same), r.RelayState)
			post.Body = append(post.Body, "&SAMLResponse=x"...)
			return post
		}, 400, "acs_form"},
		{"no response", func(w *world, _ *browser, r samltest.AuthnRequest) login.Request {
			post := posting("", r.RelayState)
			post.Body = []byte("RelayState=" + r.RelayState)
			return post
		}, 400, "acs_form"},
		{"not a form", func(*world, *browser, samltest.AuthnRequest) login.Request {
			post := posting("", "")
			post.Body = []byte("%zz")
			return post
		}, 400, "acs_form"},
		{"from a browser that did not ask", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			clear(b.cookies)
			return posting(encodedFor(w, r, same), r.RelayState)
		}, 303, "acs_login_unknown"},
		{"from a tile at the IdP", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			return posting(encodedFor(w, r, func(s *samltest.Spec) { s.InResponseTo = samltest.Absent }), "")
		}, 303, "acs_login_unknown"},
		{"for a relay state of somebody else's making", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			return posting(encodedFor(w, r, same), "https://evil.test/")
		}, 303, "acs_login_unknown"},
		{"unsolicited, in a browser that waits", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			return posting(encodedFor(w, r, func(s *samltest.Spec) { s.InResponseTo = samltest.Absent }), r.RelayState)
		}, 303, "acs_login_unknown"},
		{"an answer to another request", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			return posting(encodedFor(w, r, func(s *samltest.Spec) { s.InResponseTo = "_other" }), r.RelayState)
		}, 403, "saml_in_response_to"},
		{"a response of another tab", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			return posting(encodedFor(w, b.starts("/"), same), r.RelayState)
		}, 403, "saml_in_response_to"},
		{"a login that took too long", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			w.passes(11 * time.Minute)
			return posting(encodedFor(w, r, same), r.RelayState)
		}, 303, "acs_login_unknown"},
		{"an assertion that is too old", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			encoded := encodedFor(w, r, same)
			w.passes(8 * time.Minute)
			return posting(encoded, r.RelayState)
		}, 403, ""},
		{"an assertion from before the start", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			return posting(encodedFor(w, r, func(s *samltest.Spec) { s.IssueInstant = w.Started.Add(-time.Second) }), r.RelayState)
		}, 403, "saml_before_start"},
		{"somebody else's key", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			key, err := samltest.NewKey(2048)
			if err != nil {
				t.Fatal(err)
			}
			thief, err := samltest.New(samltest.Options{EntityID: "https://idp.test", SSOURL: "https://idp.test/sso", Key: key, Now: w.now})
			if err != nil {
				t.Fatal(err)
			}
			return posting(thief.Response(right(r)), r.RelayState)
		}, 403, ""},
		{"a transient name", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			return posting(encodedFor(w, r, func(s *samltest.Spec) {
				s.NameIDFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
			}), r.RelayState)
		}, 403, "name_id_transient"},
		{"no role that a grant names", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			return posting(encodedFor(w, r, func(s *samltest.Spec) { s.Roles = []string{ungranted + "," + provider} }), r.RelayState)
		}, 403, "no_granted_role"},
		{"an application that refuses", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			w.signIn = func(saml.Principal) (int64, error) {
				return 0, refusal.New(refusal.Forbidden, "app_account_not_bound", "the account is not theirs")
			}
			return posting(encodedFor(w, r, same), r.RelayState)
		}, 403, "app_account_not_bound"},
		{"an application that breaks", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			w.signIn = func(saml.Principal) (int64, error) { panic("canary-secret") }
			return posting(encodedFor(w, r, same), r.RelayState)
		}, 503, "internal"},
		{"an STS that refuses all", func(w *world, b *browser, r samltest.AuthnRequest) login.Request {
			w.sts = func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error {
				return &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}
			}
			return posting(encodedFor(w, r, same), r.RelayState)
		}, 403, "sts_refused"},
		{"an STS that read another subject", disagreeing(encodedFor, func(out *sts.AssumeRoleWithSAMLOutput) { out.Subject = aws.String("admin") }), 403, "sts_disagrees"},
		{"an STS that read another issuer", disagreeing(encodedFor, func(out *sts.AssumeRoleWithSAMLOutput) { out.Issuer = aws.String("https://evil.test") }), 403, "sts_disagrees"},
		{"an STS that read another recipient", disagreeing(encodedFor, func(out *sts.AssumeRoleWithSAMLOutput) { out.Audience = aws.String("https://evil.test") }), 403, "sts_disagrees"},
		{"an STS that gave another role", disagreeing(encodedFor, func(out *sts.AssumeRoleWithSAMLOutput) {
			out.AssumedRoleUser.Arn = aws.String("arn:aws:sts::111122223333:assumed-role/admin/ada@example.com")
		}), 403, "sts_disagrees"},
		{"an STS that says nothing about whom", disagreeing(encodedFor, func(out *sts.AssumeRoleWithSAMLOutput) { out.AssumedRoleUser = nil }), 403, "sts_disagrees"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			b := w.browser()
			page := b.asks(c.post(w, b, b.starts("/projects/")))
			if page.Status != c.status || page.Refusal == nil || c.code != "" && page.Refusal.Code != c.code {
				t.Errorf("answered %d, %v; want %d %s", page.Status, page.Refusal, c.status, c.code)
			}
			if c.status == 303 && !strings.HasPrefix(header(page, "location"), "/rolepass/login?try=") {
				t.Errorf("leads to %q, not to a fresh login", header(page, "location"))
			}
			if b.session() != nil || b.cookies["__Host-rolepass"] != "" {
				t.Error("somebody is signed in")
			}
			if text := string(page.Body); strings.Contains(text, "canary") || c.code != "" && strings.Contains(text, string(c.code)) || page.Refusal != nil && strings.Contains(text, page.Refusal.Sentence) {
				t.Errorf("the page says why: %s", text)
			}
		})
	}
}

func disagreeing(encodedFor func(*world, samltest.AuthnRequest, func(*samltest.Spec)) string, change func(*sts.AssumeRoleWithSAMLOutput)) func(*world, *browser, samltest.AuthnRequest) login.Request {
	return func(w *world, _ *browser, r samltest.AuthnRequest) login.Request {
		w.sts = func(in *sts.AssumeRoleWithSAMLInput, out *sts.AssumeRoleWithSAMLOutput) error {
			if *in.RoleArn == research { // one of two is enough to drop all
				change(out)
			}
			return nil
		}
		return posting(encodedFor(w, r, func(*samltest.Spec) {}), r.RelayState)
	}
}

// One role is enough to enter; who lost another one can see it.
func TestOneRoleIsEnough(t *testing.T) {
	w := newWorld(t)
	w.sts = func(in *sts.AssumeRoleWithSAMLInput, _ *sts.AssumeRoleWithSAMLOutput) error {
		if *in.RoleArn == research {
			return &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}
		}
		return nil
	}
	b := w.browser()
	b.signsIn()
	s := b.session()
	if s == nil || !slices.Equal(s.Roles, []string{radiology}) || len(s.Missed) != 1 || s.Missed[0].Role != research {
		t.Fatalf("signed in as %+v", s)
	}
	if page := b.asks(login.Request{Path: login.WhoAmIPath}); page.Status != 200 || !strings.Contains(string(page.Body), research) || !strings.Contains(string(page.Body), "sts_refused") {
		t.Errorf("who am I: %d %s", page.Status, page.Body)
	}
}

func TestAResponseCountsOnce(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	request := b.starts("/")
	post := posting(w.idp.Response(right(request)), request.RelayState)
	post.CookieLines, post.HTML = b.lines(), true
	var group sync.WaitGroup
	pages := make([]login.Page, 8)
	for i := range pages {
		group.Go(func() { pages[i] = w.Handle(t.Context(), post) })
	}
	group.Wait()
	entered := 0
	for _, page := range pages {
		switch {
		case page.Event == "login":
			entered++
		case page.Status != 403 || page.Refusal.Code != login.CodeReplay:
			t.Errorf("a second submission: %d %v", page.Status, page.Refusal)
		}
	}
	if entered != 1 || len(w.asked) != 2 {
		t.Errorf("%d of %d submissions entered, STS was asked %d times", entered, len(pages), len(w.asked))
	}
	// Another assertion that answers the same request does not count either.
	late := posting(w.idp.Response(right(request)), request.RelayState)
	late.CookieLines = post.CookieLines
	if page := w.Handle(t.Context(), late); page.Refusal == nil || page.Refusal.Code != login.CodeReplay {
		t.Errorf("another answer to the same request: %d %v", page.Status, page.Refusal)
	}
}

// A browser that drops the login cookie does not go round for ever.
func TestALostCookieIsToldToThePerson(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	request := b.starts("/")
	for range 5 {
		clear(b.cookies)
		page := b.asks(posting(w.idp.Response(right(request)), request.RelayState))
		if page.Status == 403 {
			if !strings.Contains(string(page.Body), "did not send back the cookie") {
				t.Errorf("the page says %s", page.Body)
			}
			return
		}
		path, query, _ := strings.Cut(header(page, "location"), "?")
		request = w.wasAsked(b.asks(login.Request{Path: path, Query: query}))
	}
	t.Error("it goes round for ever")
}

func TestALoginReplacesTheBrowsersSession(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signsIn()
	before := b.session()
	old := b.cookies["__Host-rolepass"]
	request := w.wasAsked(b.asks(login.Request{Path: login.StartPath}))
	delete(b.cookies, "__Host-rolepass") // Lax: not sent along by the IdP's POST
	page := b.asks(posting(w.idp.Response(right(request)), request.RelayState))
	after := b.session()
	if page.Status != 303 || after == nil || after.ID == before.ID {
		t.Fatalf("answered %d, signed in as %v", page.Status, after)
	}
	b.cookies["__Host-rolepass"] = old
	if b.session() != nil || !slices.Contains(w.ended, before.ID) {
		t.Error("the session before goes on")
	}
}

// What the browser keeps of somebody's pages is gone before the next person's
// begin; the same person finds theirs as they left them.
func TestALoginAsSomebodyElseClearsTheBrowser(t *testing.T) {
	for name, story := range map[string]struct {
		before, after string
		renews        bool
		clears        string
	}{
		"another person":              {"4711", "4712", false, `"cache", "storage"`},
		"another person at a renewal": {"4711", "4712", true, `"cache", "storage"`},
		"the same person":             {"4711", "4711", false, ""},
		"the same person, renewed":    {"4711", "4711", true, ""},
		"nobody before":               {"", "4711", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b := w.browser()
			as := func(id string) func(*samltest.Spec) {
				w.sts = func(_ *sts.AssumeRoleWithSAMLInput, out *sts.AssumeRoleWithSAMLOutput) error {
					out.Subject = aws.String(id)
					return nil
				}
				return func(s *samltest.Spec) { s.NameID = id }
			}
			if story.before != "" {
				if page := b.signsIn(as(story.before)); page.Event != "login" {
					t.Fatalf("answered %d: %v", page.Status, page.Refusal)
				}
			}
			started := login.Request{Path: login.StartPath}
			if story.renews {
				started = login.Request{Path: login.RenewPath}
			}
			request := w.wasAsked(b.asks(started))
			spec := right(request)
			as(story.after)(&spec)
			page := b.asks(posting(w.idp.Response(spec), request.RelayState))
			if page.Event != "login" || b.session().Principal.NameID != story.after {
				t.Fatalf("answered %d: %v", page.Status, page.Refusal)
			}
			if got := header(page, "clear-site-data"); got != story.clears {
				t.Errorf("the browser is told to clear %q, want %q", got, story.clears)
			}
		})
	}
}

func TestLogout(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signsIn()
	s := b.session()
	cookies := b.lines()
	page := b.asks(login.Request{Path: login.LogoutPath})
	if page.Status != 303 || header(page, "clear-site-data") != `"cache", "storage"` || page.Event != "logout" {
		t.Errorf("answered %d %v", page.Status, page.Header)
	}
	if _, err := w.Sessions.Find(t.Context(), cookies); err == nil {
		t.Error("the session goes on")
	}
	for _, role := range s.Roles {
		if _, err := w.Cache.Get(t.Context(), credcache.Key{Session: s, Role: role}); !errors.Is(err, credcache.ErrNone) {
			t.Errorf("the credentials of %s stay: %v", role, err)
		}
	}
	if !slices.Contains(w.ended, s.ID) {
		t.Error("nobody else was told")
	}
	again := b.starts("/")
	if !again.ForceAuthn {
		t.Error("the next login does not ask for the password")
	}
	// An IdP that ignores it is not believed.
	old := right(again)
	old.AuthnInstant = w.now().Add(-time.Hour)
	if page := b.asks(posting(w.idp.Response(old), again.RelayState)); page.Refusal == nil || b.session() != nil {
		t.Errorf("a password of an hour ago: %d %v", page.Status, page.Refusal)
	}
	request := b.starts("/")
	if page := b.asks(posting(w.idp.Response(right(request)), request.RelayState)); page.Event != "login" {
		t.Fatalf("a new password: %d %v", page.Status, page.Refusal)
	}
	if b.starts("/").ForceAuthn {
		t.Error("every login from now on asks for the password")
	}
}

func TestAnotherSiteCannotSignOut(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signsIn()
	if page := b.asks(login.Request{Path: login.LogoutPath, CrossSite: true}); page.Status != 403 || b.session() == nil {
		t.Errorf("answered %d", page.Status)
	}
}

// After the login a person comes back to a page of this site, whatever the
// address said.
func TestWhereALoginLeads(t *testing.T) {
	for target, want := range map[string]string{
		"/projects/12/data?tab=1":       "/projects/12/data?tab=1",
		"/":                             "/",
		"":                              "/",
		"//evil.test/":                  "/",
		`/\evil.test/`:                  "/",
		"https://evil.test/":            "/",
		"javascript:alert(1)":           "/",
		"/a\r\nSet-Cookie: x=y":         "/",
		"/a b":                          "/",
		"/\tevil.test":                  "/",
		`/a\b`:                          "/",
		"/größe":                        "/",
		"/rolepass/logout":              "/",
		"/rolepass/login?to=/":          "/",
		"/" + strings.Repeat("a", 2000): "/",
	} {
		w := newWorld(t)
		b := w.browser()
		request := b.starts(target)
		if page := b.asks(posting(w.idp.Response(right(request)), request.RelayState)); header(page, "location") != want {
			t.Errorf("%.60q leads to %q, want %q", target, header(page, "location"), want)
		}
	}
}

// A flood of started logins costs the server nothing and the browser little.
func TestPendingLoginsAreBounded(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for range 20 {
		b.starts("/")
	}
	size := 0
	for name, value := range b.cookies {
		size += len(name) + len(value)
	}
	if len(b.cookies) > 5 || size > 4096 {
		t.Errorf("%d cookies of %d bytes", len(b.cookies), size)
	}
}

// A cookie of one login is no cookie of another, and none that anybody made.
func TestAPendingLoginCannotBeForged(t *testing.T) {
	w := newWorld(t)
	victim, attacker := w.browser(), w.browser()
	theirs := attacker.starts("/")
	mine := victim.starts("/")
	for name, value := range attacker.cookies {
		handle, _, _ := strings.Cut(mine.RelayState, ".")
		victim.cookies["__Host-rolepass-login-"+handle] = value // under the victim's name
		_ = name
	}
	if page := victim.asks(posting(w.idp.Response(right(theirs)), mine.RelayState)); victim.session() != nil {
		t.Errorf("a moved cookie opens: %d", page.Status)
	}
}

func TestTheOwnPages(t *testing.T) {
	for _, c := range []struct {
		method, path string
		status       int
		contains     string
	}{
		{"GET", login.MetadataPath, 200, "EntityDescriptor"},
		{"HEAD", login.MetadataPath, 200, ""},
		{"GET", login.SignedOutPath, 200, "You are signed out"},
		{"GET", login.SignedOutPath, 200, `<img src="` + login.ClearedPath + `"`},
		{"GET", login.ClearedPath, 204, ""},
		{"GET", login.WhoAmIPath, 401, "Sign in"},
		{"GET", "/rolepass/", 403, "Not allowed"},
		{"GET", "/rolepass/../tasks/1/resolve/", 403, "Not allowed"},
		{"POST", login.LogoutPath, 405, "Not possible here"},
		{"POST", login.StartPath, 405, "Not possible here"},
	} {
		w := newWorld(t)
		page := w.browser().asks(login.Request{Method: c.method, Path: c.path})
		if page.Status != c.status || !strings.Contains(string(page.Body), c.contains) {
			t.Errorf("%s %s: %d %s", c.method, c.path, page.Status, page.Body)
		}
		for name, want := range map[string]string{"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"} {
			if header(page, name) != want {
				t.Errorf("%s %s: %s is %q", c.method, c.path, name, header(page, name))
			}
		}
		if !strings.Contains(header(page, "content-security-policy"), "default-src 'none'") || !strings.Contains(header(page, "content-security-policy"), "frame-ancestors 'none'") {
			t.Errorf("%s %s: policy %q", c.method, c.path, header(page, "content-security-policy"))
		}
	}
}

// The page after a logout has the browser clear what it put away of the page
// before. Another site cannot have it clear anything.
func TestThePageAfterALogoutClears(t *testing.T) {
	b := newWorld(t).browser()
	for crossSite, want := range map[bool]string{false: `"cache"`, true: ""} {
		if got := header(b.asks(login.Request{Path: login.ClearedPath, CrossSite: crossSite}), "clear-site-data"); got != want {
			t.Errorf("asked from another site: %v: the browser is told to clear %q", crossSite, got)
		}
	}
	if policy := header(b.asks(login.Request{Path: login.SignedOutPath}), "content-security-policy"); !strings.Contains(policy, "img-src 'self'") {
		t.Errorf("the page's policy lets it load nothing: %s", policy)
	}
}

// A refusal looks the same whatever its reason, and nothing in it is markup.
func TestOneRefusalForAllReasons(t *testing.T) {
	w := newWorld(t)
	r := login.Request{ID: `<script>"`, HTML: true}
	a := w.Refuse(r, refusal.New(refusal.Forbidden, "no_grant", "the canary"))
	b := w.Refuse(r, refusal.New(refusal.Forbidden, "not_in_task", "another canary"))
	if string(a.Body) != string(b.Body) || a.Status != http.StatusForbidden {
		t.Error("two reasons, two pages")
	}
	if text := string(a.Body); strings.Contains(text, "canary") || strings.Contains(text, "<script>") || strings.Contains(text, "Ada <") || !strings.Contains(text, "data@label.test") {
		t.Errorf("the page is %s", text)
	}
	r.HTML = false
	if text := string(w.Refuse(r, refusal.New(refusal.Unauthenticated, "no_session", "the canary")).Body); strings.Contains(text, "canary") || !strings.Contains(text, `"login":"https://label.test/rolepass/login"`) {
		t.Errorf("the document is %s", text)
	}
}

func TestEveryClassHasItsStatus(t *testing.T) {
	w := newWorld(t)
	for class, want := range map[refusal.Class]int{
		refusal.Forbidden: 403, refusal.Malformed: 400, refusal.Unauthenticated: 401, refusal.MethodNotAllowed: 405,
		refusal.Misdirected: 421, refusal.TooLarge: 413, refusal.Unavailable: 503, refusal.TooMany: 429, refusal.Class(99): 403,
	} {
		if got := w.Refuse(login.Request{}, refusal.New(class, "no", "no")).Status; got != want {
			t.Errorf("class %d is %d, want %d", class, got, want)
		}
	}
}

// Who may choose among several IdPs is asked, and each login goes to its own.
func TestSeveralIdPs(t *testing.T) {
	w := newWorld(t)
	partner, err := samltest.New(samltest.Options{EntityID: "https://partner.test", SSOURL: "https://partner.test/sso", Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	w.IdPs = append(w.IdPs, login.IdP{Name: "partner", SP: w.serviceProvider(partner, "partner")})
	b := w.browser()
	choice := b.keeps(w.Start(t.Context(), login.Request{Method: "GET", Path: "/a", Target: "/a", HTML: true}))
	if choice.Status != 200 || !strings.Contains(string(choice.Body), "idp=partner&amp;to=%2Fa") {
		t.Fatalf("%d %s", choice.Status, choice.Body)
	}
	page := b.asks(login.Request{Path: login.StartPath, Query: "idp=partner&to=%2Fa"})
	if !strings.HasPrefix(header(page, "location"), "https://partner.test/sso?") {
		t.Errorf("leads to %q", header(page, "location"))
	}
	request := w.wasAsked(page)
	if page := b.asks(posting(w.idp.Response(right(request)), request.RelayState)); b.session() != nil {
		t.Errorf("the answer of another IdP: %d", page.Status)
	}
}

// STS takes an assertion for minutes only, so all roles are asked for at once,
// but not all of a hundred.
func TestManyRoles(t *testing.T) {
	w := newWorld(t)
	gate := make(chan struct{})
	var open sync.Once
	w.sts = func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error {
		w.mu.Lock()
		both := w.together == 2
		w.mu.Unlock()
		if both {
			open.Do(func() { close(gate) })
		}
		<-gate
		return nil
	}
	if page := w.browser().signsIn(); page.Event != "login" || w.most != 2 {
		t.Errorf("%d questions to STS at a time; %v", w.most, page.Refusal)
	}
}

// Roles beyond the most that are taken are shown as missed, not forgotten.
func TestRolesThatAreTooMany(t *testing.T) {
	w := newWorld(t)
	var list []grants.Grant
	var roles []string
	for i := range 35 {
		role := fmt.Sprintf("arn:aws:iam::111122223333:role/team-%02d", i)
		list = append(list, grants.Grant{Role: role, Read: []grants.Prefix{{Bucket: "imaging", Key: fmt.Sprintf("team-%02d/", i)}}, Scope: grants.Scope{Anywhere: true}})
		roles = append(roles, role+","+provider)
	}
	set, problems := grants.Compile(list, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	w.Grants = set
	b := w.browser()
	b.signsIn(func(s *samltest.Spec) { s.Roles = roles })
	s := b.session()
	if s == nil || len(s.Roles) != 32 || len(s.Missed) != 3 || s.Missed[2].Reason != "too_many_roles" || len(w.asked) != 32 {
		t.Errorf("signed in as %+v after %d questions", s, len(w.asked))
	}
}
