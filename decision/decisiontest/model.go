package decisiontest

import (
	"slices"
	"strings"
	"time"
)

// Limits that the real parts have, written down again.
const (
	idle, absolute = time.Hour, 8 * time.Hour
	// seenEvery is how precisely the last use of a session is remembered.
	seenEvery = time.Minute
	// A yes of the application is used for a minute, a no for three seconds.
	keepYes, keepNo = time.Minute, 3 * time.Second
	// margin is how long credentials must be good for to be used.
	margin = 30 * time.Second
)

// Model is the reference: plain lists, read from the start each time.
type Model struct {
	Now      time.Time
	Grants   []Grant
	Tasks    map[int64]Task
	Sessions []*Session

	kept map[asked]known
}

// Grant lets a role read what begins with a prefix, in one project; 0 is
// every project.
type Grant struct {
	Role, Bucket, Prefix string
	Project              int64
}

// Task is what the application says of a task; Theirs are the users it says
// it to.
type Task struct {
	Project int64
	Theirs  []int64
	URIs    []string
}

// Session is one login.
type Session struct {
	Cookie string
	User   int64
	Roles  []string
	Began  time.Time
	Seen   time.Time
	Ended  bool
	// Until is when the credentials of each role end.
	Until map[string]time.Time
}

// Question is one fetch. Who is nil when nobody asks.
type Question struct {
	Who         *Session
	Task        int64
	Bucket, Key string
	Dest        string
	// Foreign says that a page of another origin asks.
	Foreign bool
	Method  string
}

// Verdict is the answer: Code is "stream" for a yes, which has a Role.
type Verdict struct {
	Code string
	Role string
}

// Yes says whether the object may be read.
func (v Verdict) Yes() bool { return v.Code == "stream" }

type asked struct {
	cookie string
	task   int64
}

type known struct {
	task  Task
	yes   bool
	until time.Time
}

// Decide answers a question, in the order in which the design tells it.
func (m *Model) Decide(q Question) Verdict {
	if !m.alive(q.Who) {
		return Verdict{Code: "no_session"}
	}
	if q.Method != "GET" && q.Method != "HEAD" {
		return Verdict{Code: "fetch_method"}
	}
	if q.Dest == "script" || q.Dest == "worker" || q.Dest == "style" || q.Dest == "object" {
		return Verdict{Code: "fetch_destination"}
	}
	if q.Foreign {
		return Verdict{Code: "cross_origin"}
	}
	if q.Bucket != "imaging" && q.Bucket != "foreign" {
		return Verdict{Code: "bucket_unknown"}
	}
	var matching []Grant
	for _, g := range m.Grants {
		if slices.Contains(q.Who.Roles, g.Role) && g.Bucket == q.Bucket && strings.HasPrefix(q.Key, g.Prefix) {
			matching = append(matching, g)
		}
	}
	if len(matching) == 0 {
		return Verdict{Code: "no_grant"}
	}
	task, yes := m.app(q.Who, q.Task)
	if !yes {
		return Verdict{Code: "app_not_theirs"}
	}
	if !slices.Contains(task.URIs, "s3://"+q.Bucket+"/"+q.Key) {
		return Verdict{Code: "not_in_task"}
	}
	var best *Grant
	for _, g := range matching {
		if (g.Project == 0 || g.Project == task.Project) && (best == nil || narrower(g, *best)) {
			best = &g
		}
	}
	if best == nil {
		return Verdict{Code: "no_grant_here"}
	}
	if q.Who.Until[best.Role].Sub(m.Now) <= 0 {
		return Verdict{"credentials_gone", best.Role}
	}
	if q.Bucket == "foreign" { // whose credentials are another token service's
		return Verdict{"not_signed", best.Role}
	}
	if q.Who.Until[best.Role].Sub(m.Now) < margin {
		return Verdict{"credentials_gone", best.Role}
	}
	return Verdict{"stream", best.Role}
}

// narrower says that a grant counts before another: the longer prefix, then a
// project before everywhere. The first of the list stays.
func narrower(g, than Grant) bool {
	if len(g.Prefix) != len(than.Prefix) {
		return len(g.Prefix) > len(than.Prefix)
	}
	return g.Project != 0 && than.Project == 0
}

// alive says whether a session lives, and notes its use.
func (m *Model) alive(s *Session) bool {
	if s == nil || s.Ended || m.Now.Sub(s.Began) >= absolute || m.Now.Sub(s.Seen) >= idle {
		return false
	}
	if m.Now.Sub(s.Seen) >= seenEvery {
		s.Seen = m.Now
	}
	return true
}

// app is what the application says to a session about a task, which is used
// for a while.
func (m *Model) app(s *Session, id int64) (Task, bool) {
	key := asked{s.Cookie, id}
	if k, ok := m.kept[key]; ok && m.Now.Before(k.until) {
		return k.task, k.yes
	}
	task, ok := m.Tasks[id]
	k := known{task, ok && slices.Contains(task.Theirs, s.User), m.Now.Add(keepNo)}
	if k.yes {
		k.until = m.Now.Add(keepYes)
	}
	if m.kept == nil {
		m.kept = map[asked]known{}
	}
	m.kept[key] = k
	return k.task, k.yes
}
