package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// manager is a Label Studio with a Data Manager: tasks in projects, each with
// an object of its own. Every answer takes a moment.
type manager struct {
	t        *testing.T
	projects map[int64]int64 // by task
	listing  func(page []map[string]any) (status int, body any)

	mu    sync.Mutex
	asked []string
}

func newManager(t *testing.T) *manager {
	m := &manager{t: t, projects: map[int64]int64{}}
	for task := int64(1); task <= 100; task++ {
		m.projects[task] = 12
	}
	for task := int64(201); task <= 300; task++ {
		m.projects[task] = 14
	}
	return m
}

func (m *manager) client() *client.Client {
	c := client.New(&url.URL{Scheme: "http", Host: "label-studio.test"}, &http.Client{Transport: m}, time.Now)
	c.ByProject = true
	return c
}

func (m *manager) task(id int64) map[string]any {
	return map[string]any{"id": id, "project": m.projects[id], "data": map[string]any{"image": fmt.Sprintf("s3://b/%d.png", id)}}
}

func (m *manager) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	m.asked = append(m.asked, r.Header.Get("Authorization")+" "+r.URL.Path)
	m.mu.Unlock()
	time.Sleep(50 * time.Millisecond) // of the bubble's time
	status, body := 404, any(map[string]any{})
	query := r.URL.Query()
	if r.URL.Path == "/api/tasks/" && query.Has("page") {
		status, body = m.opened(query)
	} else if r.URL.Path == "/api/tasks/" {
		status, body = m.page(query)
	} else if id, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(r.URL.Path, "/api/tasks/"), "/"), 10, 64); err == nil && m.projects[id] != 0 {
		status, body = 200, m.task(id)
	}
	if query.Get("resolve_uri") != "false" {
		m.t.Errorf("asked %s", r.URL)
	}
	text, _ := json.Marshal(body)
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(string(text))), Request: r}, nil
}

// page lists the selected tasks of the project, as the Data Manager does.
func (m *manager) page(query url.Values) (int, any) {
	var selection struct {
		SelectedItems struct {
			All      bool    `json:"all"`
			Included []int64 `json:"included"`
		} `json:"selectedItems"`
	}
	project, err := strconv.ParseInt(query.Get("project"), 10, 64)
	if err != nil || json.Unmarshal([]byte(query.Get("query")), &selection) != nil || selection.SelectedItems.All || len(selection.SelectedItems.Included) > 100 {
		m.t.Errorf("asked with %v", query)
	}
	page := []map[string]any{}
	for id, of := range m.projects {
		if of == project && slices.Contains(selection.SelectedItems.Included, id) {
			page = append(page, m.task(id))
		}
	}
	if m.listing != nil {
		return m.listing(page)
	}
	return 200, map[string]any{"total": len(page), "tasks": page}
}

// questions gives what was asked since the last call, and how much of it was a
// list.
func (m *manager) questions() (all, lists int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, asked := range m.asked {
		if strings.HasSuffix(asked, "/api/tasks/") {
			lists++
		}
	}
	all = len(m.asked)
	m.asked = nil
	return all, lists
}

// page asks for tasks all at once, as a page does, and expects each to be
// answered with its own object and project.
func (m *manager) shows(c *client.Client, asker client.Asker, from, to int64) {
	m.t.Helper()
	var all sync.WaitGroup
	for task := from; task <= to; task++ {
		all.Go(func() {
			answer, err := c.Task(m.t.Context(), asker, task)
			own, other := fmt.Sprintf("%d.png", task), fmt.Sprintf("%d.png", task+1)
			if err != nil || answer.Place != (grants.Place{Project: m.projects[task]}) ||
				!answer.Names(presign.Location{Bucket: "b", Key: own}) || answer.Names(presign.Location{Bucket: "b", Key: other}) {
				m.t.Errorf("task %d: %+v, %v", task, answer, err)
			}
		})
	}
	all.Wait()
}

func TestAPageIsFewQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t)
		c := m.client()
		for _, page := range []struct{ from, to, all, lists int64 }{
			{1, 30, 3, 2},    // nothing is known: one task by itself tells the project
			{31, 60, 2, 2},   // those that came first at once, the others together
			{1, 60, 0, 0},    // all kept
			{201, 230, 4, 3}, // another project: looked for here, found there
			{231, 260, 2, 2},
		} {
			m.shows(c, ada, page.from, page.to)
			if all, lists := m.questions(); int64(all) > page.all || int64(lists) > page.lists {
				t.Errorf("tasks %d to %d are %d questions, %d of them lists; want %d, %d", page.from, page.to, all, lists, page.all, page.lists)
			}
		}
	})
}

// However the list fails, each task is answered by itself.
func TestAListThatIsNoAnswer(t *testing.T) {
	for name, listing := range map[string]func([]map[string]any) (int, any){
		"breaks":        func([]map[string]any) (int, any) { return 500, nil },
		"is not theirs": func([]map[string]any) (int, any) { return 403, nil },
		"is no list":    func([]map[string]any) (int, any) { return 200, []int{1} },
		"is empty":      func([]map[string]any) (int, any) { return 200, map[string]any{"tasks": []any{}} },
		"has too many": func(page []map[string]any) (int, any) {
			return 200, map[string]any{"tasks": slices.Repeat(page, 101)}
		},
		"has a project not asked": func(page []map[string]any) (int, any) {
			page[0]["project"] = 99
			return 200, map[string]any{"tasks": page}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t)
				m.listing = listing
				m.shows(m.client(), ada, 1, 30)
				if all, lists := m.questions(); all-lists != 30 {
					t.Errorf("%d tasks were asked for by themselves", all-lists)
				}
			})
		})
	}
}

func TestATaskThatNobodyHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t)
		c := m.client()
		m.shows(c, ada, 1, 1)
		var all sync.WaitGroup
		for _, task := range []int64{2, 999, 3, 998} {
			all.Go(func() {
				_, err := c.Task(t.Context(), ada, task)
				var r *refusal.Refusal
				if theirs := task < 100; theirs && err != nil || !theirs && (!errors.As(err, &r) || r.Code != client.CodeNotTheirs) {
					t.Errorf("task %d: %v", task, err)
				}
			})
		}
		all.Wait()
	})
}

func TestPartiesAreAskedForApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t)
		c := m.client()
		eve := client.Asker{Session: ada.Session, Credential: "8", Authorization: "Bearer token-of-eve"}
		elsewhere := client.Asker{Session: "session-elsewhere", Credential: ada.Credential, Authorization: "Bearer token-elsewhere"}
		var all sync.WaitGroup
		for _, asker := range []client.Asker{ada, eve, elsewhere} {
			all.Go(func() { m.shows(c, asker, 1, 30) })
		}
		all.Wait()
		as := map[string]int{}
		for _, asked := range m.asked {
			as[strings.Fields(asked)[1]]++
		}
		if min(as["token-of-ada"], as["token-of-eve"], as["token-elsewhere"]) < 2 || len(m.asked) > 9 {
			t.Errorf("asked as %v, want each of the three, twice or three times", as)
		}
	})
}

func TestForgetDropsAQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t)
		c := m.client()
		var all sync.WaitGroup
		for task := int64(1); task <= 30; task++ {
			all.Go(func() {
				_, err := c.Task(t.Context(), ada, task)
				isRefused(t, err, refusal.Unauthenticated, client.CodeForgotten)
			})
		}
		synctest.Wait()
		c.Forget(ada.Session)
		all.Wait()
		time.Sleep(time.Second)
		if answers, bytes, sessions := c.Held(); answers+bytes+sessions != 0 {
			t.Errorf("%d answers are kept all the same", answers)
		}
		if all, _ := m.questions(); all > 1 {
			t.Errorf("%d questions were sent for a session that is gone", all)
		}
		m.shows(c, ada, 1, 30)
	})
}
