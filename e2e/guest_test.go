package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/stack"
	"github.com/rolepass/rolepass/server"
)

// replicated starts two replicas and the server of their state, once.
var replicated = sync.OnceValues(func() (*stack.Replicas, error) {
	s, err := start()
	if err != nil {
		return nil, err
	}
	program := os.Getenv("ROLEPASS_VALKEY")
	if program == "" {
		return nil, errors.New("ROLEPASS_VALKEY does not name valkey-server or redis-server: run through make test, which finds it")
	}
	ctx, cancel := startContext()
	defer cancel()
	return s.Replicated(ctx, program, 2)
})

// guest is a visitor of the replicas, whom a balancer takes to one or another.
type guest struct {
	*visitor
	replicas *stack.Replicas
	balancer *balancer
}

// guests gives a new one, whom nobody knows.
func guests(t *testing.T) guest {
	t.Helper()
	v := visits(t)
	r, err := replicated()
	if err != nil {
		t.Fatal(err)
	}
	v.demo.Public = r.Public
	b := &balancer{}
	for _, replica := range r.Each {
		transport := &http.Transport{DisableCompression: true, DialContext: leadsTo(mustParse(r.Public).Host, replica.Envoy)}
		t.Cleanup(transport.CloseIdleConnections)
		b.to = append(b.to, transport)
	}
	v.client.Transport = secrets.Transport("localhost", b)
	return guest{v, r, b}
}

// guestAs gives one who has signed in through a replica.
func guestAs(t *testing.T, name string, replica int) guest {
	t.Helper()
	g := guests(t)
	g.through(replica).signsIn(name)
	return g
}

// balancer is what is before the replicas.
type balancer struct {
	to []http.RoundTripper
	at atomic.Int32
}

func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	return b.to[b.at.Load()].RoundTrip(r)
}

// leadsTo connects to an Envoy where the public address is asked for.
func leadsTo(public, envoy string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == public {
			address = envoy
		}
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}
}

// through has the balancer take the guest to a replica from now on.
func (g guest) through(replica int) guest {
	g.balancer.at.Store(int32(replica))
	return g
}

// twin is another browser with the same cookies as they are now.
func (g guest) twin() guest {
	g.t.Helper()
	other := guest{visits(g.t), g.replicas, &balancer{to: g.balancer.to}}
	other.demo = g.demo
	other.client.Transport = secrets.Transport("localhost", other.balancer)
	other.client.Jar.SetCookies(mustParse(g.demo.Public), g.cookies())
	return other
}

// cookies are the guest's, such as a browser would send again.
func (g guest) cookies() []*http.Cookie {
	all := g.client.Jar.Cookies(mustParse(g.demo.Public))
	for _, cookie := range all {
		cookie.Path, cookie.Secure, cookie.SameSite = "/", true, http.SameSiteNoneMode
	}
	return all
}

// own is an object that the guest's role reads.
func (g guest) own(name string) stack.Task {
	g.t.Helper()
	title := map[string]string{"radiologist": "Radiology", "researcher": "Research", "both": "Radiology"}[name]
	return readable(g.project(title), name)[0]
}

// reads fails unless the object arrives through every replica, byte for byte.
func (g guest) reads(task stack.Task) {
	g.t.Helper()
	for i := range g.replicas.Each {
		got := g.through(i).fetches(task.ID, task.URI)
		if got.StatusCode != http.StatusOK {
			g.t.Fatalf("replica %d refuses an object: %s, %+v", i, got.Status, g.recordOf(i, got))
		}
		if !bytes.Equal(got.body, running(g.t).Object(task.URI)) {
			g.t.Errorf("through replica %d, %d other bytes arrived", i, len(got.body))
		}
	}
}

// soon is how soon what happened at one replica, or at the state's server, must be
// so at all of them.
const soon = 5 * time.Second

// becomes waits until every replica answers the fetch of an object with a status.
// Until then it answers with one of the others, and with nothing else.
func (g guest) becomes(task stack.Task, status int, before ...int) {
	g.t.Helper()
	began := time.Now()
	for i := range g.replicas.Each {
		within(g.t, began, "the answer of a replica", func() bool {
			got := g.through(i).fetches(task.ID, task.URI)
			if got.StatusCode != status && !slices.Contains(before, got.StatusCode) {
				g.t.Fatalf("replica %d answers %s, and not yet %d: %.300s", i, got.Status, status, got.body)
			}
			return got.StatusCode == status
		})
	}
}

// within waits until something is so, and not for longer than it may take.
func within(t testing.TB, began time.Time, what string, is func() bool) {
	t.Helper()
	deadline, tick := time.After(time.Until(began.Add(soon))), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after %v: %s is not as it must be", soon, what)
		}
	}
}

// commands runs one of Rolepass's commands at a replica, as its operator.
func (g guest) commands(replica int, args ...string) string {
	g.t.Helper()
	said, err := g.replicas.Each[replica].Rolepass(g.t.Context(), args...)
	if err != nil {
		g.t.Fatal(err)
	}
	return said
}

// listed are the sessions that an operator of a replica sees, and whose they are.
func (g guest) listed(replica int) map[string]string {
	g.t.Helper()
	var all []server.ListedSession
	if err := json.Unmarshal([]byte(g.commands(replica, "sessions", "list", "--json")), &all); err != nil {
		g.t.Fatal(err)
	}
	names := map[string]string{}
	for _, s := range all {
		names[s.Session] = s.Person
	}
	return names
}

// added gives what there is of one map and not of another.
func added(before, after map[string]string) map[string]string {
	more := maps.Clone(after)
	maps.DeleteFunc(more, func(name, _ string) bool { _, was := before[name]; return was })
	return more
}

// recordOf waits until a replica's audit has this very refusal, and gives it.
func (g guest) recordOf(replica int, refused answer) audited {
	g.t.Helper()
	said := requestID.FindSubmatch(refused.body)
	if said == nil {
		g.t.Fatalf("a refusal without a request id: %s: %.300s", refused.Status, refused.body)
	}
	return eventually(g.t, "a refusal in a replica's audit", func() (audited, bool) {
		all := auditOf(g.t, g.replicas.Each[replica].Audit)
		i := slices.IndexFunc(all, func(one audited) bool { return one.ID == string(said[1]) })
		if i < 0 {
			return audited{}, false
		}
		return all[i], true
	})
}
