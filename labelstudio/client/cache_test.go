package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// studio is a Label Studio without a network, so that time can be a test's.
type studio struct {
	slow    time.Duration // of every answer
	status  atomic.Int64  // 0 is 200
	asked   atomic.Int64
	now     atomic.Int64 // questions being answered
	most    atomic.Int64 // of now
	data    string
	panicks bool
}

func (s *studio) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked.Add(1)
	now := s.now.Add(1)
	defer s.now.Add(-1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
	if s.panicks {
		panic("canary")
	}
	if s.slow > 0 {
		select {
		case <-time.After(s.slow):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	var id int64
	if _, err := fmt.Sscanf(r.URL.Path, "/api/tasks/%d/", &id); err != nil {
		return nil, err
	}
	status := int(s.status.Load())
	if status == 0 {
		status = 200
	}
	data := s.data
	if data == "" {
		data = `{"image": "s3://b/k"}`
	}
	body := fmt.Sprintf(`{"id": %d, "project": 12, "data": %s}`, id, data)
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (s *studio) client() *client.Client {
	return client.New(&url.URL{Scheme: "http", Host: "label-studio.test"}, &http.Client{Transport: s}, time.Now)
}

// asks asks for a task and says how many requests have been sent since the start.
func (s *studio) asks(t *testing.T, c *client.Client, asker client.Asker, task int64) int64 {
	t.Helper()
	answer, err := c.Task(t.Context(), asker, task)
	if s.status.Load() == 0 && (err != nil || !answer.Names(presign.Location{Bucket: "b", Key: "k"})) {
		t.Errorf("task %d: %+v, %v", task, answer, err)
	}
	return s.asked.Load()
}

func TestAnAnswerServesForAMinuteAndItsAskerOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &studio{}
		c := s.client()
		s.asks(t, c, ada, 3)
		time.Sleep(59 * time.Second)
		if n := s.asks(t, c, ada, 3); n != 1 {
			t.Errorf("%d questions after 59 s", n)
		}
		time.Sleep(time.Second)
		if n := s.asks(t, c, ada, 3); n != 2 {
			t.Errorf("%d questions after 60 s", n)
		}
		for name, asker := range map[string]client.Asker{
			"another session":    {Session: "session-eve", Credential: ada.Credential, Authorization: ada.Authorization},
			"another credential": {Session: ada.Session, Credential: "8", Authorization: ada.Authorization},
			"cut differently":    {Session: ada.Session + "7", Credential: "", Authorization: ada.Authorization},
		} {
			before := s.asked.Load()
			if n := s.asks(t, c, asker, 3); n != before+1 {
				t.Errorf("%s got ada's answer", name)
			}
		}
		before := s.asked.Load()
		if n := s.asks(t, c, ada, 4); n != before+1 {
			t.Error("another task got the answer")
		}
	})
}

func TestANoServesForSecondsAndAFailureNotAtAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			status int64
			kept   time.Duration
		}{{404, 3 * time.Second}, {403, 3 * time.Second}, {401, 3 * time.Second}, {500, 0}, {503, 0}} {
			s := &studio{}
			s.status.Store(c.status)
			cl := s.client()
			s.asks(t, cl, ada, 3)
			if c.kept > 0 {
				time.Sleep(c.kept - time.Millisecond)
				if n := s.asks(t, cl, ada, 3); n != 1 {
					t.Errorf("%d is asked again within %v", c.status, c.kept)
				}
				time.Sleep(time.Millisecond)
			}
			s.status.Store(0)
			if n := s.asks(t, cl, ada, 3); n != 2 {
				t.Errorf("%d is kept for longer than %v", c.status, c.kept)
			}
		}
	})
}

func TestOneQuestionServesAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &studio{slow: time.Second}
		c := s.client()
		first, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() {
			_, err := c.Task(first, ada, 3)
			left <- err
		}()
		synctest.Wait()
		var served sync.WaitGroup
		for range 30 {
			served.Go(func() { s.asks(t, c, ada, 3) })
		}
		synctest.Wait()
		leave() // the one who asked closes the tab
		err := <-left
		isRefused(t, err, refusal.Unavailable, client.CodeUnavailable)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the cause is %v", errors.Unwrap(err))
		}
		served.Wait()
		if n := s.asked.Load(); n != 1 {
			t.Errorf("%d questions for one task", n)
		}
	})
}

func TestAQuestionEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &studio{slow: time.Hour}
		start := time.Now()
		_, err := s.client().Task(context.Background(), ada, 3)
		isRefused(t, err, refusal.Unavailable, client.CodeUnavailable)
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestForgetDropsOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &studio{}
		c := s.client()
		eve := client.Asker{Session: "session-eve", Credential: "8"}
		for task := int64(1); task <= 3; task++ {
			s.asks(t, c, ada, task)
			s.asks(t, c, eve, task)
		}
		c.Forget(ada.Session)
		if answers, _, sessions := c.Held(); answers != 3 || sessions != 1 {
			t.Errorf("%d answers of %d sessions are left", answers, sessions)
		}
		if n := s.asks(t, c, eve, 1); n != 6 {
			t.Error("another session's answers are gone")
		}
		if n := s.asks(t, c, ada, 1); n != 7 {
			t.Error("a forgotten answer still serves")
		}
	})
}

func TestForgetDropsAnswersOnTheirWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &studio{slow: time.Second}
		c := s.client()
		waits := make(chan error, 1)
		go func() {
			_, err := c.Task(t.Context(), ada, 3)
			waits <- err
		}()
		others := make(chan error, 1)
		go func() {
			_, err := c.Task(t.Context(), client.Asker{Session: "session-eve", Credential: "8"}, 3)
			others <- err
		}()
		synctest.Wait()
		c.Forget(ada.Session)
		if err := <-others; err != nil {
			t.Errorf("another session's question ended too: %v", err)
		}
		c.Forget("session-eve")
		isRefused(t, <-waits, refusal.Unauthenticated, client.CodeForgotten)
		time.Sleep(2 * time.Second) // the answer arrives
		if answers, bytes, sessions := c.Held(); answers+bytes+sessions != 0 {
			t.Errorf("it is kept all the same: %d, %d, %d", answers, bytes, sessions)
		}
		if n := s.asks(t, c, ada, 3); n != 3 {
			t.Errorf("%d questions", n)
		}
	})
}

func TestLabelStudioIsNotFlooded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &studio{slow: time.Second}
		c := s.client()
		var all sync.WaitGroup
		var busy, late, served atomic.Int64
		for task := range int64(2000) {
			all.Go(func() {
				_, err := c.Task(t.Context(), person(task), task+1)
				var r *refusal.Refusal
				switch {
				case err == nil:
					served.Add(1)
				case errors.As(err, &r) && r.Code == client.CodeBusy:
					busy.Add(1)
				case errors.As(err, &r) && r.Code == client.CodeUnavailable:
					late.Add(1)
				}
			})
		}
		all.Wait()
		if most := s.most.Load(); most != 32 {
			t.Errorf("%d questions at once, want 32", most)
		}
		if busy.Load() != 2000-1024 || served.Load() == 0 || served.Load()+late.Load() != 1024 {
			t.Errorf("%d served, %d late, %d turned away", served.Load(), late.Load(), busy.Load())
		}
	})
}

// person is one of many people.
func person(n int64) client.Asker {
	return client.Asker{Session: fmt.Sprint("session ", n), Credential: fmt.Sprint("person ", n), Authorization: "Bearer token"}
}

// Who asks for thousands of tasks, in as many sessions as they like, has half of
// the turns and of the places, and nobody else waits for them; three who do so
// leave a place to the next.
func TestOnePersonKeepsNobodyWaiting(t *testing.T) {
	for name, how := range map[string]struct{ byProject, credentials bool }{"by task": {}, "by project": {byProject: true}, "with ever new credentials": {credentials: true}} {
		for flooding := range int64(3) {
			t.Run(fmt.Sprintf("%s, %d of them", name, flooding+1), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &studio{slow: time.Second}
					c := s.client()
					c.ByProject = how.byProject
					var all sync.WaitGroup
					for who := range flooding + 1 {
						for task := range int64(2000) {
							asker := person(who)
							asker.Session = fmt.Sprint(asker.Session, " in window ", task)
							if how.credentials {
								asker.Person, asker.Credential = asker.Credential, fmt.Sprint("cookie ", who, task)
							}
							all.Go(func() { c.Task(t.Context(), asker, task+1) })
						}
						synctest.Wait()
						if most := min(16*(who+1), 32); s.now.Load() != most {
							t.Errorf("%d turns are theirs, want %d", s.now.Load(), most)
						}
					}
					began := time.Now()
					s.asks(t, c, ada, 7)
					if took := time.Since(began); flooding == 0 && took != time.Second || took > 3*time.Second {
						t.Errorf("somebody else waited %s", took)
					}
					all.Wait()
				})
			})
		}
	}
}

// Made-up tokens take few turns, whoever sends how many: a person who asks
// meanwhile is answered as if nobody else were there. What Label Studio says of
// them is not kept.
func TestMadeUpTokensKeepNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &studio{slow: time.Second}
		c := s.client()
		var all sync.WaitGroup
		var busy atomic.Int64
		made := func(n int) client.Asker {
			name := fmt.Sprint("token ", n)
			return client.Asker{Session: name, Credential: name, Authorization: "Token made-up", From: everywhere(n)}
		}
		for n := range 2000 {
			all.Go(func() {
				_, err := c.Owner(t.Context(), made(n))
				var r *refusal.Refusal
				if errors.As(err, &r) && r.Code == client.CodeBusy {
					busy.Add(1)
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		s.asks(t, c, ada, 7)
		if took := time.Since(began); took != time.Second {
			t.Errorf("a person waited %s", took)
		}
		all.Wait()
		if busy.Load() != 2000-8 || s.most.Load() != 8+1 {
			t.Errorf("%d were turned away, %d asked at once", busy.Load(), s.most.Load())
		}
		before := s.asked.Load()
		for range 2 {
			if _, err := c.Owner(t.Context(), made(0)); err == nil {
				t.Error("a made-up token is somebody's")
			}
		}
		if s.asked.Load() != before+2 {
			t.Error("a no was kept")
		}
	})
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	s := &studio{data: `{"image": "s3://b/k", "other": "s3://b/` + strings.Repeat("x", 900) + `"}`}
	c := s.client()
	c.MaxBytes = 20_000
	for task := int64(1); task <= 100; task++ {
		s.asks(t, c, ada, task)
	}
	if answers, bytes, _ := c.Held(); bytes > 20_000 || answers < 5 {
		t.Errorf("%d answers of %d bytes are kept", answers, bytes)
	}
	if n := s.asks(t, c, ada, 100); n != 100 {
		t.Error("the latest answer is gone")
	}
	if n := s.asks(t, c, ada, 1); n != 101 {
		t.Error("the oldest answer is still there")
	}
	c.Forget(ada.Session)
	if answers, bytes, sessions := c.Held(); answers != 0 || bytes != 0 || sessions != 0 {
		t.Errorf("after all is forgotten %d answers, %d bytes, %d sessions are left", answers, bytes, sessions)
	}
}

// TestWhatHasExpiredIsNotKept: memory follows what is in use, not all that was
// asked since the start.
func TestWhatHasExpiredIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &studio{}
		c := s.client()
		for task := int64(1); task <= 100; task++ {
			s.asks(t, c, ada, task)
			time.Sleep(6 * time.Second)
		}
		if answers, _, _ := c.Held(); answers != 10 {
			t.Errorf("%d answers of the last minute are kept; one came every six seconds", answers)
		}
	})
}

func TestAPanicIsNoAnswer(t *testing.T) {
	s := &studio{panicks: true}
	_, err := s.client().Task(t.Context(), ada, 3)
	isRefused(t, err, refusal.Unavailable, client.CodeUnavailable)
}

func BenchmarkTaskKept(b *testing.B) {
	s := &studio{}
	c := s.client()
	location := presign.Location{Bucket: "b", Key: "k"}
	b.ReportAllocs()
	for b.Loop() {
		answer, err := c.Task(b.Context(), ada, 3)
		if err != nil || !answer.Names(location) {
			b.Fatal(err)
		}
	}
}
