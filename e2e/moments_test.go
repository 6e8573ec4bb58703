package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/stack"
)

// BenchmarkLogin signs in with five roles, and compares what that takes in
// Rolepass with the slowest of its calls of STS, by Rolepass's own spans.
//
//	go test ./e2e -run '^$' -bench 'Login|FirstPage' -benchtime 20x
func BenchmarkLogin(b *testing.B) {
	before := len(logins(b))
	n := 0
	for b.Loop() {
		visits(b).signsIn("ward")
		n++
	}
	all := eventually(b, "spans of all logins", func() ([]login, bool) {
		all := logins(b)
		return all, len(all)-before >= n
	})[before:]
	var took, slowest, ratio, account []float64
	for _, l := range all {
		if len(l.sts) != wards {
			b.Fatalf("a login has %d calls of STS", len(l.sts))
		}
		took = append(took, l.took)
		slowest = append(slowest, slices.Max(l.sts))
		account = append(account, l.account)
		ratio = append(ratio, l.took/slices.Max(l.sts))
	}
	b.ReportMetric(middle(took), "ms/login")
	b.ReportMetric(middle(slowest), "ms/slowest-STS")
	b.ReportMetric(middle(account), "ms/account")
	b.ReportMetric(middle(ratio), "login/slowest-STS")
}

// login is one login, in milliseconds.
type login struct {
	took, account float64
	sts           []float64
}

// logins are the ward's so far that came about, in the order of their ends.
func logins(t testing.TB) (all []login) {
	t.Helper()
	spans, err := running(t).Spans()
	if err != nil {
		t.Fatal(err)
	}
	below := map[string]*login{}
	for _, s := range spans { // those below a decision end before it
		l := below[s.Trace]
		if l == nil {
			l = &login{}
			below[s.Trace] = l
		}
		ms := float64(s.Took.Microseconds()) / 1000
		switch s.Name {
		case "AssumeRoleWithSAML":
			l.sts = append(l.sts, ms)
		case "sign in to the application":
			l.account = ms
		case "check login":
			if l.took = ms; len(l.sts) >= wards {
				all = append(all, *l)
			}
		}
	}
	return all
}

// BenchmarkFirstPage loads a page of thirty objects after a login, and again,
// and compares the first with the second and three answers of Label Studio to
// the question that a page is for Rolepass.
func BenchmarkFirstPage(b *testing.B) {
	var first, again, answer, ratio []float64
	m := visits(b).asMember("radiologist")
	project := m.project("Radiology")
	tasks := readable(project, "radiologist")[:30]
	question := fmt.Sprintf("/api/tasks/?project=%d&page=1&page_size=30&include=id,project,data&resolve_uri=false", project.ID)
	for b.Loop() {
		v := visits(b)
		v.signsIn("radiologist")
		one, two := v.page(project, tasks), v.page(project, tasks)
		three := milliseconds(func() {
			for range 3 {
				m.mustBe(m.directly("GET", question, "", ""), http.StatusOK)
			}
		})
		first, again, answer = append(first, one), append(again, two), append(answer, three/3)
		ratio = append(ratio, one/(two+three))
	}
	b.ReportMetric(middle(first), "ms/first")
	b.ReportMetric(middle(again), "ms/again")
	b.ReportMetric(middle(answer), "ms/answer")
	b.ReportMetric(middle(ratio), "first/(again+3-answers)")
}

// page loads what the Data Manager does: the list, and its objects six at a time.
func (v *visitor) page(project stack.Project, tasks []stack.Task) (ms float64) {
	return milliseconds(func() {
		v.mustBe(v.asks("GET", fmt.Sprintf("%s/api/tasks?page=1&page_size=30&project=%d", v.demo.Public, project.ID), nil, asScript...), http.StatusOK)
		for sixth := range slices.Chunk(tasks, 6) {
			var together sync.WaitGroup
			for _, task := range sixth {
				together.Go(func() {
					if got := v.fetches(task.ID, task.URI); got.StatusCode != http.StatusOK {
						v.t.Errorf("task %d: %s", task.ID, got.Status)
					}
				})
			}
			together.Wait()
		}
	})
}

func milliseconds(do func()) float64 {
	began := time.Now()
	do()
	return float64(time.Since(began).Microseconds()) / 1000
}

// middle is the median.
func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// eventually waits until something is there, with patience.
func eventually[T any](t testing.TB, what string, look func() (T, bool)) T {
	t.Helper()
	deadline := time.After(logPatience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if got, ok := look(); ok {
			return got
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// A login and a fetch have their spans, with what was waited for and nothing
// that the audit does not have: TestMain looks for secrets in them.
func TestALoginAndAFetchAreTraced(t *testing.T) {
	v := visits(t)
	before := len(logins(t))
	v.signsIn("ward")
	task := readable(v.project("Research"), "researcher")[0]
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
	eventually(t, "the login's spans", func() ([]login, bool) { all := logins(t); return all, len(all) > before })
	eventually(t, "the fetch's span", func() (stack.Span, bool) {
		spans, err := running(t).Spans()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range spans {
			if s.Root && s.Name == "check fetch" && s.Attributes["rolepass.code"] == "stream" && s.Attributes["rolepass.session"] != "" {
				return s, true
			}
		}
		return stack.Span{}, false
	})
}
