package e2e_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/stack"
)

// While the state's server is dead, nobody is let in by a guess: everything is
// refused, in words that say what to do, and nothing reaches Label Studio, S3 or
// the token service. Once it is back, who was signed in still is.
func TestWithoutTheStatesServerEverythingIsRefused(t *testing.T) {
	g, newcomer := guestAs(t, "radiologist", 0), guests(t)
	task := g.own("radiologist")
	g.reads(task)
	response := newcomer.proves(newcomer.through(1).opens(g.demo.Public+"/"), "researcher")

	err := g.replicas.State.Dead(t.Context(), func() {
		g.becomes(task, http.StatusServiceUnavailable, http.StatusOK)
		app, s3, sts := len(appSaw(t)), len(s3Saw(t)), len(stsSaw(t))
		for i := range g.replicas.Each {
			g.isRefusedEverything(i, task)
			late := newcomer.twin()
			if said := late.through(i).sends(response, "cross-site"); said.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("replica %d answers a login with %s: %.300s", i, said.Status, said.body)
			}
		}
		if a, b, c := len(appSaw(t))-app, len(s3Saw(t))-s3, len(stsSaw(t))-sts; a+b+c != 0 {
			t.Errorf("%d requests reached Label Studio, %d S3, and %d the token service", a, b, c)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	g.becomes(task, http.StatusOK, http.StatusServiceUnavailable)
	guestAs(t, "researcher", 1).reads(g.own("researcher"))
}

// isRefusedEverything asks a replica for what a browser asks for.
func (g guest) isRefusedEverything(replica int, task stack.Task) {
	g.t.Helper()
	for _, asked := range []struct {
		path    string
		headers []string
		in      time.Duration
	}{
		{fetchPath(task.ID, task.URI), asPicture, answeredIn}, {"/projects/", asPage, answeredIn}, {"/api/projects/", asScript, answeredIn},
		{"/rolepass/whoami", asPage, ownPageIn},
	} {
		began := time.Now()
		said := g.mustBe(g.through(replica).asks("GET", g.demo.Public+asked.path, nil, asked.headers...), http.StatusServiceUnavailable)
		if took := time.Since(began); took > asked.in {
			g.t.Errorf("replica %d refuses %s after %v", replica, asked.path, took)
		}
		if text := string(said.body); strings.Contains(text, "127.0.0.1") || !strings.Contains(text, "Not available right now") && !strings.Contains(text, "state_unavailable") {
			g.t.Errorf("replica %d refuses %s in these words: %.600s", replica, asked.path, text)
		}
	}
}

// isRefusedAtOnce fetches more at the same time than a replica has connections to
// the state's server: none waits for another.
func (g guest) isRefusedAtOnce(replica int, task stack.Task) {
	g.t.Helper()
	g.through(replica)
	var together sync.WaitGroup
	for range 3 * pageSize {
		together.Go(func() {
			began := time.Now()
			got := g.fetches(task.ID, task.URI)
			if took := time.Since(began); got.StatusCode != http.StatusServiceUnavailable || took > allAnsweredIn {
				g.t.Errorf("of many at once, replica %d answers one with %s after %v", replica, got.Status, took)
			}
		})
	}
	together.Wait()
}

// answeredIn is how soon a fetch, or a request of the application's, must be
// answered whatever the state's server does, and ownPageIn how soon a page of
// Rolepass's own, which waits for that server a second.
const answeredIn, ownPageIn = time.Second, 2 * time.Second

// allAnsweredIn is the same for many fetches at once, on a machine that runs all the
// parts besides: less than if each waited its own time behind another.
const allAnsweredIn = 3 * time.Second

// A server that has forgotten everything knows nobody. Who signs in again is let
// in, and the sessions of before stay gone.
func TestAServerThatForgotKnowsNobody(t *testing.T) {
	g := guestAs(t, "radiologist", 0)
	task := g.own("radiologist")
	g.reads(task)
	if err := g.replicas.State.Client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	g.becomes(task, http.StatusUnauthorized, http.StatusOK)
	again := guestAs(t, "radiologist", 1)
	again.reads(task)
	g.becomes(task, http.StatusUnauthorized)
}

// A server that takes connections and says nothing is as one that is not there: a
// request is refused in time, and does not wait.
func TestAServerThatHangsHoldsNobodyUp(t *testing.T) {
	g, newcomer := guestAs(t, "radiologist", 0), guests(t)
	task := g.own("radiologist")
	g.reads(task)
	response := newcomer.proves(newcomer.through(1).opens(g.demo.Public+"/"), "researcher")
	err := g.replicas.State.Hangs(func() {
		for i := range g.replicas.Each {
			within(t, time.Now(), "what a replica answers", func() bool {
				began := time.Now()
				got := g.through(i).fetches(task.ID, task.URI)
				if took := time.Since(began); took > answeredIn {
					t.Errorf("replica %d answers %s after %v", i, got.Status, took)
				}
				return got.StatusCode == http.StatusServiceUnavailable
			})
			g.isRefusedEverything(i, task)
			g.isRefusedAtOnce(i, task)
		}
		began := time.Now()
		newcomer.mustBe(newcomer.through(1).sends(response, "cross-site"), http.StatusServiceUnavailable)
		if took := time.Since(began); took > refusedIn {
			t.Errorf("a login is refused after %v", took)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	g.becomes(task, http.StatusOK, http.StatusServiceUnavailable)
}

// A server that takes no writes, for it is full, or follows another as after a
// failover, lets nobody in, and who is in stays in. A logout that it does not take
// is no logout, and says so.
func TestAServerThatTakesNoWritesLetsNobodyIn(t *testing.T) {
	client := guests(t).replicas.State.Client
	for name, c := range map[string]struct {
		begins, ends func(context.Context) error
		says         string
	}{
		"it is full": {
			func(ctx context.Context) error { return client.ConfigSet(ctx, "maxmemory", "1").Err() },
			func(ctx context.Context) error { return client.ConfigSet(ctx, "maxmemory", "0").Err() }, "OOM"},
		"it follows another": {
			func(ctx context.Context) error { return client.ReplicaOf(ctx, "127.0.0.1", "1").Err() }, // where nobody is
			func(ctx context.Context) error { return client.ReplicaOf(ctx, "NO", "ONE").Err() }, "READONLY"},
	} {
		t.Run(name, func(t *testing.T) {
			g, newcomer := guestAs(t, "radiologist", 0), guests(t)
			task := g.own("radiologist")
			response := newcomer.proves(newcomer.through(1).opens(g.demo.Public+"/"), "researcher")
			given := len(granted(t, running(t)))
			if err := c.begins(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer func() { // also where the test ends early
				if err := c.ends(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			g.reads(task)
			refused := newcomer.mustBe(newcomer.through(1).sends(response, "cross-site"), http.StatusServiceUnavailable)
			if record := g.recordOf(1, refused); !strings.Contains(record.Cause, c.says) {
				t.Errorf("the operator is told %s: %q", record.Code, record.Cause)
			}
			if more := len(granted(t, running(t))) - given; more != 0 {
				t.Errorf("STS gave credentials %d times", more)
			}
			if c.says == "READONLY" {
				g.mustBe(g.twin().through(0).asks("GET", g.demo.Public+"/logout", nil, asPage...), http.StatusServiceUnavailable)
				g.reads(task)
			}
		})
	}
	guestAs(t, "researcher", 1).reads(guests(t).own("researcher"))
}

// A replica that the server does not let in, or whose server cannot show who it
// is, refuses everything and says why: it goes on neither in memory nor in the
// clear.
func TestAReplicaWithoutItsServerSaysSo(t *testing.T) {
	g := guestAs(t, "radiologist", 0)
	task := g.own("radiologist")
	wrong := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(wrong, []byte("another-password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets.Keep("a wrong password", "another-password")
	at := g.replicas.State
	for name, c := range map[string]struct {
		state map[string]any
		says  string
	}{
		"a wrong password":             {map[string]any{"password_file": wrong}, "WRONGPASS"},
		"another authority":            {map[string]any{"ca_file": at.OtherAuthority()}, "certificate signed by unknown authority"},
		"in the clear":                 {map[string]any{"address": at.InTheClear(), "ca_file": nil}, "state's server"},
		"keys that are not Rolepass's": {map[string]any{"prefix": "another:"}, "NOPERM"},
		"another database":             {map[string]any{"address": at.Database(1)}, "NOPERM"},
	} {
		t.Run(name, func(t *testing.T) {
			g.t = t
			exchanged := len(granted(t, running(t)))
			err := g.replicas.Each[1].With(t.Context(), c.state, func() {
				g.isRefusedEverything(1, task)
				newcomer := guests(t)
				response := newcomer.proves(newcomer.through(0).opens(g.demo.Public+"/"), "researcher")
				newcomer.mustBe(newcomer.through(1).sends(response, "cross-site"), http.StatusServiceUnavailable)
				if got := newcomer.fetches(task.ID, task.URI); got.StatusCode < http.StatusBadRequest {
					t.Errorf("whose login was refused gets %s", got.Status)
				}
				refused := g.mustBe(g.through(1).fetches(task.ID, task.URI), http.StatusServiceUnavailable)
				if record := g.recordOf(1, refused); record.Code != "state_unavailable" || !strings.Contains(record.Cause, c.says) {
					t.Errorf("the operator is told %s: %q", record.Code, record.Cause)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if more := len(granted(t, running(t))) - exchanged; more != 0 {
				t.Errorf("STS gave credentials %d times", more)
			}
			g.reads(task)
		})
	}
}
