package login_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/e2e/valkeytest"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
	"github.com/rolepass/rolepass/state/valkey"
)

var deployments atomic.Int64

// replicas are two worlds with one IdP, one STS, one clock and one state.
func replicas(t *testing.T, server *valkeytest.Server) (one, other *world) {
	t.Helper()
	one = withLogout(t)
	prefix := fmt.Sprintf("test%d:", deployments.Add(1))
	one.shares(server.Open(valkey.Options{Prefix: prefix, Now: one.now}))
	other = &world{t: t, idp: one.idp, at: one.at, Service: &login.Service{
		PublicURL: one.PublicURL, ACSPath: one.ACSPath, Contact: one.Contact, AppCookies: one.AppCookies, IdPs: one.IdPs, Sealer: one.Sealer,
		Sessions: &session.Manager{}, Grants: one.Grants, Exchanger: one.Exchanger, SignIn: one.SignIn, Ended: one.Ended,
		Now: one.now, Rand: random(14), Verifying: make(chan struct{}, 4), Signing: login.NewTurns(4, 64),
	}}
	other.shares(server.Open(valkey.Options{Prefix: prefix, Now: one.now}))
	return one, other
}

// shares puts a world's state on a server.
func (w *world) shares(server *valkey.Server) {
	near := state.NewNearby(server, 2*time.Second, 1<<20, w.Now)
	w.Sessions = &session.Manager{Store: near, Shared: server, Sealer: w.Sealer, Now: w.Now, Rand: random(byte(deployments.Add(1))), Idle: time.Hour, Absolute: 8 * time.Hour, PerPerson: w.Sessions.PerPerson}
	w.Cache = credcache.New(near, w.Sealer, 8<<20, w.Now)
	w.Used, w.Started = state.InAll{server, state.NewMemoryOnce(1000, w.Now)}, time.Time{}
}

// at sends what a browser would send next to another replica.
func (b *browser) at(w *world) *browser { return &browser{w: w, cookies: b.cookies} }

// A login goes from one replica to another, and its answer counts once for both.
func TestALoginGoesFromOneReplicaToAnother(t *testing.T) {
	one, other := replicas(t, valkeytest.Start(t))
	b := one.browser()
	request := b.starts("/projects/7")
	answer := posting(one.idp.Response(right(request)), request.RelayState)
	page := b.at(other).asks(answer)
	if b.session() == nil || b.at(other).session() == nil || header(page, "location") != "/projects/7" {
		t.Fatalf("%d, %v", page.Status, page.Refusal)
	}
	for _, w := range []*world{one, other} {
		again := w.browser()
		again.cookies = map[string]string{}
		for name, value := range b.cookies {
			again.cookies[name] = value
		}
		if page := again.asks(answer); page.Session != nil {
			t.Error("the same answer begins a second session")
		}
	}
}

// The same response, with the cookie that the browser had when it began, at both
// replicas: one of them takes it.
func TestAResponseIsUsedOnceByAllReplicas(t *testing.T) {
	one, other := replicas(t, valkeytest.Start(t))
	b := one.browser()
	request := b.starts("/")
	answer := posting(one.idp.Response(right(request)), request.RelayState)
	stolen := other.browser()
	for name, value := range b.cookies {
		stolen.cookies[name] = value
	}
	if b.asks(answer); b.session() == nil {
		t.Fatal("not signed in")
	}
	if page := stolen.asks(answer); code(page) != login.CodeReplay || page.Session != nil {
		t.Errorf("at the other replica: %d, %v", page.Status, page.Refusal)
	}
}

// How many sessions a person may have is counted on all replicas.
func TestOnePersonsSessionsAreCountedOnAllReplicas(t *testing.T) {
	one, other := replicas(t, valkeytest.Start(t))
	one.Sessions.PerPerson, other.Sessions.PerPerson = 2, 2
	first, second, third := one.browser(), other.browser(), one.browser()
	for i, b := range []*browser{first, second, third} {
		if b.signsIn(func(s *samltest.Spec) { s.AssertionID = fmt.Sprint("_", i) }); b.session() == nil {
			t.Fatalf("login %d", i)
		}
		one.passes(3 * time.Second)
	}
	if first.session() != nil || second.session() == nil || third.session() == nil {
		t.Errorf("the oldest lives (%v), or another does not (%v, %v)", first.session() != nil, second.session() != nil, third.session() != nil)
	}
}

// A login for which STS does not answer waits in one process, where the next
// request perhaps does not arrive: with replicas it is refused instead, and says so.
func TestNoLoginWaitsWhereThereAreReplicas(t *testing.T) {
	one, _ := replicas(t, valkeytest.Start(t))
	one.sts = func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error { return errAway }
	b := one.browser()
	page := b.signsIn()
	if n, _ := one.Waits(); n != 0 || page.Status != http.StatusServiceUnavailable || b.session() != nil || code(page) != credcache.CodeUnavailable {
		t.Errorf("%d wait; %d, %v", n, page.Status, page.Refusal)
	}
}

// A login that fails in its last step leaves no session that nobody has the cookie of:
// it would count as one of its person's.
func TestALoginThatFailsAtItsEndLeavesNoSession(t *testing.T) {
	one, other := replicas(t, valkeytest.Start(t))
	one.Sessions.PerPerson = 20
	one.Sessions.Shared = listless{one.Sessions.Shared}
	b := one.browser()
	if page := b.signsIn(); page.Refusal == nil || page.Session != nil || len(one.asked) == 0 {
		t.Fatalf("%d, %v, after STS was asked for %v", page.Status, page.Refusal, one.asked)
	}
	left, err := other.Sessions.List(t.Context(), func(session.Listed) bool { return true })
	if len(left) != 0 || err != nil {
		t.Errorf("%d sessions are left, %v", len(left), err)
	}
}

// listless is a server that does not say what is in a set.
type listless struct{ session.Shared }

func (listless) Members(context.Context, string) ([]string, error) { return nil, errAway }

// Without the state's server nobody signs in, and STS is not asked for what could
// not be kept.
func TestWithoutTheStatesServerNobodySignsIn(t *testing.T) {
	server := valkeytest.Start(t)
	one, _ := replicas(t, server)
	b := one.browser()
	request := b.starts("/")
	server.Kill()
	page := b.asks(posting(one.idp.Response(right(request)), request.RelayState))
	if page.Status != http.StatusServiceUnavailable || page.Session != nil || len(one.asked) != 0 {
		t.Errorf("%d, %v; STS was asked for %v", page.Status, page.Refusal, one.asked)
	}
	server.Run()
	if b.signsIn(); b.session() == nil {
		t.Error("and not when it is back, either")
	}
}
