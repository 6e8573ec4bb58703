package client_test

import (
	"net/url"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/refusal"
)

// opened lists a page of a project, in the order of numbers.
func (m *manager) opened(query url.Values) (int, any) {
	number := func(name string) int64 { n, _ := strconv.ParseInt(query.Get(name), 10, 64); return n }
	first := map[int64]int64{12: 1, 14: 201}[number("project")] + (number("page")-1)*number("page_size")
	page := []map[string]any{}
	for id := first; id < first+number("page_size"); id++ {
		if m.projects[id] == number("project") {
			page = append(page, m.task(id))
		}
	}
	if m.listing != nil {
		return m.listing(page)
	}
	return 200, map[string]any{"total": len(page), "tasks": page}
}

// shownInSixes asks as a browser over HTTP/1.1 does: six at a time.
func (m *manager) shownInSixes(c *client.Client, asker client.Asker, from, to int64) {
	for ; from <= to; from += 6 {
		m.shows(c, asker, from, min(from+5, to))
	}
}

func TestAnOpenedPageIsOneQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t)
		c := m.client()
		c.Opened(ada, client.Page{Project: 12, View: 3, Number: 1, Size: 30})
		for _, page := range []struct{ from, to, questions int64 }{
			{1, 30, 1},  // the page itself
			{1, 30, 0},  // all kept
			{31, 36, 2}, // not on it, but in the project
		} {
			m.shownInSixes(c, ada, page.from, page.to)
			if all, _ := m.questions(); int64(all) > page.questions {
				t.Errorf("tasks %d to %d are %d questions, want %d at most", page.from, page.to, all, page.questions)
			}
		}
		c.Opened(ada, client.Page{Project: 14, Number: 2, Size: 30})
		m.shows(c, ada, 231, 260)
		if all, _ := m.questions(); all != 1 {
			t.Errorf("the next page, all at once, is %d questions", all)
		}
		time.Sleep(time.Minute)
		m.shownInSixes(c, ada, 231, 260)
		if all, _ := m.questions(); all != 1 {
			t.Errorf("the same page a minute later is %d questions", all)
		}
	})
}

// What the page says counts for the asker who opened it, and not after they
// have gone.
func TestAnOpenedPageIsOfOneParty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t)
		c := m.client()
		eve := client.Asker{Session: ada.Session, Credential: "8", Authorization: "Bearer token-of-eve"}
		c.Opened(ada, client.Page{Project: 12, Number: 1, Size: 30})
		m.shows(c, ada, 1, 1)
		m.questions()
		m.shows(c, eve, 2, 2)
		if all, _ := m.questions(); all != 1 {
			t.Errorf("another credential of the session got by with %d questions", all)
		}

		c.Opened(ada, client.Page{Project: 14, Number: 1, Size: 30})
		var waiting sync.WaitGroup
		waiting.Go(func() {
			_, err := c.Task(t.Context(), ada, 201)
			isRefused(t, err, refusal.Unauthenticated, client.CodeForgotten)
		})
		synctest.Wait() // the page is on its way
		c.Forget(ada.Session)
		waiting.Wait()
		time.Sleep(time.Second)
		if answers, bytes, sessions := c.Held(); answers+bytes+sessions != 0 {
			t.Errorf("%d answers of a page that came after the logout are kept", answers)
		}
	})
}

// A page that is no answer costs one question and changes no answer.
func TestAnOpenedPageThatIsNoAnswer(t *testing.T) {
	for name, listing := range map[string]func([]map[string]any) (int, any){
		"breaks":   func([]map[string]any) (int, any) { return 500, nil },
		"is empty": func([]map[string]any) (int, any) { return 200, map[string]any{"tasks": []any{}} },
		"has a project not asked": func(page []map[string]any) (int, any) {
			page[0]["project"] = 99
			return 200, map[string]any{"tasks": page}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t)
				m.listing = listing
				c := m.client()
				c.Opened(ada, client.Page{Project: 12, Number: 1, Size: 30})
				m.shows(c, ada, 1, 3)
				if _, lists := m.questions(); lists > 4 {
					t.Errorf("%d lists were asked for", lists)
				}
			})
		})
	}
}
