package e2e_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/stack"
)

// Who signed in through one replica reads through the other, under the same
// credentials: the token service is asked at the login, and never again. The
// state's server has been told of it, and of nobody's name.
func TestReplicasShareASession(t *testing.T) {
	g := guests(t)
	before := len(stsSaw(t))
	g.through(0).signsIn("both")
	atLogin := stsSaw(t)[before:]
	if len(atLogin) != 2 {
		t.Errorf("a login with two roles asked STS %d times", len(atLogin))
	}
	objects := len(s3Saw(t))
	for _, title := range []string{"Radiology", "Research"} {
		g.reads(readable(g.project(title), "both")[0])
	}
	for _, seen := range s3Saw(t)[objects:] {
		if !slices.ContainsFunc(atLogin, func(e stack.Exchange) bool { return e.AccessKeyID == seen.AccessKeyID }) {
			t.Errorf("S3 was asked with the key %s, which is not of the login", seen.AccessKeyID)
		}
	}
	if who := g.mustBe(g.through(1).asks("GET", g.demo.Public+"/rolepass/whoami", nil, asPage...), http.StatusOK); !strings.Contains(string(who.body), g.account("both").Email) {
		t.Error("the other replica does not know who it is")
	}
	if more := len(stsSaw(t)) - before - len(atLogin); more != 0 {
		t.Errorf("fetches asked STS %d times", more)
	}
	g.isNobodyAtTheServer("both")
}

// isNobodyAtTheServer looks for a person in what the state's server has on its
// disk. Secrets are looked for by TestMain.
func (g guest) isNobodyAtTheServer(name string) {
	g.t.Helper()
	text, err := g.replicas.State.Written()
	if err != nil {
		g.t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(stack.ValkeyPrefix)) {
		g.t.Error("nothing of Rolepass's is at the state's server: the search shows nothing")
	}
	account := g.account(name)
	for _, told := range slices.Concat([]string{account.Email, "urn:oasis", "localhost"}, account.Roles) {
		if bytes.Contains(text, []byte(told)) {
			g.t.Errorf("the state's server was told %q", told)
		}
	}
}

// A login begins at one replica, and the identity provider's answer arrives at the
// other.
func TestALoginEndsAtAnotherReplica(t *testing.T) {
	for begins := range 2 {
		g := guests(t)
		response := g.proves(g.through(begins).opens(g.demo.Public+"/"), "researcher")
		back := g.mustBe(g.through(1-begins).sends(response, "cross-site"), http.StatusSeeOther)
		if to := g.next(back); to != g.demo.Public+"/" {
			t.Errorf("the login leads to %s", to)
		}
		g.reads(g.own("researcher"))
	}
}

// What was used at one replica is used at all of them: once, however many get it
// at the same time, and also when all have been restarted since.
func TestAnAssertionIsUsedOnceByAllReplicas(t *testing.T) {
	g := guests(t)
	response := g.proves(g.through(0).opens(g.demo.Public+"/"), "radiologist")
	// Somebody has the response and the browser's cookies.
	thieves := []guest{g.twin(), g.twin(), g.twin(), g.twin()}
	later := []guest{g.twin(), g.twin()}
	given := len(granted(t, running(t)))

	var together sync.WaitGroup
	for i, thief := range thieves {
		thief.through(i % 2)
		together.Go(func() { thief.sends(response, "cross-site") })
	}
	together.Wait()
	entered := 0
	for _, thief := range thieves {
		if thief.through(0).fetches(g.own("radiologist").ID, g.own("radiologist").URI).StatusCode == http.StatusOK {
			entered++
		}
	}
	if once := len(granted(t, running(t))) - given; entered != 1 || once != 1 {
		t.Errorf("of four that sent one response to two replicas %d are signed in; STS gave credentials %d times", entered, once)
	}
	restartsAll(t, g.replicas)
	for i, thief := range later {
		refused := thief.through(i).sends(response, "cross-site")
		if record := thief.recordOf(i, thief.mustBe(refused, http.StatusForbidden)); record.Code != "saml_replay" {
			t.Errorf("after a restart of all, replica %d refuses as %s", i, record.Code)
		}
		thief.mustBe(thief.fetches(g.own("radiologist").ID, g.own("radiologist").URI), http.StatusUnauthorized)
	}
	if once := len(granted(t, running(t))) - given; once != 1 {
		t.Errorf("STS gave credentials %d times", once)
	}
}

// restartsAll restarts all replicas, so that none has anything in memory.
func restartsAll(t *testing.T, r *stack.Replicas) {
	t.Helper()
	for _, replica := range r.Each {
		replica.Dies()
	}
	for _, replica := range r.Each {
		if err := replica.Starts(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Replicas are killed in turn while people read. What they get is the object, or
// a refusal for as long as theirs is away. Nobody signs in again, and STS is not
// asked.
func TestARestartSignsNobodyOut(t *testing.T) {
	one, other := guestAs(t, "radiologist", 0), guestAs(t, "researcher", 1)
	exchanged := len(stsSaw(t))
	var reading sync.WaitGroup
	stop := make(chan struct{})
	stops := sync.OnceFunc(func() { close(stop); reading.Wait() })
	defer stops()
	seen := &statuses{counts: map[int]map[int]int{}}
	for replica := range 2 {
		for name, g := range map[string]guest{"radiologist": one.twin(), "researcher": other.twin()} {
			reading.Go(func() { g.through(replica).readsOn(replica, g.own(name), seen, stop) })
		}
	}
	for i, replica := range one.replicas.Each {
		replica.Dies()
		within(t, time.Now(), "what a killed replica answers", func() bool { return seen.count(i, http.StatusServiceUnavailable) > 0 })
		had := seen.count(i, http.StatusOK)
		if err := replica.Starts(t.Context()); err != nil {
			t.Fatal(err)
		}
		within(t, time.Now(), "what a restarted replica answers", func() bool { return seen.count(i, http.StatusOK) > had+2 })
	}
	stops()
	t.Logf("answers by replica: %v", seen.counts)
	one.reads(one.own("radiologist"))
	other.reads(other.own("researcher"))
	if more := len(stsSaw(t)) - exchanged; more != 0 {
		t.Errorf("STS was asked %d times", more)
	}
}

// statuses counts answers, by replica and status.
type statuses struct {
	mu     sync.Mutex
	counts map[int]map[int]int
}

func (s *statuses) adds(replica, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts[replica] == nil {
		s.counts[replica] = map[int]int{}
	}
	s.counts[replica][status]++
}

func (s *statuses) count(replica, status int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[replica][status]
}

// readsOn fetches an object again and again.
func (g guest) readsOn(replica int, task stack.Task, seen *statuses, stop <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		request, err := http.NewRequestWithContext(g.t.Context(), "GET", g.fetching(task.ID, task.URI), nil)
		if err != nil {
			g.t.Error(err)
			return
		}
		request.Header.Set("Sec-Fetch-Dest", "image")
		response, err := g.client.Do(request)
		if err != nil {
			g.t.Errorf("replica %d gives no answer: %v", replica, err)
			return
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		whole := response.StatusCode == http.StatusOK && bytes.Equal(body, running(g.t).Object(task.URI))
		if err != nil || !whole && response.StatusCode != http.StatusServiceUnavailable {
			g.t.Errorf("replica %d answers %s with %d bytes (%v)", replica, response.Status, len(body), err)
		}
		seen.adds(replica, response.StatusCode)
	}
}

// However a session ends, and at whichever replica, all refuse it within five
// seconds. Somebody else's stays.
func TestASessionThatEndsIsRefusedByAllReplicas(t *testing.T) {
	stays := guestAs(t, "researcher", 1)
	for name, ends := range map[string]func(t *testing.T, g guest, session string){
		"a logout": func(t *testing.T, g guest, _ string) {
			leaves := g.twin()
			leaves.mustBe(leaves.through(0).asks("GET", g.demo.Public+"/logout", nil, asPage...), http.StatusSeeOther)
		},
		"a logout at the identity provider": func(t *testing.T, g guest, _ string) {
			address, values := running(t).Logout(g.replicas, "radiologist")
			said := guests(t).through(1).sends(form{method: "post", action: address, values: values}, "cross-site")
			if said.StatusCode >= http.StatusBadRequest {
				t.Errorf("the provider's message is answered with %s: %.300s", said.Status, said.body)
			}
		},
		"an operator ends a person's": func(t *testing.T, g guest, _ string) {
			g.commands(1, "sessions", "revoke", "--person", g.account("radiologist").Email)
		},
		"an operator ends one": func(t *testing.T, g guest, session string) {
			if said := g.commands(1, "sessions", "revoke", "--session", session); said != "1 ended\n" {
				t.Errorf("the command says %q", said)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := guests(t)
			before := g.listed(1)
			g.through(0).signsIn("radiologist")
			task := g.own("radiologist")
			g.reads(task) // so that each replica remembers it
			begun := slices.Collect(maps.Keys(added(before, g.listed(1))))
			if len(begun) != 1 {
				t.Fatalf("the other replica lists %d sessions more than before", len(begun))
			}
			ends(t, g, begun[0])
			g.becomes(task, http.StatusUnauthorized, http.StatusOK)
			for i := range g.replicas.Each {
				if g.listed(i)[begun[0]] != "" {
					t.Errorf("replica %d lists it after its end", i)
				}
			}
			stays.t = t
			stays.reads(stays.own("researcher"))
		})
	}
}

// An operator sees the same sessions at each replica.
func TestEachReplicaListsAllSessions(t *testing.T) {
	before := guests(t).listed(0)
	g := guestAs(t, "radiologist", 0)
	guestAs(t, "researcher", 1)
	for i := range g.replicas.Each {
		whose := slices.Sorted(maps.Values(added(before, g.listed(i))))
		if want := []string{g.account("radiologist").Email, g.account("researcher").Email}; !slices.Equal(whose, want) {
			t.Errorf("replica %d lists the new sessions of %v, want those of %v", i, whose, want)
		}
	}
}

// How many sessions a person may have is counted over all replicas. The oldest
// one ends.
func TestAPersonsSessionsAreCountedOverAllReplicas(t *testing.T) {
	var all []guest
	for i := range stack.PerReplicas + 1 {
		all = append(all, guestAs(t, "researcher", i%2))
	}
	task := all[0].own("researcher")
	all[0].becomes(task, http.StatusUnauthorized, http.StatusOK)
	for _, g := range all[1:] {
		g.reads(task)
	}
}
