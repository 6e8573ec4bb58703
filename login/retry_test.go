package login_test

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

// answers makes STS fail as the error says; nil: it answers again.
func (w *world) answers(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sts = nil
	if err != nil {
		w.sts = func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error { return err }
	}
}

var errAway = errors.New("connection refused")

// tries presses the button of the page at an address.
func (b *browser) tries(at string) login.Page {
	b.w.t.Helper()
	return b.asks(pressed(at))
}

func pressed(at string) login.Request {
	path, query, _ := strings.Cut(at, "?")
	return login.Request{Method: "POST", Path: path, Query: query, SameOrigin: true}
}

func (b *browser) sees(at string) login.Page {
	b.w.t.Helper()
	path, query, _ := strings.Cut(at, "?")
	return b.asks(login.Request{Path: path, Query: query})
}

// waits is a browser whose login waits, and the address of its page.
func (w *world) waits() (b *browser, at string) {
	w.t.Helper()
	w.answers(errAway)
	b = w.browser()
	page := b.signsIn()
	at = header(page, "location")
	if page.Status != 303 || !strings.HasPrefix(at, login.RetryPath+"?login=") || page.Refusal == nil || page.Refusal.Code != "sts_unavailable" || b.session() != nil {
		w.t.Fatalf("answered %d to %q, %v", page.Status, at, page.Refusal)
	}
	return b, at
}

func code(p login.Page) refusal.Code {
	if p.Refusal == nil {
		return ""
	}
	return p.Refusal.Code
}

func TestALoginThatSTSDidNotAnswerIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	b, at := w.waits()
	w.passes(time.Minute)
	page := b.sees(at)
	text := string(page.Body)
	if page.Status != 503 || page.Refusal != nil || !strings.Contains(text, "until 08:05:01 UTC, for another 4 minutes (5 tries left)") || !strings.Contains(text, `<form method="post" action="`+strings.ReplaceAll(at, "&", "&amp;")+`">`) {
		t.Fatalf("shows %d: %s", page.Status, text)
	}
	if policy := header(page, "content-security-policy"); !strings.Contains(policy, "form-action 'self'") || strings.Contains(policy, "script-src") || header(page, "referrer-policy") != "same-origin" {
		t.Errorf("a browser would not send the form, or not say whose it is: %s", policy)
	}
	if page := b.tries(at); page.Status != 303 || header(page, "location") != at || code(page) != "sts_unavailable" || b.session() != nil {
		t.Fatalf("STS is still away: %d, %v", page.Status, page.Refusal)
	}
	if text := string(b.sees(at).Body); !strings.Contains(text, "4 tries left") {
		t.Errorf("a try is not counted: %s", text)
	}
	w.answers(nil)
	page = b.tries(at)
	s := b.session()
	if page.Status != 303 || header(page, "location") != "/projects/12/data?tab=1" || page.Event != "login" || s == nil || len(s.Roles) != 2 || len(s.Missed) != 0 {
		t.Fatalf("answered %d, %v with session %v", page.Status, page.Refusal, s)
	}
	if n, bytes := w.Waits(); n != 0 || bytes != 0 || b.cookies["__Host-rolepass-retry"] != "" {
		t.Errorf("%d logins wait in %d bytes, and the browser has %q", n, bytes, b.cookies["__Host-rolepass-retry"])
	}
	// Who presses once more goes on; who has left the session behind is told.
	if page := b.tries(at); page.Status != 303 || header(page, "location") != "/" {
		t.Errorf("pressed once more: %d to %q", page.Status, header(page, "location"))
	}
	delete(b.cookies, "__Host-rolepass")
	if page := b.tries(at); page.Status != 401 || code(page) != login.CodeRetryGone || !strings.Contains(string(page.Body), `href="/rolepass/login"`) {
		t.Errorf("a login that is over: %d, %v", page.Status, page.Refusal)
	}
}

// The other failures are final, and each login is judged by all of its roles.
func TestWhichLoginsWait(t *testing.T) {
	api := func(code string) error { return &smithy.GenericAPIError{Code: code, Message: "no"} }
	for name, c := range map[string]struct {
		radiology, research error
		change              func(*samltest.Spec)
		want                refusal.Code
		waits, enters       bool
	}{
		"throttled":                          {api("Throttling"), api("Throttling"), nil, "sts_throttled", true, false},
		"denied":                             {api("AccessDenied"), api("AccessDenied"), nil, "sts_refused", false, false},
		"expired":                            {api("ExpiredTokenException"), api("ExpiredTokenException"), nil, "sts_refused", false, false},
		"signed with another key":            {api("InvalidIdentityToken"), api("InvalidIdentityToken"), nil, "sts_refused", false, false},
		"one denied and one away":            {api("AccessDenied"), errAway, nil, "sts_unavailable", true, false},
		"one away and one denied":            {errAway, api("AccessDenied"), nil, "sts_unavailable", true, false},
		"one away and one taken":             {errAway, nil, nil, "", false, true},
		"away, with an assertion that ends":  {errAway, errAway, func(s *samltest.Spec) { s.NotOnOrAfter = s.IssueInstant.Add(9 * time.Second) }, "sts_unavailable", false, false},
		"away, with an assertion that lives": {errAway, errAway, func(s *samltest.Spec) { s.NotOnOrAfter = s.IssueInstant.Add(time.Minute) }, "sts_unavailable", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.sts = func(in *sts.AssumeRoleWithSAMLInput, _ *sts.AssumeRoleWithSAMLOutput) error {
				if *in.RoleArn == radiology {
					return c.radiology
				}
				return c.research
			}
			b := w.browser()
			page := b.signsIn(func(s *samltest.Spec) {
				s.IssueInstant = w.now()
				if c.change != nil {
					c.change(s)
				}
			})
			n, _ := w.Waits()
			if code(page) != c.want || (n == 1) != c.waits || (b.session() != nil) != c.enters || (b.cookies["__Host-rolepass-retry"] != "") != c.waits {
				t.Errorf("answered %d, %v; %d wait, session %v", page.Status, page.Refusal, n, b.session())
			}
		})
	}
}

// A try that fails for good ends it, and so does the last of the tries.
func TestTriesEnd(t *testing.T) {
	w := newWorld(t)
	b, at := w.waits()
	w.answers(&smithy.GenericAPIError{Code: "ExpiredTokenException", Message: "no"})
	if page := b.tries(at); page.Status != 403 || code(page) != "sts_refused" {
		t.Errorf("refused for good: %d, %v", page.Status, page.Refusal)
	}
	w.answers(nil)
	if page := b.tries(at); code(page) != login.CodeRetryGone || b.session() != nil {
		t.Errorf("tried after that: %d, %v", page.Status, page.Refusal)
	}

	b, at = w.waits()
	asked := len(w.asked)
	for range 4 {
		if page := b.tries(at); page.Status != 303 {
			t.Fatalf("answered %d, %v", page.Status, page.Refusal)
		}
	}
	if page := b.tries(at); page.Status != 503 || code(page) != "sts_unavailable" {
		t.Errorf("the last try: %d, %v", page.Status, page.Refusal)
	}
	w.answers(nil)
	for range 3 {
		if page := b.tries(at); code(page) != login.CodeRetryGone || b.session() != nil {
			t.Errorf("one try too many: %d, %v", page.Status, page.Refusal)
		}
	}
	if calls := len(w.asked) - asked; calls != 10 {
		t.Errorf("STS was asked %d times for 2 roles in 5 tries", calls)
	}
}

// What somebody else may do with a login that waits: nothing.
func TestALoginThatWaitsIsOneBrowsers(t *testing.T) {
	for name, attack := range map[string]func(w *world, b *browser, at string) login.Page{
		"from a browser without its cookie": func(w *world, _ *browser, at string) login.Page { return w.browser().tries(at) },
		"with another login's cookie": func(w *world, b *browser, at string) login.Page {
			other := w.browser()
			other.signsIn(func(s *samltest.Spec) { s.NameID = "somebody-else" })
			return other.tries(at)
		},
		"with another login's half": func(w *world, b *browser, at string) login.Page {
			other := w.browser()
			other.signsIn(func(s *samltest.Spec) { s.NameID = "somebody-else" })
			name, _, _ := strings.Cut(b.cookies["__Host-rolepass-retry"], ".")
			_, half, _ := strings.Cut(other.cookies["__Host-rolepass-retry"], ".")
			other.cookies["__Host-rolepass-retry"] = name + "." + half
			return other.tries(at)
		},
		"with a half that was guessed": func(w *world, b *browser, at string) login.Page {
			other := w.browser()
			name, _, _ := strings.Cut(b.cookies["__Host-rolepass-retry"], ".")
			other.cookies["__Host-rolepass-retry"] = name + "." + strings.Repeat("A", 43)
			return other.tries(at)
		},
		"from another site": func(w *world, b *browser, at string) login.Page {
			r := pressed(at)
			r.CrossSite, r.SameOrigin = true, false
			return b.asks(r)
		},
		"by a request that does not say from where": func(w *world, b *browser, at string) login.Page {
			r := pressed(at)
			r.SameOrigin = false
			return b.asks(r)
		},
		"for another login's name": func(w *world, b *browser, at string) login.Page {
			return b.tries(login.RetryPath + "?login=" + strings.Repeat("A", 22))
		},
		"without a name": func(w *world, b *browser, at string) login.Page { return b.tries(login.RetryPath) },
		"by another method": func(w *world, b *browser, at string) login.Page {
			r := pressed(at)
			r.Method = "PUT"
			return b.asks(r)
		},
		"with the response itself": func(w *world, b *browser, at string) login.Page {
			return b.asks(posting(w.idp.Response(right(samltest.AuthnRequest{ID: "_any"})), strings.TrimPrefix(at, login.RetryPath+"?login=")+".0"))
		},
		"after a restart with the same keys": func(w *world, b *browser, at string) login.Page {
			anew := newWorld(w.t)
			anew.Service.Sealer = w.Sealer
			r := pressed(at)
			r.CookieLines, r.HTML = b.lines(), true
			return anew.Handle(w.t.Context(), r)
		},
		"after its time": func(w *world, b *browser, at string) login.Page {
			w.passes(5 * time.Minute)
			return b.tries(at)
		},
		"after a logout": func(w *world, b *browser, at string) login.Page {
			kept := b.cookies["__Host-rolepass-retry"]
			b.asks(login.Request{Path: login.LogoutPath})
			b.cookies["__Host-rolepass-retry"] = kept
			return b.tries(at)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b, at := w.waits()
			w.answers(nil)
			if name == "with another login's cookie" || name == "with another login's half" {
				w.answers(errAway)
			}
			asked := len(w.asked)
			page := attack(w, b, at)
			if page.Refusal == nil || page.Event == "login" || strings.Contains(string(page.Body), "Try again") || b.session() != nil {
				t.Errorf("answered %d, event %q: %v", page.Status, page.Event, page.Refusal)
			}
			for _, h := range page.Header {
				if h.Name == "set-cookie" && strings.HasPrefix(h.Value, "__Host-rolepass=") && !strings.Contains(h.Value, "Max-Age=0") {
					t.Error("somebody is signed in")
				}
			}
			w.answers(nil)
			switch name {
			case "after its time", "after a logout", "after a restart with the same keys":
			default:
				if others := len(w.asked) - asked; others > 2 {
					t.Errorf("STS was asked %d times", others)
				}
				// And the person themself still can.
				if page := b.tries(at); b.session() == nil {
					t.Errorf("their own try: %d, %v", page.Status, page.Refusal)
				}
			}
		})
	}
}

// A response that waits has been used, and is used up when its login is over.
func TestALoginThatWaitsWasUsed(t *testing.T) {
	w := newWorld(t)
	w.answers(errAway)
	b := w.browser()
	request := b.starts("/")
	post := posting(w.idp.Response(right(request)), request.RelayState)
	before := b.lines()
	at := header(b.asks(post), "location")
	again := func() login.Page {
		post.CookieLines, post.HTML = before, true
		return w.Handle(t.Context(), post)
	}
	if page := again(); code(page) != login.CodeReplay {
		t.Errorf("posted again while it waits: %d, %v", page.Status, page.Refusal)
	}
	w.answers(nil)
	waiting := b.lines()
	b.tries(at)
	first := b.session()
	if first == nil {
		t.Fatal("nobody is signed in")
	}
	if page := again(); code(page) != login.CodeReplay {
		t.Errorf("posted again afterwards: %d, %v", page.Status, page.Refusal)
	}
	r := pressed(at)
	r.CookieLines, r.HTML = waiting, true
	if page := w.Handle(t.Context(), r); code(page) != login.CodeRetryGone {
		t.Errorf("tried again with the cookies of before: %d, %v", page.Status, page.Refusal)
	}
}

// However often the button is pressed at once, there is one session.
func TestPressedTwiceIsOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		b, at := w.waits()
		w.mu.Lock()
		w.sts = func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error {
			time.Sleep(time.Second)
			return nil
		}
		asked, lines := len(w.asked), b.lines()
		w.mu.Unlock()
		pages := make(chan login.Page, 8)
		for range cap(pages) {
			go func() {
				r := pressed(at)
				r.CookieLines, r.HTML = lines, true
				pages <- w.Handle(t.Context(), r)
			}()
		}
		synctest.Wait()
		if text := string(b.sees(at).Body); !strings.Contains(text, "A try is under way") {
			t.Errorf("the page says nothing of the try: %s", text)
		}
		entered, told := 0, 0
		for range cap(pages) {
			switch page := <-pages; {
			case page.Event == "login" && page.Session != nil:
				entered++
			case code(page) == login.CodeRetryTaken && header(page, "location") == at:
				told++
			}
		}
		if entered != 1 || told != 7 || len(w.asked)-asked != 2 {
			t.Errorf("%d entered, %d were told that a try is under way; STS was asked %d times", entered, told, len(w.asked)-asked)
		}
	})
}

// Whoever signs out, wherever, leaves no login behind that waits.
func TestSigningOutEndsWhatWaits(t *testing.T) {
	w := withLogout(t)
	b, at := w.waits()
	query := w.idp.LogoutQuery(samltest.Logout{Destination: slo, NameID: "4711"})
	if page := w.frame(byRedirect(query)); page.Event != "idp-logout" {
		t.Fatalf("the IdP's logout: %d, %v", page.Status, page.Refusal)
	}
	w.answers(nil)
	if page := b.tries(at); code(page) != login.CodeRetryGone || b.session() != nil {
		t.Errorf("after the IdP's logout: %d, %v", page.Status, page.Refusal)
	}
	// In another browser of theirs.
	other := w.browser()
	other.signsIn()
	b, at = w.waits()
	other.asks(login.Request{Path: login.LogoutPath})
	w.answers(nil)
	if page := b.tries(at); code(page) != login.CodeRetryGone || b.session() != nil {
		t.Errorf("after a logout elsewhere: %d, %v", page.Status, page.Refusal)
	}
}

// Who signs in while another login waits is not left behind in the browser when
// that one is tried again, and nor is what waits when the same person comes in.
func TestSomebodyElseSignsInMeanwhile(t *testing.T) {
	w := newWorld(t)
	b, at := w.waits()
	w.answers(nil)
	w.knowsSomebodyElse()
	retry := b.cookies["__Host-rolepass-retry"]
	b.signsIn(func(s *samltest.Spec) { s.NameID = "somebody-else" })
	theirs, cookie := b.session(), b.cookies["__Host-rolepass"]
	if theirs == nil {
		t.Fatal("somebody else cannot sign in")
	}
	if page := b.tries(at); code(page) != login.CodeRetryGone || header(page, "location") != "/" || b.session().ID != theirs.ID {
		t.Fatalf("the login of who was here before is tried by who is here now: %d, %v", page.Status, page.Refusal)
	}

	// A try that is under way brings the cookie all the same.
	b.cookies["__Host-rolepass-retry"] = retry
	page := b.tries(at)
	if s := b.session(); s == nil || s.Principal.NameID != "4711" || header(page, "clear-site-data") == "" {
		t.Errorf("answered %d, %v; what the browser keeps stays there", page.Status, page.Refusal)
	}
	b.cookies["__Host-rolepass"] = cookie
	if b.session() != nil {
		t.Error("the other's session goes on")
	}

	b, at = w.waits()
	w.answers(nil)
	b.signsIn()
	if n, _ := w.Waits(); n != 0 {
		t.Errorf("%d logins wait of somebody who is in", n)
	}
	if page := b.tries(at); header(page, "location") != "/" || b.session() == nil {
		t.Errorf("pressed afterwards: %d to %q", page.Status, header(page, "location"))
	}
}

// Whoever signs out while STS is asked for them is signed out when it answers.
func TestSigningOutDuringATry(t *testing.T) {
	for name, out := range map[string]func(*world, *browser){
		"here": func(w *world, b *browser) { b.asks(login.Request{Path: login.LogoutPath}) },
		"by an operator": func(w *world, b *browser) {
			w.EndSessions(t.Context(), func(session.Listed) bool { return true })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.browser().signsIn() // elsewhere
			b, at := w.waits()
			w.mu.Lock()
			during := w.browser()
			during.cookies = maps.Clone(b.cookies)
			var once sync.Once // STS is asked for each role
			w.sts = func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error {
				once.Do(func() { out(w, during) })
				return nil
			}
			w.mu.Unlock()
			page := b.tries(at)
			if code(page) != login.CodeRetryGone || b.session() != nil {
				t.Errorf("signed out, and in again: %d, %v", page.Status, page.Refusal)
			}
			if left := w.sessions(func(l session.Listed) bool { return !l.Ending }); name == "by an operator" && len(left) != 0 {
				t.Errorf("%d sessions are left", len(left))
			}
		})
	}
}

// Whose sessions an operator ends has no login that waits, either.
func TestARevocationEndsWhatWaits(t *testing.T) {
	w := newWorld(t)
	other := w.browser()
	other.signsIn()
	b, at := w.waits()
	if _, err := w.EndSessions(t.Context(), func(l session.Listed) bool { return l.ID == other.session().ID }); err != nil {
		t.Fatal(err)
	}
	w.answers(nil)
	if page := b.tries(at); code(page) != login.CodeRetryGone || b.session() != nil {
		t.Errorf("after the revocation: %d, %v", page.Status, page.Refusal)
	}
}

// What waits is forgotten when its time has passed, without anybody asking for
// it; a person has one; and there is an end to how many wait.
func TestWhatWaitsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.waits()
		old, at := w.waits()
		if n, _ := w.Waits(); n != 1 {
			t.Errorf("%d logins of one person wait", n)
		}
		time.Sleep(5*time.Minute - time.Second)
		if n, _ := w.Waits(); n != 1 {
			t.Error("it is forgotten early")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n, bytes := w.Waits(); n != 0 || bytes != 0 {
			t.Errorf("%d logins wait in %d bytes", n, bytes)
		}
		w.answers(nil)
		if page := old.tries(at); code(page) != login.CodeRetryGone {
			t.Errorf("tried with what is forgotten: %v", page.Refusal)
		}
		others := w.Fill()
		if _, bytes := w.Waits(); others < 100 || bytes > login.WaitingBytes {
			t.Errorf("%d logins wait in %d bytes", others, bytes)
		}
		w.answers(errAway)
		b := w.browser()
		if page := b.signsIn(); page.Status != http.StatusServiceUnavailable || code(page) != "sts_unavailable" || b.cookies["__Host-rolepass-retry"] != "" {
			t.Errorf("without room: %d, %v", page.Status, page.Refusal)
		}
		if n, _ := w.Waits(); n != others {
			t.Errorf("%d of %d others still wait", n, others)
		}
	})
}

// What is kept says nothing to whoever reads the memory, and nothing of it is
// on a page, in an address or in a log.
func TestWhatWaitsTellsNothing(t *testing.T) {
	w := newWorld(t)
	w.answers(errors.New("canary-answer"))
	b := w.browser()
	request := b.starts("/")
	encoded := w.idp.Response(right(request))
	page := b.asks(posting(encoded, request.RelayState))
	at := header(page, "location")
	record := w.Record(strings.TrimPrefix(at, login.RetryPath+"?login="))
	if len(record) < len(encoded) || strings.Contains(string(record), encoded[:200]) {
		t.Errorf("a record of %d bytes for %d", len(record), len(encoded))
	}
	_, half, _ := strings.Cut(b.cookies["__Host-rolepass-retry"], ".")
	for what, text := range map[string]string{"the address": at, "the page": string(b.sees(at).Body), "the refusal": page.Refusal.Error()} {
		for _, secret := range []string{half, encoded[:100], url.QueryEscape(encoded)[:100], "canary"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s tells %.20q", what, secret)
			}
		}
	}
	if _, _, err := w.Sealer.Open("waiting", strings.TrimPrefix(at, login.RetryPath+"?login="), nil, record); !errors.Is(err, state.ErrNotFound) {
		t.Error("it opens without the browser's half")
	}
}
