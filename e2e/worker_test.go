package e2e_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/rolepass/rolepass/e2e/stack"
)

// controlled says that Label Studio's service worker answers for the page.
const controlled = `(navigator.serviceWorker.controller?.scriptURL ?? "").endsWith("/sw.js")`

// kept is what Label Studio's service worker keeps of a redirect: the address
// that was asked, where it led, and until when the worker takes it to be good.
type kept struct {
	Address, Location string
	Until             int64 // in milliseconds, as JavaScript counts
}

func (k kept) until() time.Time { return time.UnixMilli(k.Until) }

// ends is when the signature of the location does.
func (k kept) ends(t *testing.T) time.Time {
	t.Helper()
	query := mustParse(k.Location).Query()
	signed, err := time.Parse("20060102T150405Z", query.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	life, err := time.ParseDuration(query.Get("X-Amz-Expires") + "s")
	if err != nil {
		t.Fatal(err)
	}
	return signed.Add(life)
}

// workerKeeps reads all that service workers keep of the page's origin.
func (c *chromium) workerKeeps() []kept {
	c.t.Helper()
	return tells[[]kept](c, `(async () => {
		const all = [];
		for (const name of await caches.keys()) {
			const cache = await caches.open(name);
			for (const request of await cache.keys()) {
				const headers = (await cache.match(request)).headers;
				all.push({Address: request.url, Location: headers.get("Location"), Until: Number(headers.get("x-cache-expiration"))});
			}
		}
		return all;
	})()`)
}

// tells gives the value of an expression, or of its promise, in the page.
func tells[T any](c *chromium, expression string) T {
	c.t.Helper()
	value, err := chromedp.Run(c.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		c.fails(err)
	}
	return value
}

// gets asks for addresses from within the page, in one of the modes in which a
// page can use the browser's cache, and gives the statuses; 0 is none.
func (c *chromium) gets(mode string, addresses ...string) []int {
	c.t.Helper()
	return tells[[]int](c, fmt.Sprintf(`Promise.all(%s.map(a => fetch(a, {cache: %q, mode: %q}).then(r => r.status, () => 0)))`, list(addresses), mode,
		map[bool]string{true: "same-origin", false: "cors"}[mode == "only-if-cached"]))
}

// pastTheWorker lets the page's requests go by the service worker, or not.
func (c *chromium) pastTheWorker(bypass bool) {
	c.t.Helper()
	if _, err := chromedp.Call(c.ctx, network.SetBypassServiceWorker, network.SetBypassServiceWorkerParams{Bypass: bypass}); err != nil {
		c.fails(err)
	}
}

// opensRedirected opens the redirecting Rolepass's Label Studio, signs in, and
// waits until the service worker is in control.
func opensRedirected(t *testing.T, name string) *chromium {
	t.Helper()
	b, err := redirecting()
	if err != nil {
		t.Fatal(err)
	}
	c := opensChromium(t)
	c.demo.Public = b.Public
	c.signsIn(name)
	c.until(controlled)
	return c
}

// sees opens a project, waits until its pictures show, and gives their
// addresses.
func (c *chromium) sees(title string) (stack.Project, []string) {
	c.t.Helper()
	project := c.opensProject(title)
	c.until(controlled + ` && ` + shown)
	return project, c.pictures()
}

// pictures are the addresses of the pictures of tasks that the page has.
func (c *chromium) pictures() []string {
	c.t.Helper()
	return tells[[]string](c, `[...document.images].map(i => i.src).filter(a => a.includes("/resolve/"))`)
}

// object is the content of the object that an address names.
func (c *chromium) object(project stack.Project, address string) []byte {
	c.t.Helper()
	for _, task := range project.Tasks {
		if address == c.demo.Public+fetchPath(task.ID, task.URI) {
			return running(c.t).Object(task.URI)
		}
	}
	c.t.Fatalf("%s is no address of %s", shortened(address), project.Title)
	return nil
}

// Pictures show by redirect while Label Studio's service worker answers for the
// page. What it keeps of a redirect is over when it begins, so that every use
// is decided anew, and the browser's cache keeps nothing.
func TestPicturesByRedirectThroughTheServiceWorker(t *testing.T) {
	c := opensRedirected(t, "radiologist")
	seen := c.watches()
	project, addresses := c.sees("Radiology")
	c.picture("shows")
	through := 0
	for _, x := range seen.ended(t) {
		if !of(project, x.url) || x.failure != "" && x.aborted {
			continue
		}
		through++
		if x.status != 200 || !x.worker || x.cached || !bytes.Equal(c.body(x), c.object(project, x.url)) {
			t.Errorf("%s: %d, by the worker: %v, from a cache: %v", shortened(x.url), x.status, x.worker, x.cached)
		}
	}
	if through < len(addresses) {
		t.Errorf("%d pictures show, %d were fetched", len(addresses), through)
	}

	keeps, now := c.workerKeeps(), time.Now()
	if len(keeps) < len(addresses) {
		t.Fatalf("the worker keeps %d redirects of %d", len(keeps), len(addresses))
	}
	shows := c.pictures() // more than before, where rows came late
	for _, k := range keeps {
		if !strings.HasPrefix(k.Location, c.demo.S3+"/imaging/radiology/") || !slices.Contains(shows, k.Address) {
			t.Errorf("the worker keeps %s, which leads to %s", shortened(k.Address), mustParse(k.Location).Host)
		}
		if !k.until().Before(now) || !k.until().Before(k.ends(t)) {
			t.Errorf("the worker takes a location to be good until %v, its signature ends at %v", k.until(), k.ends(t))
		}
	}
	seen.forget()
	location := keeps[len(keeps)-1].Location
	again := c.gets("force-cache", location)
	if asked := seen.to(location); len(asked) != 1 || asked[0].cached || asked[0].status != int64(again[0]) {
		t.Errorf("the browser has the object in its cache: %d, asked %d times", again[0], len(asked))
	}
}

// refuses says that a location leads nowhere, not even in the browser's cache.
// The store's refusals have no CORS header here, which ends a fetch.
func refuses(location string) string {
	return `fetch(` + quoted(location) + `, {cache: "force-cache"}).then(r => r.status === 403, () => true)`
}

// residue is what one person leaves behind in a browser: addresses of objects,
// and what the worker kept.
type residue struct {
	project   stack.Project
	addresses []string
	keeps     []kept
	reads     int // how many requests S3 had seen when somebody else came
}

// leaves shows somebody's pictures and gives what they leave. As after an error
// of S3, which says nothing of how long it may be kept, one redirect is in the
// worker's cache for as long as the worker takes on its own.
func (c *chromium) leaves(title string) residue {
	c.t.Helper()
	project, addresses := c.sees(title)
	c.does(`caches.open("ls-cache-v1").then(async cache => {
		const request = (await cache.keys())[0], headers = new Headers((await cache.match(request)).headers);
		headers.set("x-cache-expiration", Date.now() + 50000);
		await cache.put(request, new Response(null, {status: 303, headers}));
		window.prepared = true;
	})`)
	c.until(`window.prepared === true`)
	return residue{project: project, addresses: addresses, keeps: c.workerKeeps()}
}

// nothingOf fails where a page of this browser has anything of what somebody
// else left: from the network, the browser's cache, the worker, or the page
// before.
func (c *chromium) nothingOf(left residue) {
	c.t.Helper()
	// What the browser may use without asking comes first: a refusal ends what it keeps.
	for _, bypass := range []bool{true, false} {
		c.pastTheWorker(bypass)
		for _, mode := range []string{"only-if-cached", "force-cache", "default"} {
			got := c.gets(mode, left.addresses...)
			nothing := func(status int) bool {
				return status == 401 || status == 403 || mode == "only-if-cached" && (status == 0 || status == 504)
			}
			if slices.ContainsFunc(got, func(status int) bool { return !nothing(status) }) {
				c.t.Errorf("past the worker: %v, %s: the next person gets %d", bypass, mode, got)
			}
		}
	}
	c.pastTheWorker(false)
	for _, k := range c.workerKeeps() {
		if slices.Contains(left.addresses, k.Address) {
			c.t.Errorf("the worker still keeps %s", shortened(k.Address))
		}
	}
	c.nothingShows()
	for _, request := range s3Saw(c.t)[left.reads:] {
		if request.Status < 400 && strings.HasPrefix(request.Key, "radiology/") {
			c.t.Errorf("S3 answered %d for one of their objects", request.Status)
		}
	}
}

// nothingShows fails where a picture of a task is drawn.
func (c *chromium) nothingShows() {
	c.t.Helper()
	if c.asks(`[...document.images].some(i => i.src.includes("/resolve/") && i.naturalWidth > 0)`) {
		c.picture("shows")
		c.t.Error("pictures show")
	}
}

// Who comes after somebody that signed out has nothing of theirs, at the same
// task of the same browser. The residue is a location that somebody wrote down:
// it is good until its signature ends, and no longer.
func TestWhoComesAfterALogoutHasNothing(t *testing.T) {
	c := opensRedirected(t, "radiologist")
	left := c.leaves("Radiology")
	out := time.Now()
	c.runs(chromedp.Navigate(c.demo.Public + "/logout"))
	c.until(`document.body.innerText.includes("You are signed out")`)
	if keeps := c.workerKeeps(); len(keeps) > 0 {
		t.Errorf("after the logout the worker keeps %d redirects", len(keeps))
	}
	if c.asks(`navigator.serviceWorker.getRegistrations().then(all => all.length > 0)`) || c.asks(`localStorage.length + sessionStorage.length > 0`) {
		t.Error("after the logout the site has a worker, or keeps something")
	}
	c.runs(chromedp.Navigate(c.demo.Public + "/health")) // a page that may fetch, for nobody in particular
	left.reads = len(s3Saw(t))
	c.nothingOf(left)
	last := slices.MaxFunc(left.keeps, func(a, b kept) int { return a.ends(t).Compare(b.ends(t)) })
	c.until(refuses(last.Location))
	life, err := time.ParseDuration(stack.RedirectLife)
	if err != nil {
		t.Fatal(err)
	}
	if early, signed := time.Until(last.ends(t)), last.ends(t).Sub(out); early > time.Second || signed > life {
		t.Errorf("the location is signed for %v after the logout, and leads nowhere %v before that", signed, early)
	}
	left.reads = len(s3Saw(t))

	c.signsIn("researcher")
	c.until(controlled)
	c.opensProject("Radiology")
	for address, status := range c.fetched(8) {
		if status != 403 {
			t.Errorf("the next person gets %d for %s", status, shortened(address))
		}
	}
	c.picture("the-next-person")
	c.nothingOf(left)
}

// Somebody signs in on top of somebody else, in a second tab. Neither tab gets
// anything of what the first person saw.
func TestWhoSignsInOnTopHasNothing(t *testing.T) {
	c := opensRedirected(t, "radiologist")
	left := c.leaves("Radiology")
	tab := c.opensTab()
	tab.signsInOnTop("researcher")
	tab.until(controlled)
	left.reads = len(s3Saw(t)) // rows of the first tab may have come late
	tab.nothingOf(left)
	tab.opensProject("Radiology")
	for address, status := range tab.fetched(8) {
		if status != 403 {
			t.Errorf("who signed in on top gets %d for %s", status, shortened(address))
		}
	}
	tab.picture("on-top")

	for _, status := range c.gets("default", left.addresses...) {
		if status != 403 {
			t.Errorf("the first tab still gets %d", status)
		}
	}
	c.runs(chromedp.Reload())
	c.until(controlled)
	c.nothingOf(left)
}

// By route the worker keeps nothing, and what the browser's cache keeps is the
// first person's alone: the next one's use of it is decided anew.
func TestByRouteNothingIsLeftToTheNext(t *testing.T) {
	c := opensChromium(t)
	c.signsIn("radiologist")
	c.until(controlled)
	project, addresses := c.sees("Radiology")
	if keeps := c.workerKeeps(); len(keeps) > 0 {
		t.Errorf("the worker keeps %d objects", len(keeps))
	}
	left := residue{project: project, addresses: addresses}
	c.signsInOnTop("researcher")
	c.until(controlled)
	left.reads = len(s3Saw(t))
	c.nothingOf(left)
	c.opensProject("Radiology")
	for address, status := range c.fetched(8) {
		if status != 403 {
			t.Errorf("the next person gets %d for %s", status, shortened(address))
		}
	}
}

// opensTab opens another tab of the same browser.
func (c *chromium) opensTab() *chromium {
	c.t.Helper()
	ctx, closes := chromedp.NewContext(c.ctx)
	c.t.Cleanup(closes)
	tab := &chromium{t: c.t, ctx: ctx, demo: c.demo, statuses: map[string]int64{}}
	if err := chromedp.Listen(ctx, tab.hears); err != nil {
		c.t.Fatal(err)
	}
	return tab
}

// What the measures are for: Label Studio alone, in the same browser. Its worker
// gives away the object after the logout, and the browser's cache has it.
func TestLabelStudioAloneGivesObjectsAway(t *testing.T) {
	m := visits(t).asMember("radiologist")
	uri := readable(m.project("Radiology"), "radiologist")[9].URI
	_, task := m.ownProject("imaging", "radiology", uri)
	alone, err := running(t).Alone()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(alone.Close)
	alone.SignsIn(m.id)
	c := opensChromium(t)
	seen := c.watches()
	c.runs(chromedp.Navigate(alone.Public + "/projects/"))
	c.until(controlled)
	// A page that asks for nothing on its own: at the 401 of a late request the page
	// of projects leaves for one that was loaded past the worker, and has none.
	c.runs(chromedp.Navigate(alone.Public + "/health"))
	c.until(controlled)
	address := alone.Public + fetchPath(task, uri)
	if got := c.gets("default", address); got[0] != 200 {
		t.Fatalf("Label Studio alone answers %d", got[0])
	}
	c.until(`caches.match(` + quoted(address) + `).then(found => found !== undefined)`)

	alone.SignsIn(0)
	c.pastTheWorker(true)
	if got := c.gets("default", alone.Public+"/api/current-user/whoami", address); got[0] != 401 || got[1] != 401 {
		t.Fatalf("after the logout Label Studio answers %v", got)
	}
	c.pastTheWorker(false)
	if got := tells[int](c, `fetch(`+quoted(address)+`).then(async r => r.ok ? (await r.arrayBuffer()).byteLength : -r.status)`); got != len(running(t).Object(uri)) {
		t.Errorf("after the logout the worker gives %d; does Label Studio no longer keep redirects?", got)
	}
	keeps := c.workerKeeps()
	if until := time.Until(keeps[0].until()); until < 20*time.Second {
		t.Errorf("the worker keeps the redirect for %v", until)
	}
	seen.forget()
	if got := c.gets("force-cache", keeps[0].Location); got[0] != 200 {
		t.Fatalf("the location answers %d", got[0])
	}
	if !slices.ContainsFunc(seen.to(keeps[0].Location), func(x exchange) bool { return x.cached }) {
		t.Error("the browser's cache does not have the object")
	}
}

// to gives what was asked of one address.
func (n *traffic) to(address string) (found []exchange) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, x := range n.all {
		if x.url == address {
			found = append(found, *x)
		}
	}
	return found
}
