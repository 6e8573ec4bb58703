package client

import (
	"context"
	"net/url"
	"strconv"
)

// Page is a page of tasks that somebody has opened in the Data Manager.
type Page struct {
	Project, View, Number, Size int64
	// Query is the selection as JSON where there is no view; may be empty.
	Query string
}

// opened is the page that a party opened last.
type opened struct {
	Page
	// holds are its tasks, once they are known; nil until then.
	holds map[int64]struct{}
}

// mayHold says that one of the tasks may be on the page.
func (o opened) mayHold(waiters []waiter) bool {
	if o.holds == nil {
		return len(waiters) > 0
	}
	for _, w := range waiters {
		if _, ok := o.holds[w.id]; ok {
			return true
		}
	}
	return false
}

// Opened tells that the asker's browser is asking for a page of tasks, whose
// objects it will show next. Nothing is asked now; the first of its objects
// asks for the whole page, with the same question.
func (c *Client) Opened(asker Asker, page Page) {
	if !c.ByProject || page.Project <= 0 || page.Size > maxTogether {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	remember(c.pages, party{asker.Session, asker.Credential}, opened{Page: page})
}

// page answers tasks by the page that the party opened last, and keeps what it
// says of the others there. It gives those that it says nothing of.
func (c *Client) page(ctx context.Context, p party, asker Asker, waiters []waiter) []waiter {
	c.mu.Lock()
	on, ok := c.pages.Get(p)
	if !ok || !on.mayHold(waiters) {
		c.mu.Unlock()
		return waiters
	}
	q, f := question{p.session, p.credential, "page", on.Project}, &flight{done: make(chan struct{})}
	c.flights[q] = f // so that Forget ends it
	c.mu.Unlock()
	asked := c.Now()
	found := map[int64]Answer{}
	_, err := c.inTurn(ctx, asker, func() (Answer, error) { return Answer{}, c.tasks(ctx, asker, on.Project, on.query(), found) })

	c.mu.Lock()
	defer c.mu.Unlock()
	if f.ended {
		return nil // and so did the session, with all who wait
	}
	delete(c.flights, q)
	f.end(Answer{}, err)
	if now, ok := c.pages.Peek(p); ok && now.Page == on.Page {
		c.pages.Remove(p)
		if err == nil {
			remember(c.pages, p, opened{on.Page, holds(found)})
		}
	}
	if err != nil {
		return waiters
	}
	remember(c.lately, p, on.Project)
	for id, answer := range found {
		c.keep(question{p.session, p.credential, "task", id}, kept{answer: answer, expires: asked.Add(keepYes)}, asked)
	}
	return c.settled(waiters)
}

func holds(found map[int64]Answer) map[int64]struct{} {
	ids := make(map[int64]struct{}, len(found))
	for id := range found {
		ids[id] = struct{}{}
	}
	return ids
}

// settled ends the flights of tasks whose answers are kept by now, and gives
// the others; the caller holds the lock.
func (c *Client) settled(waiters []waiter) []waiter {
	var others []waiter
	for _, w := range waiters {
		k, ok := c.kept.Get(w.question)
		if !ok || !c.Now().Before(k.expires) {
			others = append(others, w)
		} else if !w.flight.ended {
			delete(c.flights, w.question)
			w.flight.end(k.answer, k.err)
		}
	}
	return others
}

// query is the question that the browser sent.
func (p Page) query() url.Values {
	query := url.Values{"project": {strconv.FormatInt(p.Project, 10)}, "page": {strconv.FormatInt(p.Number, 10)}, "page_size": {strconv.FormatInt(p.Size, 10)}}
	if p.View > 0 {
		query.Set("view", strconv.FormatInt(p.View, 10))
	}
	if p.Query != "" {
		query.Set("query", p.Query)
	}
	return query
}
