package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/e2e/valkeytest"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
	"github.com/rolepass/rolepass/state/valkey"
)

// believed is how long a replica of these tests believes what it has read.
const believed = 2 * time.Second

var prefixes atomic.Int64

// replicas are two Managers with one state, of a deployment of its own on the server.
func replicas(t testing.TB, server *valkeytest.Server) (one, other *world) {
	t.Helper()
	one = newWorld(t)
	prefix := fmt.Sprintf("test%d:", prefixes.Add(1))
	shares := func(seed byte) *world { // keys and clock are the same
		behind := server.Open(valkey.Options{Prefix: prefix, Now: one.now})
		return &world{t: t, clock: one.clock, keys: one.keys, Manager: &session.Manager{
			Store: state.NewNearby(behind, believed, 1<<20, one.now), Shared: behind, Sealer: one.Sealer,
			Now: one.now, Rand: random(seed), Idle: one.Idle, Absolute: one.Absolute,
		}}
	}
	return shares(11), shares(12)
}

// close ends the connections of replicas before the test ends.
func close(t testing.TB, all ...*world) {
	for _, w := range all {
		if err := w.Shared.(*valkey.Server).Close(); err != nil {
			t.Error(err)
		}
	}
}

// Two replicas that take turns have the list that one alone has.
func TestTheListOfReplicasIsThatOfThePlainWay(t *testing.T) {
	server := valkeytest.Start(t)
	rapid.Check(t, func(r *rapid.T) {
		one, other := replicas(t, server)
		defer close(t, one, other)
		isThePlainList(r, one, other)
	})
}

func TestASessionOfAnotherReplicaIsFoundAndEnds(t *testing.T) {
	one, other := replicas(t, valkeytest.Start(t))
	s, cookie := one.signedIn()
	if !one.isKnown(cookie) || !other.isKnown(cookie) {
		t.Fatal("not known on both")
	}
	if err := one.End(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if one.isKnown(cookie) {
		t.Error("it ended here, and is known here")
	}
	one.passes(believed)
	if other.isKnown(cookie) {
		t.Error("it ended there two seconds ago, and is known here")
	}
}

// Whoever ends a session knows of it what others have read only.
func TestASessionEndsByTheListOfAnotherReplica(t *testing.T) {
	one, other := replicas(t, valkeytest.Start(t))
	_, cookie := one.signedIn()
	if !one.isKnown(cookie) {
		t.Fatal("not known")
	}
	listed := other.Named("4711", everybody)
	if len(listed) != 1 {
		t.Fatalf("listed are %d", len(listed))
	}
	if err := other.End(t.Context(), &session.Session{ID: listed[0].ID}); err != nil {
		t.Fatal(err)
	}
	one.passes(believed)
	if one.isKnown(cookie) || len(one.List(everybody)) != 0 {
		t.Error("it lives on")
	}
}

// A replica that has read a session does not write it again when it has ended
// elsewhere, though it is time to note its use.
func TestAnEndedSessionIsNotWrittenAgainByAnotherReplica(t *testing.T) {
	one, other := replicas(t, valkeytest.Start(t))
	s, cookie := one.signedIn()
	one.passes(time.Minute - believed/2)
	if !other.isKnown(cookie) {
		t.Fatal("not known")
	}
	if err := one.End(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	one.passes(believed / 2) // a minute since its last use, and the other still believes
	if other.isKnown(cookie) {
		t.Error("it is known though it was to be written")
	}
	one.passes(believed)
	if one.isKnown(cookie) || other.isKnown(cookie) || len(other.List(everybody)) != 0 {
		t.Error("it came back")
	}
}

// Sessions outlive a process whose configuration was another: what they were begun
// for has changed, or the IdP is not asked any more.
func TestASessionIsForOneApplicationAndItsIdPs(t *testing.T) {
	one, other := replicas(t, valkeytest.Start(t))
	one.For, other.For = "https://one.test", "https://one.test"
	_, cookie := one.signedIn()
	if other.IdPs = []string{"another", "corp"}; !other.isKnown(cookie) {
		t.Error("the same application and IdP: not known")
	}
	if other.IdPs = []string{"another"}; other.isKnown(cookie) {
		t.Error("the IdP has gone: known")
	}
	third, _ := replicas(t, valkeytest.Start(t))
	third.Manager = &session.Manager{Store: one.Store, Shared: one.Shared, Sealer: one.Sealer, Now: one.now, Rand: random(9), Idle: one.Idle, Absolute: one.Absolute}
	for _, application := range []string{"", "https://another.test"} {
		if third.For = application; third.isKnown(cookie) {
			t.Errorf("known to the application %q", application)
		}
	}
}

// afterReplace does something between the two writes that note a session's use.
type afterReplace struct {
	state.Store
	do func()
}

func (s afterReplace) Replace(ctx context.Context, name string, record []byte, ends time.Time) error {
	err := s.Store.Replace(ctx, name, record, ends)
	s.do()
	return err
}

// The list does not get a session back that ended while its use was noted: it would
// count as one of its person's.
func TestTheListGetsNoEndedSessionBack(t *testing.T) {
	one, other := replicas(t, valkeytest.Start(t))
	s, cookie := one.signedIn()
	one.Store = afterReplace{one.Store, func() {
		if err := other.End(t.Context(), s); err != nil {
			t.Error(err)
		}
	}}
	one.passes(2 * time.Minute)
	one.isKnown(cookie)
	if left := other.List(everybody); len(left) != 0 {
		t.Errorf("%d are listed", len(left))
	}
}

func everybody(session.Listed) bool { return true }

// A login under way on one replica is ended by another, once, and what is nobody's
// login any more is found by neither.
func TestALoginUnderWayIsEndedByAnotherReplica(t *testing.T) {
	one, other := replicas(t, valkeytest.Start(t))
	ada := session.Listed{Roles: []string{"role/a"}, IdPSession: "_1"}
	ada.Principal.NameID = "ada"
	bo := session.Listed{}
	bo.Principal.NameID = "bo"
	announced := map[string]session.Announced{}
	for name, as := range map[string]session.Listed{"ada": ada, "bo": bo} {
		a, err := one.Announce(t.Context(), as, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		announced[name] = a
	}
	isAda := func(l session.Listed) bool {
		return l.Principal.NameID == "ada" && l.IdPSession == "_1" && l.Roles[0] == "role/a"
	}
	for _, want := range []int{1, 0} {
		if n, err := other.EndAnnounced(t.Context(), isAda); err != nil || n != want {
			t.Errorf("%d ended, %v, want %d", n, err, want)
		}
	}
	for name, want := range map[string]bool{"ada": false, "bo": true} {
		if still, err := one.Withdraw(t.Context(), announced[name]); err != nil || still != want {
			t.Errorf("%s: still under way %v, %v", name, still, err)
		}
	}
	if n, err := other.EndAnnounced(t.Context(), func(session.Listed) bool { return true }); err != nil || n != 0 {
		t.Errorf("%d are left, %v", n, err)
	}
}

// The server's operator reads no name, address or role, and can give one session
// the place of another in no list.
func TestTheListSaysNothingToTheServer(t *testing.T) {
	server := valkeytest.Start(t)
	one, other := replicas(t, server)
	s, _ := one.signedIn()
	second, _ := one.signedIn()
	if _, err := one.Announce(t.Context(), session.Listed{Principal: s.Principal, Roles: s.Roles}, time.Minute); err != nil {
		t.Fatal(err)
	}
	dump := server.Dump()
	for _, secret := range []string{"4711", "ada", "corp", "radiology", "arn:aws", string(s.Half())} {
		if strings.Contains(dump, secret) {
			t.Errorf("the server has %q:\n%q", secret, dump)
		}
	}
	server.Swap(":listed:"+s.ID, ":listed:"+second.ID)
	if left := other.List(everybody); len(left) != 0 {
		t.Errorf("%d entries stand in the place of others and are believed", len(left))
	}
}

// Where the server does not answer, nobody is in, nothing is listed and no login
// becomes a session; none of these is taken for an answer.
func TestWithoutTheServerEverythingIsAnError(t *testing.T) {
	server := valkeytest.Start(t)
	one, _ := replicas(t, server)
	s, cookie := one.signedIn()
	announced, err := one.Announce(t.Context(), session.Listed{}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	server.Kill()
	one.PerPerson = 1
	for name, asked := range map[string]func(context.Context) error{
		"find":     func(ctx context.Context) error { _, err := one.Find(ctx, []string{cookie}); return err },
		"keep":     func(ctx context.Context) error { return one.Keep(ctx, s) },
		"end":      func(ctx context.Context) error { return one.End(ctx, s) },
		"end soon": func(ctx context.Context) error { return one.EndSoon(ctx, s.ID) },
		"list":     func(ctx context.Context) error { _, err := one.Manager.List(ctx, everybody); return err },
		"named":    func(ctx context.Context) error { _, err := one.Manager.Named(ctx, "4711", everybody); return err },
		"surplus":  func(ctx context.Context) error { _, err := one.Manager.Surplus(ctx, s.Principal); return err },
		"announce": func(ctx context.Context) error {
			_, err := one.Announce(ctx, session.Listed{}, time.Minute)
			return err
		},
		"withdraw":      func(ctx context.Context) error { _, err := one.Withdraw(ctx, announced); return err },
		"end announced": func(ctx context.Context) error { _, err := one.EndAnnounced(ctx, everybody); return err },
	} {
		if err := asked(t.Context()); err == nil || errors.Is(err, session.ErrNone) || errors.Is(err, state.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key that is new seals from now on, and people whose sessions are listed under
// the one before are found all the same.
func TestSessionsAreFoundAfterAKeyIsNew(t *testing.T) {
	one, other := replicas(t, valkeytest.Start(t))
	one.PerPerson = 1
	old, _ := one.signedIn()
	one.passes(time.Second)
	one.Sealer.Rekey(one.withNewKey())
	s, _ := other.signedIn()
	if listed := other.Named("4711", everybody); len(listed) != 2 {
		t.Errorf("%d are found by their name", len(listed))
	}
	if surplus := one.Surplus(s.Principal); len(surplus) != 1 || surplus[0].ID != old.ID {
		t.Errorf("too many are %v", surplus)
	}
}
