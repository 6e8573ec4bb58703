package client

import (
	"context"
	"fmt"
	"time"

	"github.com/rolepass/rolepass/recent"
	"github.com/rolepass/rolepass/refusal"
)

// question is what an answer is kept under. All of it counts: an answer to one
// session or credential is no answer to another.
type question struct {
	session, credential string
	kind                string
	id                  int64
}

// owner is the kind of the question whose a token is.
const owner = "owner"

// kept is an answer or a refusal until it expires.
type kept struct {
	answer  Answer
	err     error
	expires time.Time
	bytes   int
}

// flight is a question on its way. done is closed when answer and err stand;
// both are guarded by the client's lock until then.
type flight struct {
	done   chan struct{}
	ended  bool
	answer Answer
	err    error
	share  string // whose of the questions on their way it is
	// back hands back the turn that it has; nil: it has none.
	back func()
}

// end gives the flight its answer, once; the caller holds the lock.
func (f *flight) end(answer Answer, err error) {
	if !f.ended {
		f.ended, f.answer, f.err = true, answer, err
		close(f.done)
	}
}

// ask answers from what is kept, or joins the question that is on its way, or
// sends it.
func (c *Client) ask(ctx context.Context, asker Asker, q question) (Answer, error) {
	c.mu.Lock()
	if k, ok := c.kept.Get(q); ok {
		if c.Now().Before(k.expires) {
			c.mu.Unlock()
			return k.answer, k.err
		}
		c.kept.Remove(q)
	}
	began := c.Now()
	f, ok := c.flights[q]
	if !ok {
		if c.full(asker) {
			c.mu.Unlock()
			return Answer{}, refusal.New(refusal.Unavailable, CodeBusy, "More questions wait for Label Studio than it can answer, or too many of them are this person's; look at how long it takes.")
		}
		var back func()
		if q.kind == owner {
			if back = c.owners.turn(asker); back == nil {
				c.mu.Unlock()
				return Answer{}, tooManyTokens()
			}
		}
		f = &flight{done: make(chan struct{}), share: asker.share(), back: back}
		c.flights[q] = f
		if alone := context.WithoutCancel(ctx); c.ByProject && q.kind == "task" {
			c.enqueue(alone, asker, q, f)
		} else {
			go c.fly(alone, asker, q, f)
		}
	}
	c.mu.Unlock()
	return f.wait(ctx, c.Now, Wait{Kind: q.kind, Start: began})
}

// wait waits for a flight, and says in the answer how long.
func (f *flight) wait(ctx context.Context, now func() time.Time, w Wait) (answer Answer, err error) {
	select {
	case <-f.done:
		answer, err = f.answer, f.err
	case <-ctx.Done():
		err = unavailable(ctx.Err())
	}
	w.Took = now().Sub(w.Start)
	answer.Waited = w
	return answer, err
}

// fly sends the question and keeps the answer. The context is nobody's, so that
// one closed browser tab fails no other.
func (c *Client) fly(ctx context.Context, asker Asker, q question, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	asked := c.Now()
	answer, err := c.inTurn(ctx, asker, func() (Answer, error) {
		switch q.kind {
		case "project":
			return c.project(ctx, asker, q.id)
		case "whoami":
			return c.whoami(ctx, asker)
		case owner:
			return c.whoseToken(ctx, asker)
		}
		return c.task(ctx, asker, q.id)
	})
	c.land(q, f, asked, answer, err)
}

// land gives a flight its answer and keeps it, unless it was forgotten by then.
func (c *Client) land(q question, f *flight, asked time.Time, answer Answer, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.back != nil {
		f.back()
	}
	if refusal.CodeOf(err) == CodeIdentity && q.kind == owner {
		c.owners.known.Remove(q.credential)
	}
	if f.ended {
		return
	}
	delete(c.flights, q)
	f.end(answer, err)
	if life := lifetime(err); life > 0 && (err == nil || q.kind != owner) {
		c.keep(q, kept{answer: answer, err: err, expires: asked.Add(life)}, asked)
	}
}

// inTurn waits for a turn and asks.
func (c *Client) inTurn(ctx context.Context, asker Asker, ask func() (Answer, error)) (answer Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			answer, err = Answer{}, unavailable(fmt.Errorf("panic: %v", p))
		}
	}()
	back, err := c.turns.take(ctx, asker.share())
	if err != nil {
		return Answer{}, unavailable(err)
	}
	defer back()
	return ask()
}

// full says that another question of the asker's cannot wait: they have as many on
// their way as places are free. So one person leaves half of the places to others,
// two leave a quarter, and who comes after many still finds one. The caller holds
// the lock.
func (c *Client) full(asker Asker) bool {
	free := maxWaiting - len(c.flights)
	if len(c.flights) < free {
		return false
	}
	theirs := 0
	for _, f := range c.flights {
		if f.share == asker.share() {
			theirs++
		}
	}
	return free <= 0 || theirs >= free
}

// lifetime says how long an outcome is used: a yes long, Label Studio's own no
// for seconds, and what was no answer not at all.
func lifetime(err error) time.Duration {
	if err == nil {
		return keepYes
	}
	switch refusal.CodeOf(err) {
	case CodeNotTheirs, CodeIdentity:
		return keepNo
	}
	return 0
}

// keep files an outcome, and drops those that have expired and those for which
// there is no room; the caller holds the lock.
func (c *Client) keep(q question, k kept, asked time.Time) {
	const overhead = 512 // of an entry, its key and what it names, about
	k.bytes = overhead + len(q.session) + len(q.credential) + len(k.answer.who.Email) + len(k.answer.who.Authorization)
	for _, uri := range k.answer.uris {
		k.bytes += len(uri) + 32
	}
	if k.bytes > c.MaxBytes/8 {
		return
	}
	c.kept.Remove(q)
	c.bytes += k.bytes
	c.kept.Put(q, k)
	// Outcomes expire in the order in which they came, or nearly: what stays
	// is a minute's, not all for which there is room.
	for {
		oldest, k, ok := c.kept.Oldest()
		if !ok || asked.Before(k.expires) {
			break
		}
		c.kept.Remove(oldest)
	}
	for c.bytes > c.MaxBytes || c.kept.Len() > maxEntries {
		c.kept.RemoveOldest()
	}
}

// dropped keeps the books when an entry goes; the caller holds the lock.
func (c *Client) dropped(_ question, k kept) { c.bytes -= k.bytes }

// remember keeps something of a party, and forgets another's if there is no
// room; the caller holds the lock.
func remember[V any](of *recent.Map[party, V], p party, value V) {
	of.Put(p, value)
	if of.Len() > maxParties {
		of.RemoveOldest()
	}
}
