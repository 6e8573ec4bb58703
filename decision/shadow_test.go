package decision_test

import (
	"net/http"
	"testing"

	"github.com/rolepass/rolepass/decision"
)

// In shadow the decision is the same, is told with its mark, and nothing of it
// happens: the request goes on as it came.
func TestInShadowNothingIsEnforced(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*world, *decision.Request)
		kind   decision.Kind
		code   string
	}{
		{"an object that is theirs", func(*world, *decision.Request) {}, decision.Stream, "stream"},
		{"an object that no grant covers", func(_ *world, r *decision.Request) { r.Target = fetching("7", "s3://imaging/anonymised/a.png") }, decision.Refuse, "no_grant"},
		{"an object that the application does not confirm", func(w *world, _ *decision.Request) {
			w.app = func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(http.StatusNotFound) }
		}, decision.Refuse, "app_not_theirs"},
		{"an odd spelling", func(_ *world, r *decision.Request) { r.Target = "/x/.." + r.Target }, decision.Refuse, "fetch_path"},
		{"another host", func(_ *world, r *decision.Request) { r.Host = "evil.test" }, decision.Refuse, "host_unknown"},
		{"nobody", func(_ *world, r *decision.Request) { r.CookieLines = []string{"sessionid=app"} }, decision.Refuse, "no_session"},
		{"nobody who opens a page", func(_ *world, r *decision.Request) {
			r.CookieLines, r.Target, r.FetchMode, r.FetchDest = []string{"sessionid=app"}, "/projects/", "navigate", "document"
		}, decision.Page, "page"},
		{"a page of the application", func(_ *world, r *decision.Request) { r.Target = "/projects/" }, decision.Pass, "pass"},
		{"the application's own login", func(_ *world, r *decision.Request) { r.Target = "/user/login/" }, decision.Page, "page"},
		{"the application's own logout", func(_ *world, r *decision.Request) { r.Target = "/logout" }, decision.Page, "page"},
		{"a state that does not answer", func(w *world, _ *decision.Request) { w.store.err = http.ErrServerClosed }, decision.Refuse, "state_unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.Shadow = true
			r := request("GET", fetching("7", "s3://imaging/radiology/lung.png"), w.signedIn(radiology))
			r.CookieLines = append(r.CookieLines, "theme=dark; sessionid=app")
			c.change(w, &r)
			got := w.Decide(t.Context(), r)
			if got.Kind != decision.Untouched || got.Authorization != "" || got.Answer.Status != 0 || got.Signed.Target() != "" || got.Header != nil {
				t.Errorf("it came to %v: %+v", got.Kind, got)
			}
			if want := map[bool]string{true: "theme=dark; sessionid=app", false: "sessionid=app"}[len(r.CookieLines) == 2]; got.Cookie != want || got.CookieChanged != (len(r.CookieLines) == 2) {
				t.Errorf("the application would see the cookies %q (changed %v)", got.Cookie, got.CookieChanged)
			}
			if len(w.events) != 1 || !w.events[0].Shadow || w.events[0].Kind != c.kind {
				t.Fatalf("told: %+v", w.events)
			}
			if string(got.Code) != c.code {
				t.Errorf("it is logged as %s, want %s", got.Code, c.code)
			}
		})
	}
}

// A page of our own is answered in shadow, too: that is how people try it.
func TestInShadowOurOwnPagesAnswer(t *testing.T) {
	w := newWorld(t)
	w.Shadow = true
	for path, status := range map[string]int{"/rolepass/login": 303, "/rolepass/saml/metadata": 200, "/rolepass/whoami": 401} {
		r := request("GET", path, "")
		r.FetchMode, r.FetchDest = "navigate", "document"
		if got := w.Decide(t.Context(), r); got.Answer.Status != status {
			t.Errorf("%s: %v, %d", path, got.Kind, got.Answer.Status)
		}
		if last := w.events[len(w.events)-1]; last.Shadow {
			t.Errorf("%s is told as not enforced, and it was", path)
		}
	}
}

// What could not be read goes on as well, unless it may be for us: a form for
// the ACS carries an assertion, which the application must not get.
func TestInShadowWhatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	r := decision.Request{Method: "GET", Target: "/projects/", Host: "label.test", CookieLines: []string{"__Host-rolepass=x", "a=b"}}
	if got := w.Unread(r, "unreadable_header_twice"); got.Kind != decision.Refuse {
		t.Errorf("enforcing, it came to %v", got.Kind)
	}
	w.Shadow = true
	if got := w.Unread(r, "unreadable_header_twice"); got.Kind != decision.Untouched || got.Cookie != "a=b" || !got.CookieChanged {
		t.Errorf("in shadow it came to %+v", got)
	}
	for _, target := range []string{"", "/rolepass/saml/acs", "/rolepass/saml/acs?x"} {
		r.Target = target
		if got := w.Unread(r, "unreadable_body_cut"); got.Kind != decision.Refuse {
			t.Errorf("%q came to %v", target, got.Kind)
		}
	}
}

// Cookies of others stay as they are, whatever they look like.
func TestInShadowOnlyOurCookiesAreTakenOut(t *testing.T) {
	w := newWorld(t)
	w.Shadow = true
	for sent, want := range map[string]string{
		`a="b c"; d; e==f; __Host-rolepass=x; g=h`:    `a="b c"; d; e==f; g=h`,
		"__Host-rolepass-login-1=x":                   "",
		"x__Host-rolepass=y; a=b; __Host-rolepass =z": "x__Host-rolepass=y; a=b",
	} {
		r := request("GET", "/projects/", sent)
		if got := w.Decide(t.Context(), r); got.Cookie != want || !got.CookieChanged {
			t.Errorf("%q became %q (changed %v)", sent, got.Cookie, got.CookieChanged)
		}
	}
	if got := w.Decide(t.Context(), request("GET", "/projects/", `a="b c";d`)); got.CookieChanged {
		t.Errorf("cookies without ours are written anew: %q", got.Cookie)
	}
}
