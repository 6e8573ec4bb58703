package e2e_test

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rolepass/rolepass/e2e/stack"
)

// writings are what somebody does who writes to the state's server.
var writings = map[string]func(s *written){
	"two sessions' records swapped": func(s *written) {
		for kind := range s.radiologists {
			s.swaps(s.radiologists[kind], s.researchers[kind])
		}
	},
	"two sessions' credentials swapped": func(s *written) {
		s.swaps(s.radiologists["credentials"], s.researchers["credentials"])
		restartsAll(s.t, s.radiologist.replicas) // none has them in memory
	},
	"each one's records under all of the other's names": func(s *written) {
		for kind := range s.radiologists {
			s.swaps(s.radiologists[kind], s.researchers["session"])
		}
	},
	"records cut in half": func(s *written) {
		for _, key := range s.all() {
			value := s.value(key)
			s.puts(key, value[:len(value)/2])
		}
	},
	"one bit of each record changed": func(s *written) {
		for _, key := range s.all() {
			value := []byte(s.value(key))
			value[len(value)-1] ^= 1
			s.puts(key, string(value))
		}
	},
	"records of 64 MiB": func(s *written) {
		for _, key := range s.all() {
			s.must(s.client.SetRange(s.ctx, key, 64<<20-1, "x").Err())
		}
	},
	"lists in the place of records": func(s *written) {
		for _, key := range s.all() {
			s.must(s.client.Del(s.ctx, key).Err(), s.client.LPush(s.ctx, key, "x").Err())
		}
	},
}

// What they gain is that people are signed out, or refused. Nobody becomes another
// person, or reads what is theirs, and the replicas go on.
func TestWhoWritesToTheStatesServerBecomesNobody(t *testing.T) {
	attacked := map[string]*written{}
	for name := range writings {
		attacked[name] = signedInForWriting(t)
	}
	large := attacked["records of 64 MiB"]
	before := large.sent()
	for name, s := range attacked { // all of them first: replicas remember for a moment
		writings[name](s)
	}
	for name, s := range attacked {
		t.Run(name, func(t *testing.T) {
			s.sees(t)
			s.areNobodyElse()
		})
	}
	large.sees(t)
	if sent := large.sent() - before; sent > 16<<20 {
		t.Errorf("the replicas have read %d MiB", sent>>20)
	}
	g := guestAs(t, "both", 1)
	g.reads(g.own("both"))
}

// Records of before, put back after a logout, are the session that they were, to
// who still has its cookie, and no more: the browser that signed out has none, and
// nobody else becomes that person.
func TestARecordThatIsPutBackIsNobodyElses(t *testing.T) {
	s := signedInForWriting(t)
	kept := s.radiologist.twin()
	was := map[string]string{}
	for _, key := range s.radiologists {
		was[key] = s.value(key)
	}
	task, others := kept.own("radiologist"), kept.own("researcher")
	s.radiologist.mustBe(s.radiologist.through(0).asks("GET", kept.demo.Public+"/logout", nil, asPage...), http.StatusSeeOther)
	kept.becomes(task, http.StatusUnauthorized, http.StatusOK)
	for key, value := range was {
		s.must(s.client.Set(s.ctx, key, value, time.Minute).Err())
	}
	for i := range kept.replicas.Each {
		kept.isNobodyElse(i, others, s.researcher.account("researcher").Email)
		s.researcher.isNobodyElse(i, task, s.radiologist.account("radiologist").Email)
		s.radiologist.mustBe(s.radiologist.through(i).fetches(task.ID, task.URI), http.StatusUnauthorized)
	}
	kept.reads(task)
	s.researcher.reads(others)
}

// written are two people's sessions, and the keys that their logins have made at
// the server, by kind.
type written struct {
	t                         *testing.T
	ctx                       context.Context
	client                    *redis.Client
	radiologist, researcher   guest
	radiologists, researchers map[string]string
}

func signedInForWriting(t *testing.T) *written {
	t.Helper()
	g := guests(t)
	s := &written{t: t, ctx: t.Context(), client: g.replicas.State.Client}
	s.radiologist, s.radiologists = s.signsIn("radiologist")
	s.researcher, s.researchers = s.signsIn("researcher")
	if s.radiologists["credentials"] == "" || s.radiologists["session"] == "" || !maps.EqualFunc(s.radiologists, s.researchers, func(one, other string) bool { return one != other }) {
		t.Fatalf("two logins have made keys of the kinds %v and %v", s.radiologists, s.researchers)
	}
	t.Cleanup(func() { // what is large must not stay
		for _, key := range s.all() {
			_ = s.client.Del(context.Background(), key).Err()
		}
	})
	return s
}

// signsIn gives the keys of records that a login makes: a session's, and that of its
// credentials.
func (s *written) signsIn(name string) (guest, map[string]string) {
	before := s.keys()
	g := guestAs(s.t, name, 0)
	g.reads(g.own(name))
	kinds := map[string]string{}
	for key := range s.keys() {
		kind, _, _ := strings.Cut(strings.TrimPrefix(key, stack.ValkeyPrefix), ":")
		if !before[key] && kind != "used" && s.client.Type(s.ctx, key).Val() == "string" {
			kinds[kind] = key
		}
	}
	return g, kinds
}

// sees has a test go on with what another began.
func (s *written) sees(t *testing.T) {
	s.t, s.ctx, s.radiologist.t, s.researcher.t = t, t.Context(), t, t
}

// sent is how many bytes the server has sent to anybody.
func (s *written) sent() int64 {
	s.t.Helper()
	said, err := s.client.Info(s.ctx, "stats").Result()
	s.must(err)
	_, rest, found := strings.Cut(said, "total_net_output_bytes:")
	number, _, _ := strings.Cut(rest, "\r")
	n, err := strconv.ParseInt(number, 10, 64)
	if !found || err != nil {
		s.t.Fatalf("the server does not say what it has sent: %v", err)
	}
	return n
}

func (s *written) keys() map[string]bool {
	s.t.Helper()
	all := map[string]bool{}
	each := s.client.Scan(s.ctx, 0, stack.ValkeyPrefix+"*", 100).Iterator()
	for each.Next(s.ctx) {
		all[each.Val()] = true
	}
	s.must(each.Err())
	return all
}

func (s *written) all() (keys []string) {
	for _, some := range []map[string]string{s.radiologists, s.researchers} {
		for key := range maps.Values(some) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (s *written) value(key string) string {
	s.t.Helper()
	value, err := s.client.Get(s.ctx, key).Result()
	s.must(err)
	return value
}

func (s *written) puts(key, value string) {
	s.t.Helper()
	s.must(s.client.Set(s.ctx, key, value, redis.KeepTTL).Err())
}

func (s *written) swaps(one, other string) {
	s.t.Helper()
	first, second := s.value(one), s.value(other)
	s.puts(one, second)
	s.puts(other, first)
}

func (s *written) must(all ...error) {
	s.t.Helper()
	for _, err := range all {
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// areNobodyElse says that each of the two is refused their own object soon, and
// gets nothing of the other's at any time.
func (s *written) areNobodyElse() {
	s.t.Helper()
	radiologys, researchs := s.radiologist.own("radiologist"), s.researcher.own("researcher")
	for _, c := range []struct {
		g           guest
		own, others stack.Task
		other       string
	}{
		{s.radiologist, radiologys, researchs, s.researcher.account("researcher").Email},
		{s.researcher, researchs, radiologys, s.radiologist.account("radiologist").Email},
	} {
		for i := range c.g.replicas.Each {
			within(s.t, time.Now(), "the answer of a replica", func() bool {
				c.g.isNobodyElse(i, c.others, c.other)
				asked := len(s3Saw(s.t))
				got := c.g.fetches(c.own.ID, c.own.URI)
				refused := got.StatusCode == http.StatusUnauthorized || got.StatusCode == http.StatusForbidden || got.StatusCode == http.StatusServiceUnavailable
				if refused && len(s3Saw(s.t)) != asked {
					s.t.Error("S3 was asked all the same")
				}
				return refused
			})
			c.g.isNobodyElse(i, c.others, c.other)
		}
	}
}

// isNobodyElse says that a replica gives nothing of another person's.
func (g guest) isNobodyElse(replica int, others stack.Task, email string) {
	g.t.Helper()
	if got := g.through(replica).fetches(others.ID, others.URI); got.StatusCode < http.StatusBadRequest {
		g.t.Errorf("replica %d answers %s for another person's object", replica, got.Status)
	}
	who := g.asks("GET", g.demo.Public+"/rolepass/whoami", nil, asPage...)
	if bytes.Contains(who.body, []byte(email)) {
		g.t.Fatalf("replica %d takes one for the other", replica)
	}
}
