package credcache_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

// BenchmarkMemoryOfSessions keeps 100,000 sessions with the credentials of one
// role each and says how much memory that takes: everything, and without what
// is opened for use, which is bounded by itself and comes back from the state.
//
//	go test -run '^$' -bench MemoryOfSessions -benchtime 1x ./credcache
func BenchmarkMemoryOfSessions(b *testing.B) {
	const sessions = 100_000
	for _, token := range []int{1600, 4000} {
		for _, opened := range []int{256 << 20, 4 << 30} {
			b.Run(fmt.Sprintf("token=%d/opened=%dMiB", token, opened>>20), func(b *testing.B) {
				for range b.N {
					before, _ := heap()
					manager, cache := fills(b, sessions, token, opened)
					after, _ := heap()
					b.ReportMetric(float64(after-before)/(1<<20), "MiB")
					b.ReportMetric(float64(after-before)/sessions, "B/session")
					runtime.KeepAlive(manager)
					runtime.KeepAlive(cache)
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// What is kept of a session is little more than its token and its names, and none of
// it is for the garbage collector to look through: a session that is idle costs the
// others nothing.
func TestASessionTakesLittleMemory(t *testing.T) {
	const sessions, token = 10_000, 1600
	before, objects := heap()
	manager, cache := fills(t, sessions, token, 1)
	bytes, more := heap()
	runtime.KeepAlive(manager)
	runtime.KeepAlive(cache)
	if each := int(bytes-before) / sessions; each > 2400 {
		t.Errorf("a session takes %d bytes with a token of %d", each, token)
	}
	if objects := int(more - objects); objects > sessions/10 {
		t.Errorf("%d sessions are %d objects for the collector", sessions, objects)
	}
}

func heap() (bytes, objects uint64) {
	runtime.GC()
	runtime.GC() // what the first has found is swept by the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.HeapObjects
}

// fills keeps sessions of people with names and tokens of their own.
func fills(b testing.TB, sessions, token, opened int) (*session.Manager, *credcache.Cache) {
	b.Helper()
	w := newWorld(b, 1<<20)
	store := state.NewMemory(8<<30, time.Now)
	sealer := &state.Sealer{Keys: w.sealer.Keys, Now: time.Now, Rand: rand.NewChaCha8([32]byte{7})}
	manager := &session.Manager{Store: store, Sealer: sealer, Now: time.Now, Rand: rand.NewChaCha8([32]byte{8}), Idle: time.Hour, Absolute: 8 * time.Hour}
	cache := credcache.New(store, sealer, opened, time.Now)
	for i := range sessions {
		s, _, err := manager.New(time.Time{})
		if err != nil {
			b.Fatal(err)
		}
		name := fmt.Sprintf("person-%06d", i)
		s.Principal = saml.Principal{IdP: "corp", NameID: strings.Repeat(name, 3), NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", SessionName: name + "@hospital.example", Email: name + "@hospital.example", FirstName: "First", LastName: name}
		s.Roles, s.AppUser, s.IdPSession = []string{role}, int64(i), "_"+strings.Repeat("a", 32)+name
		credentials := &presign.Credentials{AccessKeyID: fmt.Sprintf("ASIA%016d", i), SecretAccessKey: presign.Secret(strings.Repeat("s", 33) + name[6:]), SessionToken: presign.Secret(strings.Repeat("t", token-8) + fmt.Sprintf("%08d", i)), Expires: time.Now().Add(time.Hour), STS: "aws"}
		if err := cache.Put(b.Context(), credcache.Key{Session: s, Role: role}, credentials); err != nil {
			b.Fatal(err)
		}
		if err := manager.Keep(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	return manager, cache
}
