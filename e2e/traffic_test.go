package e2e_test

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// exchange is one request of the browser and what became of it.
type exchange struct {
	id                                    network.RequestID
	url, asked, contentType, contentRange string
	status                                int64
	failure                               string
	aborted                               bool // by the page itself
	frame                                 cdp.FrameID
	loader                                cdp.LoaderID // of the page that asked; none for a worker
	worker                                bool         // a service worker answered
	cached                                bool         // the browser had it already
	ended                                 bool         // nothing of its body is to come
	left                                  bool         // another page has taken the place of the one that asked
}

// traffic is what a page and its network say to each other.
type traffic struct {
	mu      sync.Mutex
	all     map[network.RequestID]*exchange
	loaders map[cdp.FrameID]cdp.LoaderID // of the page that each frame shows
}

// watches begins to note the page's traffic.
func (c *chromium) watches() *traffic {
	c.t.Helper()
	seen := &traffic{all: map[network.RequestID]*exchange{}, loaders: map[cdp.FrameID]cdp.LoaderID{}}
	if err := chromedp.Listen(c.ctx, seen.hears); err != nil {
		c.t.Fatal(err)
	}
	return seen
}

func (n *traffic) hears(event any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := func(id network.RequestID) *exchange {
		if n.all[id] == nil {
			n.all[id] = &exchange{id: id}
		}
		return n.all[id]
	}
	switch e := event.(type) {
	case *page.EventFrameNavigated:
		n.loaders[e.Frame.ID] = e.Frame.LoaderID
	case *network.EventRequestWillBeSent:
		at(e.RequestID).frame, at(e.RequestID).loader = e.FrameID, e.LoaderID
		if e.RedirectResponse == nil { // else it is the same request, further on
			at(e.RequestID).url = e.Request.URL
		}
		if asked, ok := e.Request.Headers["Range"].(string); ok {
			at(e.RequestID).asked = asked
		}
	case *network.EventResponseReceived:
		x := at(e.RequestID)
		x.status, x.contentType = e.Response.Status, e.Response.MimeType
		x.worker, x.cached = e.Response.FromServiceWorker, x.cached || e.Response.FromDiskCache
		for name, value := range e.Response.Headers {
			if strings.EqualFold(name, "Content-Range") {
				x.contentRange, _ = value.(string)
			}
		}
	case *network.EventRequestServedFromCache:
		at(e.RequestID).cached = true
	case *network.EventLoadingFinished:
		at(e.RequestID).ended = true
	case *network.EventLoadingFailed:
		x := at(e.RequestID)
		x.failure, x.aborted, x.ended = e.ErrorText, e.Canceled, true
	}
}

func (n *traffic) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.all)
}

// settled waits until every data fetch has an answer, or has failed. Chromium
// says no more about a request once another page has taken the place of the one
// that asked: such a request is left out.
func (n *traffic) settled(t *testing.T) []exchange {
	t.Helper()
	return n.waits(t, func(x exchange) bool { return x.status != 0 || x.failure != "" })
}

// ended waits until every data fetch has its whole answer, which a film or a
// sound may never have, or has failed.
func (n *traffic) ended(t *testing.T) []exchange {
	t.Helper()
	all := n.waits(t, func(x exchange) bool { return x.ended || x.left })
	return slices.DeleteFunc(all, func(x exchange) bool { return !x.ended })
}

func (n *traffic) waits(t *testing.T, enough func(exchange) bool) []exchange {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		all := n.fetches()
		waiting := slices.DeleteFunc(slices.Clone(all), enough)
		if len(waiting) == 0 {
			return all
		}
		select {
		case <-tick.C:
		case <-deadline:
			for _, x := range waiting {
				t.Logf("%s: %d, asked by loader %q", shortened(x.url), x.status, x.loader)
			}
			t.Fatalf("%d of %d data fetches stay without an answer", len(waiting), len(all))
		}
	}
}

// fetches gives the data fetches so far, but for those that a page left behind.
func (n *traffic) fetches() (found []exchange) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, x := range n.all {
		x.left = x.loader != "" && n.loaders[x.frame] != "" && n.loaders[x.frame] != x.loader
		gone := x.left && x.status == 0 && x.failure == ""
		if u, err := url.Parse(x.url); err == nil && !gone && u.Query().Has("fileuri") {
			found = append(found, *x)
		}
	}
	return found
}
