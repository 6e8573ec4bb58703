package decision_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// personal is a personal access token, by what it says of itself.
const personal = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2lnbmVk"

// works makes the world one in which user 42's token is an ML backend's, which
// reads under the role research.
func (w *world) works() {
	c := &presign.Credentials{AccessKeyID: "ASIAml", SecretAccessKey: "s", SessionToken: "t", Expires: w.clock().Add(time.Hour), STS: "aws"}
	w.Workloads = map[int64]*decision.Workload{42: {
		Session: &session.Session{ID: "workload ml", Principal: saml.Principal{IdP: "workload", SessionName: "ml"}, Roles: []string{research}},
		Credentials: func(int) (*presign.Credentials, error) {
			if !w.clock().Before(c.Expires) {
				return nil, credcache.ErrNone
			}
			return c, nil
		},
	}}
	w.app = func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/token/refresh/" {
			fmt.Fprint(out, `{"access": "of-42"}`) // what nobody else gets is tested in package client
			return
		}
		if r.URL.Path != "/api/current-user/whoami" {
			w.tasks(out, r)
			return
		}
		switch r.Header.Get("Authorization") {
		case "Bearer of-42":
			fmt.Fprint(out, `{"id": 42, "email": "ml@example.com"}`)
		case "Token of-1":
			fmt.Fprint(out, `{"id": 1, "email": "owner@example.com"}`)
		default:
			out.WriteHeader(http.StatusUnauthorized)
		}
	}
}

// A program reads what its own role is granted, in tasks that the application
// shows it, and nothing else; a token without a workload reads nothing.
func TestAProgramReadsUnderItsOwnRole(t *testing.T) {
	const granted, elsewhere, inNoTask = "s3://imaging/anonymised/a.png", "s3://imaging/radiology/lung.png", "s3://imaging/anonymised/b.png"
	for _, c := range []struct {
		name, token, target string
		after               time.Duration
		status              int
		code                string
	}{
		{"its own", "Bearer of-42", fetching("7", granted), 0, 0, "stream"},
		{"its own, by a personal token", personal, fetching("7", granted), 0, 0, "stream"},
		{"another role's", "Bearer of-42", fetching("7", elsewhere), 0, 403, "no_grant"},
		{"in no task", "Bearer of-42", fetching("7", inNoTask), 0, 403, "not_in_task"},
		{"when its credentials have ended", "Bearer of-42", fetching("7", granted), 2 * time.Hour, 503, "credentials_gone"},
		{"the owner's token", "Token of-1", fetching("7", granted), 0, 403, "workload_unknown"},
		{"a token that is none", "Bearer made-up", fetching("7", granted), 0, 401, "app_identity_rejected"},
		{"no token", "", fetching("7", granted), 0, 401, "no_session"},
		{"not a fetch", "Bearer of-42", "/api/projects/", 0, 401, "no_session"},
	} {
		w := newWorld(t)
		w.works()
		w.pass(c.after)
		r := request("GET", c.target, "")
		r.FetchSite, r.FetchMode, r.FetchDest = "", "", "" // no browser
		r.Token, r.AppToken = presign.Secret(c.token), c.token != ""
		got := w.Decide(t.Context(), r)
		if string(got.Code) != c.code || got.Answer.Status != c.status {
			t.Errorf("%s: decided %v %d %s", c.name, got.Kind, got.Answer.Status, got.Code)
		}
		if got.Kind == decision.Stream && w.events[0].Session.Principal.SessionName != "ml" {
			t.Errorf("%s: the audit is told of %v", c.name, w.events[0].Session)
		}
	}
	w := newWorld(t)
	r := request("GET", fetching("7", granted), "")
	r.Token, r.AppToken = "Bearer of-42", true
	if got := w.Decide(t.Context(), r); got.Code != "no_session" || len(w.asked) != 0 {
		t.Errorf("without workloads: decided %s, and the application was asked %d times", got.Code, len(w.asked))
	}
}

// What no workload may read is refused before anybody is asked whose token it
// is.
func TestNobodyIsAskedForWhatNoWorkloadReads(t *testing.T) {
	for code, target := range map[string]string{
		"bucket_unknown": fetching("7", "s3://elsewhere/anonymised/a.png"),
		"no_grant":       fetching("7", "s3://imaging/radiology/lung.png"),
	} {
		w := newWorld(t)
		w.works()
		r := request("GET", target, "")
		r.FetchSite, r.FetchMode, r.FetchDest = "", "", ""
		r.Token, r.AppToken = "Token made-up", true
		if got := w.Decide(t.Context(), r); string(got.Code) != code || len(w.asked) != 0 {
			t.Errorf("%s: decided %s, and the application was asked %d times", target, got.Code, len(w.asked))
		}
	}
}

// However slowly Label Studio answers about made-up tokens, and from wherever
// they come, a program that it has named before reads on.
func TestMadeUpTokensDoNotStopAProgram(t *testing.T) {
	w := newWorld(t)
	w.works()
	answers, asked, release := w.app, make(chan struct{}, 64), make(chan struct{})
	w.app = func(out http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Authorization"), "Token made-up") {
			asked <- struct{}{}
			<-release
		}
		answers(out, r)
	}
	decides := func(token, source string) refusal.Code {
		r := request("GET", fetching("7", "s3://imaging/anonymised/a.png"), "")
		r.FetchSite, r.FetchMode, r.FetchDest = "", "", ""
		r.Token, r.AppToken, r.Source = presign.Secret(token), true, source
		return w.Decide(t.Context(), r).Code
	}
	if code := decides("Bearer of-42", "10.0.0.7"); code != "stream" {
		t.Fatalf("decided %s", code)
	}
	w.pass(2 * time.Minute) // what was said is not used any more
	told := make(chan refusal.Code, 8)
	for n := range cap(told) {
		go func() { told <- decides(fmt.Sprint("Token made-up ", n), fmt.Sprintf("192.0.2.%d", n)) }()
	}
	left := cap(told)
	for range cap(told) {
		select {
		case <-asked:
		case code := <-told:
			t.Errorf("a made-up token had no turn: %s", code)
			left--
		}
	}
	if code := decides("Token made-up too", "192.0.2.99"); code != "app_busy" {
		t.Errorf("one more made-up token: %s", code)
	}
	if code := decides("Bearer of-42", "10.0.0.7"); code != "stream" {
		t.Errorf("the program: %s", code)
	}
	close(release)
	for range left {
		<-told
	}
}
