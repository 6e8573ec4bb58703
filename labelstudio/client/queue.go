package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"github.com/rolepass/rolepass/grants"
)

// maxTogether is how many tasks are asked for at once.
const maxTogether = 100

// party is one credential of one session: what may be asked for together.
type party struct{ session, credential string }

// queue is what a party waits for while one question of it is on its way. The
// first task of a page goes at once, the others follow together.
type queue struct {
	asker   Asker
	waiting []waiter
}

// waiter is a task on its way and the flight that it lands on.
type waiter struct {
	question
	flight *flight
}

// enqueue lets the task wait with the others of its party; the caller holds the
// lock.
func (c *Client) enqueue(ctx context.Context, asker Asker, q question, f *flight) {
	p := party{q.session, q.credential}
	line := c.queues[p]
	if line == nil {
		line = &queue{}
		c.queues[p] = line
		go c.serve(ctx, p, line)
	}
	line.asker = asker // the latest, whose bearer lives longest
	line.waiting = append(line.waiting, waiter{q, f})
}

// serve answers a queue until it is empty.
func (c *Client) serve(ctx context.Context, p party, line *queue) {
	for {
		c.mu.Lock()
		line.waiting = c.settled(slices.DeleteFunc(line.waiting, forgotten))
		n := min(len(line.waiting), maxTogether)
		waiters, asker := line.waiting[:n:n], line.asker
		line.waiting = line.waiting[n:]
		project, _ := c.lately.Get(p)
		if n == 0 {
			delete(c.queues, p)
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		c.together(ctx, p, asker, project, waiters)
	}
}

// forgotten says that nobody waits any more; the caller holds the lock.
func forgotten(w waiter) bool { return w.flight.ended }

// awaited leaves out what was forgotten meanwhile.
func (c *Client) awaited(waiters []waiter) []waiter {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(waiters, forgotten)
}

// together answers tasks by the page that the party has opened, or by the list
// of the project that it works in. A task that is not there is asked for by
// itself, and if it is in another project, the rest is looked for there.
func (c *Client) together(ctx context.Context, p party, asker Asker, project int64, waiters []waiter) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	waiters = c.page(ctx, p, asker, waiters)
	waiters = c.list(ctx, asker, project, waiters)
	if len(waiters) == 0 {
		return
	}
	first := waiters[0].flight
	c.fly(ctx, asker, waiters[0].question, first)
	waiters = waiters[1:]
	if elsewhere := first.answer.Place.Project; first.err == nil && elsewhere != project {
		c.mu.Lock()
		remember(c.lately, p, elsewhere)
		c.mu.Unlock()
		waiters = c.list(ctx, asker, elsewhere, waiters)
	}
	var all sync.WaitGroup
	for _, w := range c.awaited(waiters) {
		all.Go(func() { c.fly(ctx, asker, w.question, w.flight) })
	}
	all.Wait()
}

// list lands those of the tasks that the project has, and gives the others. It
// says nothing about those: the list may not answer, or they may be elsewhere.
func (c *Client) list(ctx context.Context, asker Asker, project int64, waiters []waiter) []waiter {
	waiters = c.awaited(waiters)
	if project <= 0 || len(waiters) == 0 {
		return waiters
	}
	query, err := selection(project, waiters)
	if err != nil {
		return waiters
	}
	asked := c.Now()
	found := map[int64]Answer{}
	if _, err := c.inTurn(ctx, asker, func() (Answer, error) { return Answer{}, c.tasks(ctx, asker, project, query, found) }); err != nil {
		return waiters
	}
	var others []waiter
	for _, w := range waiters {
		if answer, ok := found[w.id]; ok {
			c.land(w.question, w.flight, asked, answer, nil)
		} else {
			others = append(others, w)
		}
	}
	return others
}

// selection asks for these tasks of a project, as the Data Manager asks for
// those that somebody has ticked.
func selection(project int64, waiters []waiter) (url.Values, error) {
	ids := make([]int64, len(waiters))
	for i, w := range waiters {
		ids[i] = w.id
	}
	ticked, err := json.Marshal(map[string]any{"selectedItems": map[string]any{"all": false, "included": ids}})
	return url.Values{"project": {strconv.FormatInt(project, 10)}, "query": {string(ticked)}, "page_size": {strconv.Itoa(maxTogether)}}, err
}

// tasks asks for tasks of a project with their data as stored.
func (c *Client) tasks(ctx context.Context, asker Asker, project int64, query url.Values, found map[int64]Answer) error {
	query.Set("include", "id,project,data")
	query.Set("resolve_uri", "false")
	var page struct {
		Tasks []struct {
			ID      int64 `json:"id"`
			Project int64 `json:"project"`
			Data    named `json:"data"`
		} `json:"tasks"`
	}
	if err := c.get(ctx, asker, "tasks", "/api/tasks/", query.Encode(), &page); err != nil {
		return err
	}
	if len(page.Tasks) > maxTogether {
		return unavailable(errors.New("the list has more tasks than were asked for"))
	}
	place := grants.Place{Project: project}
	if c.WholePlace {
		whole, err := c.project(ctx, asker, project)
		if err != nil {
			return err
		}
		place = whole.Place
	}
	for _, task := range page.Tasks {
		if task.Project != project {
			return unavailable(errors.New("the list has a task of another project"))
		}
		found[task.ID] = Answer{Place: place, uris: task.Data}
	}
	return nil
}
