package decision_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

const lung = "s3://imaging/radiology/lung.png"

func TestWhoReadsWhat(t *testing.T) {
	for _, c := range []struct {
		name  string
		roles []string
		task  string
		uri   string
		want  string // the role that signs, or the code of the refusal
	}{
		{"their role, their task", []string{radiology}, "7", lung, radiology},
		{"odd characters in the key", []string{radiology}, "7", "s3://imaging/radiology/red lung+1&ü.png", radiology},
		{"two roles, one of them reads it", []string{research, radiology}, "7", lung, radiology},
		{"another role's prefix", []string{research}, "7", lung, "no_grant"},
		{"no role at all", nil, "7", lung, "no_grant"},
		{"a role that no grant names", []string{other}, "7", lung, "no_grant"},
		{"an object that stands in no task", []string{radiology}, "7", "s3://imaging/radiology/in-no-task.png", "not_in_task"},
		{"a prefix of an object", []string{radiology}, "7", "s3://imaging/radiology/lung.pn", "not_in_task"},
		{"a task that is not theirs", []string{radiology}, "9", lung, "app_not_theirs"},
		{"a project that the grant does not name", []string{radiology}, "8", lung, "no_grant_here"},
		{"a bucket that is not configured", []string{radiology, research}, "7", "s3://payroll/2026.csv", "bucket_unknown"},
		{"a bucket of another token service", []string{research}, "7", "s3://foreign/x.png", "not_signed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			got := w.Decide(t.Context(), request("GET", fetching(c.task, c.uri), w.signedIn(c.roles...)))
			event := w.events[0]
			if strings.HasPrefix(c.want, "arn:") {
				if got.Kind != decision.Stream || event.Role != c.want {
					t.Errorf("decided %v (%v) under %q; want it streamed under %s", got.Kind, event.Refusal, event.Role, c.want)
				}
				return
			}
			if got.Kind != decision.Refuse || got.Answer.Status != 403 || string(got.Code) != c.want {
				t.Errorf("decided %v %d %s (%v); want 403 %s", got.Kind, got.Answer.Status, got.Code, event.Refusal, c.want)
			}
			if got.Signed.Target() != "" || got.Authorization != "" {
				t.Error("a refusal carries a signed location or a bearer")
			}
		})
	}
}

func TestWhatIsSignedIsWhatWasAsked(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedIn(radiology)
	for _, method := range []string{"GET", "HEAD"} {
		got := w.Decide(t.Context(), request(method, fetching("7", "s3://imaging/radiology/red lung+1&ü.png"), cookie))
		location, err := presign.ParseLocation("s3://imaging/radiology/red lung+1&ü.png")
		if err != nil {
			t.Fatal(err)
		}
		credentials := &presign.Credentials{AccessKeyID: "ASIAlogy", SecretAccessKey: "canary-secret-key", SessionToken: "canary-session-token", Expires: w.clock().Add(time.Hour), STS: "aws"}
		want, err := w.Signer.Presign(method, w.Buckets["imaging"], location, credentials)
		if err != nil {
			t.Fatal(err)
		}
		if got.Kind != decision.Stream || got.Signed.Target() != want.Target() || got.Bucket.Host != "s3.eu-west-1.amazonaws.com" {
			t.Errorf("%s: decided %v (%v), not the location that was asked for", method, got.Kind, got.Code)
		}
	}
}

func TestAnObjectIsShownAndNeverRun(t *testing.T) {
	w := newWorld(t)
	got := w.Decide(t.Context(), request("GET", fetching("7", lung), w.signedIn(radiology)))
	header := map[string]string{}
	for _, h := range got.Header {
		header[h.Name] = h.Value
	}
	for name, want := range map[string]string{
		"cache-control": "private, no-cache", "x-content-type-options": "nosniff", "content-type": "image/png",
		"content-security-policy": "sandbox; default-src 'none'", "cross-origin-resource-policy": "same-origin",
		"referrer-policy": "no-referrer", "vary": "cookie",
	} {
		if header[name] != want {
			t.Errorf("%s is %q, want %q", name, header[name], want)
		}
	}
}

// A request that differs from a good one in one respect only.
func TestOneThingWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*world, *decision.Request)
		status int
		code   refusal.Code
	}{
		{"another host", func(_ *world, r *decision.Request) { r.Host = "evil.test" }, 421, "host_unknown"},
		{"no host", func(_ *world, r *decision.Request) { r.Host = "" }, 421, "host_unknown"},
		{"another port", func(_ *world, r *decision.Request) { r.Host = "label.test:8443" }, 421, "host_unknown"},
		{"no cookie", func(_ *world, r *decision.Request) { r.CookieLines = nil }, 401, "no_session"},
		{"two session cookies", func(_ *world, r *decision.Request) { r.CookieLines = append(r.CookieLines, r.CookieLines[0]) }, 401, "no_session"},
		{"somebody's guess", func(_ *world, r *decision.Request) {
			r.CookieLines = []string{"__Host-rolepass=" + strings.Repeat("A", 43)}
		}, 401, "no_session"},
		{"the session has ended", func(w *world, _ *decision.Request) { w.pass(2 * time.Hour) }, 401, "no_session"},
		{"a post", func(_ *world, r *decision.Request) { r.Method = "POST" }, 405, "fetch_method"},
		{"as a script", func(_ *world, r *decision.Request) { r.FetchDest = "script" }, 403, "fetch_destination"},
		{"embedded", func(_ *world, r *decision.Request) { r.FetchDest = "embed" }, 403, "fetch_destination"},
		{"as a service worker", func(_ *world, r *decision.Request) { r.FetchDest = "serviceworker" }, 403, "fetch_destination"},
		{"by another site", func(_ *world, r *decision.Request) { r.FetchSite = "cross-site" }, 403, "cross_origin"},
		{"by another port of this host", func(_ *world, r *decision.Request) { r.FetchSite = "same-site" }, 403, "cross_origin"},
		{"by another origin", func(_ *world, r *decision.Request) { r.Origin = "https://evil.test" }, 403, "cross_origin"},
		{"an odd parameter", func(_ *world, r *decision.Request) { r.Target += "&fileuri=czM6Ly9hL2I=" }, 400, "fileuri_repeated"},
		{"not canonical base64", func(_ *world, r *decision.Request) { r.Target += "=" }, 400, "fileuri_encoding"},
		{"another spelling of the path", func(_ *world, r *decision.Request) { r.Target = "/" + r.Target }, 400, "fetch_path"},
		{"a dot segment", func(_ *world, r *decision.Request) { r.Target = "/static/.." + r.Target }, 400, "fetch_path"},
		{"an escaped letter", func(_ *world, r *decision.Request) { r.Target = strings.Replace(r.Target, "resolve", "%72esolve", 1) }, 400, "fetch_path"},
		{"for a project, where tasks are asked", func(_ *world, r *decision.Request) {
			r.Target = strings.Replace(r.Target, "/tasks/7/", "/projects/12/", 1)
		}, 403, "project_fetch"},
		{"the state is away", func(w *world, _ *decision.Request) { w.store.err = errors.New("connection refused") }, 503, "state_unavailable"},
		{"the application fails", func(w *world, _ *decision.Request) { w.app = status(500) }, 503, "app_unavailable"},
		{"the application takes the bearer for nobody's", func(w *world, _ *decision.Request) { w.app = status(401) }, 403, "app_identity_rejected"},
		{"the application redirects", func(w *world, _ *decision.Request) { w.app = status(302) }, 503, "app_unavailable"},
		{"no bearer", func(w *world, _ *decision.Request) {
			w.Bearer = func(context.Context, int64) (presign.Secret, error) { return "", errors.New("no key") }
		}, 503, "state_unavailable"},
		{"a panic", func(w *world, _ *decision.Request) {
			w.Bearer = func(context.Context, int64) (presign.Secret, error) { panic("secret of the panic") }
		}, 503, "panic"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			r := request("GET", fetching("7", lung), w.signedIn(radiology))
			c.change(w, &r)
			got := w.Decide(t.Context(), r)
			if got.Kind != decision.Refuse || got.Answer.Status != c.status || got.Code != c.code {
				t.Errorf("decided %v %d %s (%v); want %d %s", got.Kind, got.Answer.Status, got.Code, w.events[0].Refusal, c.status, c.code)
			}
			if got.Signed.Target() != "" || got.Authorization != "" {
				t.Error("a refusal carries a signed location or a bearer")
			}
			if body := string(got.Answer.Body); strings.Contains(body, "imaging") || strings.Contains(body, "lung") || strings.Contains(body, "panic") {
				t.Errorf("the answer tells of the object or of us: %s", body)
			}
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/user/login/")
		w.WriteHeader(code)
	}
}

// Credentials and session end separately, and inside a session nothing is a
// 401: Label Studio's pages would leave for the front page.
func TestCredentialsThatEndedAreForbidden(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedInUntil(w.clock().Add(10*time.Minute), radiology)
	w.pass(20 * time.Minute)
	got := w.Decide(t.Context(), request("GET", fetching("7", lung), cookie))
	if got.Kind != decision.Refuse || got.Answer.Status != 403 || got.Code != decision.CodeCredentials {
		t.Errorf("decided %v %d %s", got.Kind, got.Answer.Status, got.Code)
	}
}

func TestWithoutAGrantTheApplicationIsNotAsked(t *testing.T) {
	w := newWorld(t)
	w.Decide(t.Context(), request("GET", fetching("7", lung), w.signedIn(research)))
	if len(w.asked) != 0 {
		t.Errorf("the application was asked %v", w.asked)
	}
}

func TestWhatTheApplicationReceives(t *testing.T) {
	w := newWorld(t)
	r := request("GET", "/projects/12/data", "csrftoken=c; sessionid=stolen; "+w.signedIn(radiology)+"; SessionID=too; sessionid =again; \tsessionid\t =again; __Host-rolepass-login-x=y; theme=dark")
	got := w.Decide(t.Context(), r)
	if got.Kind != decision.Pass || got.Authorization.Reveal() != "Bearer of-42" || got.Cookie != "csrftoken=c; theme=dark" {
		t.Errorf("decided %v with cookies %q", got.Kind, got.Cookie)
	}
}

// The bearer is added to whatever the browser sends, so a page of another
// origin must not make it send anything that changes something.
func TestAnotherSiteCannotAct(t *testing.T) {
	const allowed, refused = decision.Pass, decision.Refuse
	for _, c := range []struct {
		method, origin, site string
		want                 decision.Kind
	}{
		{"POST", public, "same-origin", allowed},
		{"POST", public, "", allowed},
		{"POST", "", "same-origin", allowed},
		{"PATCH", "https://evil.test", "cross-site", refused},
		{"POST", "null", "", refused},
		{"POST", "https://evil.test", "same-origin", refused},
		{"POST", public, "cross-site", refused},
		{"POST", public, "same-site", refused},
		{"DELETE", "", "cross-site", refused},
		{"DELETE", "", "same-site", refused},
		{"POST", "", "", refused},
		{"POST", public + ":8443", "", refused},
		{"GET", "", "cross-site", allowed}, // following a link
	} {
		w := newWorld(t)
		r := request(c.method, "/api/projects/12/", w.signedIn(radiology))
		r.Origin, r.FetchSite = c.origin, c.site
		if got := w.Decide(t.Context(), r); got.Kind != c.want {
			t.Errorf("%s from %q (%q): decided %v %s, want %v", c.method, c.origin, c.site, got.Kind, got.Code, c.want)
		}
	}
}

func TestWhoIsNotSignedIn(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*decision.Request)
		status int
		to     string
	}{
		{"a page", func(r *decision.Request) { r.FetchMode, r.FetchDest = "navigate", "document" }, 303, "https://idp.test/sso?"},
		{"a page in an old browser", func(r *decision.Request) {
			r.FetchMode, r.FetchDest, r.FetchSite, r.Accept = "", "", "", "text/html,*/*"
		}, 303, "https://idp.test/sso?"},
		{"a picture", func(*decision.Request) {}, 401, ""},
		{"a frame", func(r *decision.Request) { r.FetchMode, r.FetchDest = "navigate", "iframe" }, 401, ""},
		{"a program", func(r *decision.Request) { r.FetchMode, r.FetchDest, r.FetchSite, r.Accept = "", "", "", "*/*" }, 401, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			r := request("GET", "/projects/12/data", "")
			c.change(&r)
			got := w.Decide(t.Context(), r)
			location := ""
			for _, h := range got.Answer.Header {
				if h.Name == "location" {
					location = h.Value
				}
			}
			if got.Answer.Status != c.status || !strings.HasPrefix(location, c.to) || (c.to == "") != (location == "") {
				t.Errorf("decided %v %d to %q (%v: %v)", got.Kind, got.Answer.Status, location, w.events[0].Refusal, errors.Unwrap(w.events[0].Refusal))
			}
			if c.status == 401 && !r2html(r) && !strings.Contains(string(got.Answer.Body), `"login":"https://label.test/rolepass/login"`) {
				t.Errorf("the answer does not say where to sign in: %s", got.Answer.Body)
			}
		})
	}
}

// Whether the application runs is for everybody to see, asked in one way and
// with nothing that says who asks. Everything else needs a session.
func TestOnlyHealthIsForEverybody(t *testing.T) {
	for _, target := range []string{"/health", "/health/"} {
		w := newWorld(t)
		if got := w.Decide(t.Context(), request("GET", target, "sessionid=stolen")); got.Kind != decision.Open || got.Authorization != "" || got.Cookie != "" {
			t.Errorf("%s: %v with %q and %q", target, got.Kind, got.Authorization, got.Cookie)
		}
		if got := w.Decide(t.Context(), request("POST", target, "")); got.Kind != decision.Refuse {
			t.Errorf("POST %s: %v", target, got.Kind)
		}
	}
	for _, target := range []string{
		"/health?x", "/health/x", "//health", "/health//", "/%68ealth", "/x/health/", "/health;x", "/Health", "/tasks/3/resolve/health/", "/health/../tasks/3/resolve/",
		"/version", "/api/version/", "/metrics", "/static/js/main.js", "/react-app/main.js", "/sw.js", "/favicon.ico", "/", "/api/current-user/whoami",
	} {
		w := newWorld(t)
		if got := w.Decide(t.Context(), request("GET", target, "")); got.Kind != decision.Refuse || got.Answer.Status != 401 {
			t.Errorf("%s without a session: %v %d", target, got.Kind, got.Answer.Status)
		}
	}
}

func r2html(r decision.Request) bool { return r.FetchMode == "navigate" }

func TestLogoutEndsWhatThePersonMay(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedIn(radiology)
	if got := w.Decide(t.Context(), request("GET", fetching("7", lung), cookie)); got.Kind != decision.Stream {
		t.Fatalf("decided %v %s", got.Kind, got.Code)
	}
	leave := request("GET", "/logout", cookie)
	leave.FetchMode, leave.FetchDest = "navigate", "document"
	if got := w.Decide(t.Context(), leave); got.Kind != decision.Page || got.Answer.Status != 303 {
		t.Fatalf("decided %v %d %s", got.Kind, got.Answer.Status, got.Code)
	}
	if got := w.Decide(t.Context(), request("GET", fetching("7", lung), cookie)); got.Answer.Status != 401 {
		t.Errorf("after the logout: %v %d", got.Kind, got.Answer.Status)
	}
}

func TestAnotherSiteCannotSignAnybodyOut(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedIn(radiology)
	leave := request("GET", "/logout", cookie)
	leave.FetchSite = "cross-site"
	w.Decide(t.Context(), leave)
	if got := w.Decide(t.Context(), request("GET", fetching("7", lung), cookie)); got.Kind != decision.Stream {
		t.Errorf("decided %v %s", got.Kind, got.Code)
	}
}

func TestTheApplicationsOwnLoginLeadsToTheFront(t *testing.T) {
	w := newWorld(t)
	got := w.Decide(t.Context(), request("GET", "/user/login/?next=/projects/", w.signedIn(radiology)))
	if got.Kind != decision.Page || got.Answer.Status != 303 || got.Answer.Header[0].Value != "/" {
		t.Errorf("decided %v %d %v", got.Kind, got.Answer.Status, got.Answer.Header)
	}
}

func TestOneEventPerDecision(t *testing.T) {
	w := newWorld(t)
	w.Decide(t.Context(), request("GET", fetching("7", lung), w.signedIn(radiology)))
	w.Decide(t.Context(), request("GET", fetching("7", lung), ""))
	if len(w.events) != 2 {
		t.Fatalf("%d events for two decisions", len(w.events))
	}
	signed, refused := w.events[0], w.events[1]
	if signed.Kind != decision.Stream || signed.Role != radiology || signed.Grant != 1 || signed.Task != 7 || signed.Location.URI() != lung || signed.Session.Principal.SessionName != "ada" || signed.RequestID != "r-1" {
		t.Errorf("the event of a fetch is %+v", signed)
	}
	if refused.Kind != decision.Refuse || refused.Refusal == nil || refused.Session != nil {
		t.Errorf("the event of a refusal is %+v", refused)
	}
}

// Nothing that a log or a test prints of a decision shows what it carries.
func TestADecisionDoesNotPrintItsSecrets(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedIn(radiology)
	for _, target := range []string{fetching("7", lung), "/projects/12/data"} {
		got := w.Decide(t.Context(), request("GET", target, cookie))
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(verb, got); strings.Contains(text, "of-42") || strings.Contains(text, "X-Amz-Signature") {
				t.Errorf("%s shows a secret: %s", verb, text)
			}
		}
	}
}

// Who opens a page in time before their credentials end gets new ones by way
// of the IdP; nothing else is led there, and nobody twice in a row.
func TestCredentialsAreRenewedWhenAPageOpens(t *testing.T) {
	const renewed, passed = decision.Page, decision.Pass
	for _, c := range []struct {
		name   string
		after  time.Duration
		change func(*decision.Request)
		want   decision.Kind
	}{
		{"a page, long before", 30 * time.Minute, func(*decision.Request) {}, passed},
		{"a page, in time before", 50 * time.Minute, func(*decision.Request) {}, renewed},
		{"a page, too late", 59*time.Minute + 50*time.Second, func(*decision.Request) {}, renewed},
		{"a script", 50 * time.Minute, func(r *decision.Request) { r.FetchMode, r.FetchDest = "cors", "empty" }, passed},
		{"a form", 50 * time.Minute, func(r *decision.Request) { r.Method = "POST" }, passed},
		{"a frame", 50 * time.Minute, func(r *decision.Request) { r.FetchDest = "iframe" }, passed},
		{"a page just after another try", 50 * time.Minute, func(r *decision.Request) { r.CookieLines = append(r.CookieLines, "__Host-rolepass-renews=1") }, passed},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			cookie := w.signedIn(radiology)
			w.pass(c.after)
			r := request("GET", "/projects/12/data?tab=3", cookie)
			r.FetchMode, r.FetchDest = "navigate", "document"
			c.change(&r)
			got := w.Decide(t.Context(), r)
			if got.Kind != c.want || c.want == renewed && got.Answer.Status != 303 {
				t.Errorf("decided %v %d %s", got.Kind, got.Answer.Status, got.Code)
			}
			if c.want == renewed && w.events[0].Page != "renew" {
				t.Errorf("the event is %q", w.events[0].Page)
			}
		})
	}
}

// Credentials that never last long do not keep a person in the login.
func TestAShortRoleIsNoEndlessLogin(t *testing.T) {
	w := newWorld(t)
	cookie := w.signedInUntil(w.clock().Add(5*time.Minute), radiology)
	r := request("GET", "/", cookie)
	r.FetchMode, r.FetchDest = "navigate", "document"
	if got := w.Decide(t.Context(), r); got.Kind != decision.Pass {
		t.Errorf("decided %v %d %s", got.Kind, got.Answer.Status, got.Code)
	}
}

// What the application does under its own key is for administrators.
func TestSideDoorsAreForAdministrators(t *testing.T) {
	for _, c := range []struct {
		method, target string
		administrators []string
		want           decision.Kind
	}{
		{"POST", "/api/storages/s3/", nil, decision.Refuse},
		{"POST", "/api/storages/s3/", []string{research}, decision.Refuse},
		{"POST", "/api/storages/s3/", []string{research, radiology}, decision.Pass},
		{"GET", "/api/projects/12/export?exportType=VOC", nil, decision.Refuse},
		{"GET", "/api/projects/12/export?exportType=VOC", []string{radiology}, decision.Pass},
		{"GET", "/api/storages/s3?project=12", nil, decision.Pass},
		{"PATCH", "/api/users/42/", nil, decision.Pass}, // who they are
		{"PATCH", "/api/users/43/", nil, decision.Refuse},
		{"PATCH", "/api/users/43/", []string{radiology}, decision.Pass},
	} {
		w := newWorld(t)
		w.Administrators = c.administrators
		got := w.Decide(t.Context(), request(c.method, c.target, w.signedIn(radiology)))
		if got.Kind != c.want || c.want == decision.Refuse && (got.Answer.Status != 403 || got.Code != "side_door") {
			t.Errorf("%s %s for %v: decided %v %d %s", c.method, c.target, c.administrators, got.Kind, got.Answer.Status, got.Code)
		}
	}
	// An import is one unless the tasks are in it.
	for contentType, want := range map[string]decision.Kind{"application/json": decision.Pass, "application/x-www-form-urlencoded": decision.Refuse, "": decision.Refuse} {
		w := newWorld(t)
		r := request("POST", "/api/projects/12/import", w.signedIn(radiology))
		r.ContentType = contentType
		if got := w.Decide(t.Context(), r); got.Kind != want {
			t.Errorf("an import of %q: decided %v %s", contentType, got.Kind, got.Code)
		}
	}
	// Being an administrator opens nothing for another site.
	w := newWorld(t)
	w.Administrators = []string{radiology}
	r := request("POST", "/api/storages/s3/", w.signedIn(radiology))
	r.Origin = "https://evil.test"
	if got := w.Decide(t.Context(), r); got.Code != "cross_origin" {
		t.Errorf("decided %v %s", got.Kind, got.Code)
	}
}
