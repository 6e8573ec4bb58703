package e2e_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// uses is a script of the application's origin that does with an address all
// that a page can do to run what is there, and gives the status of a fetch of it
// and what worked, as the page itself sees it. What the object did is another
// question. A frame whose object is saved never tells, hence the patience, in
// milliseconds.
const uses = `async (address, patience) => {
  const worked = []
  const enough = new Promise(done => setTimeout(done, patience))
  const status = (await fetch(address)).status
  const element = (tag, set) => new Promise(done => {
    const e = document.createElement(tag)
    e.onload = () => { worked.push(tag + (e.type || "")); setTimeout(done, 300) }
    e.onerror = () => done()
    set(e)
    document.body.append(e)
  })
  const worker = (name, make) => new Promise(done => {
    try {
      const w = make()
      const port = w.port || w
      port.onmessage = () => { worked.push(name); done() }
      w.onerror = () => done()
    } catch (e) { done() }
  })
  const all = [
    element("img", e => e.src = address),
    element("iframe", e => e.src = address),
    element("object", e => e.data = address),
    element("embed", e => e.src = address),
    element("script", e => e.src = address),
    element("script", e => { e.type = "module"; e.src = address }),
    element("link", e => { e.rel = "stylesheet"; e.href = address }),
    worker("worker", () => new Worker(address)),
    worker("moduleworker", () => new Worker(address, {type: "module"})),
    worker("sharedworker", () => new SharedWorker(address)),
    import(address).then(() => worked.push("import"), () => {}),
    new OfflineAudioContext(1, 1, 8000).audioWorklet.addModule(address).then(() => worked.push("worklet"), () => {}),
    navigator.serviceWorker.register(address).then(() => worked.push("serviceworker"), () => {}),
  ]
  await Promise.race([Promise.allSettled(all), enough])
  return status + " " + worked.join(" ")
}`

// outcome is what became of one object in all its uses.
type outcome struct {
	worked string // by the page's own account, after the status
	harm   string // where its script ran as the application, if anywhere
	styled bool   // the page looks as the object says
	worker bool   // a service worker of the object's is registered
}

// tries opens a page of the application's origin, does everything with an
// object, leads the browser straight to it, and looks what it did.
func (c *chromium) tries(page, object string, patience int) outcome {
	c.t.Helper()
	c.runs(chromedp.Navigate(page))
	c.does(`localStorage.removeItem("harm"); navigator.serviceWorker.getRegistrations().then(all => all.forEach(r => r.active?.scriptURL.endsWith("/sw.js") || r.unregister()))`)
	worked, err := chromedp.Run(c.ctx, chromedp.Evaluate[string](`(`+uses+`)(`+quoted(object)+`, `+strconv.Itoa(patience)+`)`, chromedp.EvalAwaitPromise))
	if err != nil {
		c.fails(fmt.Errorf("using the object: %w", err))
	}
	styled := c.asks(`getComputedStyle(document.body).outlineWidth === "7px"`)
	// An object that is saved instead of shown ends the navigation with an error.
	_ = chromedp.Do(c.ctx, chromedp.Navigate(object))
	c.runs(chromedp.Navigate(page))
	harm, err := chromedp.Run(c.ctx, chromedp.Evaluate[string](`localStorage.getItem("harm") || ""`))
	if err != nil {
		c.fails(err)
	}
	worker, err := chromedp.Run(c.ctx, chromedp.Evaluate[bool](`navigator.serviceWorker.getRegistrations().then(all => all.some(r => [r.installing, r.waiting, r.active].some(w => w && !w.scriptURL.endsWith("/sw.js"))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		c.fails(err)
	}
	return outcome{worked, harm, styled, worker}
}

// asks gives the page's answer.
func (c *chromium) asks(condition string) bool {
	c.t.Helper()
	is, err := chromedp.Run(c.ctx, chromedp.Evaluate[bool](condition, chromedp.EvalAwaitPromise))
	if err != nil {
		c.fails(err)
	}
	return is
}

// attack is what an object does where nothing keeps it from that.
type attack struct {
	harm   string // the ways in which its script runs as the application
	worked string // the ways in which a page runs it, by the page's account
	styled bool
	worker bool
}

// document are the ways of an object that is a document.
const document = "iframe object embed page"

var attacks = map[string]attack{
	"page.html":    {harm: document},
	"page.xhtml":   {harm: document},
	"picture.svg":  {harm: document},
	"tree.xml":     {harm: document},
	"page":         {harm: document},
	"script.js":    {harm: "script module", worked: "script scriptmodule import"},
	"module.mjs":   {harm: "module", worked: "scriptmodule import"},
	"script":       {harm: "script module", worked: "script scriptmodule import"},
	"script.later": {harm: "script module", worked: "script scriptmodule import"},
	"worker.js":    {worked: "worker moduleworker serviceworker", worker: true},
	"style.css":    {worked: "link", styled: true},
}

// asCode are the uses by which an object would become part of a page.
var asCode = []string{"script", "scriptmodule", "link", "worker", "moduleworker", "sharedworker", "import", "worklet", "serviceworker"}

// An object that a person may read comes from the application's own origin.
// Whatever kind it is of and whatever the application's pages do with it, it
// does not run there, whether the browser says what it wants the object for or
// not. Each attack is tried first where nothing stops it.
func TestObjectsCannotScriptTheApplication(t *testing.T) {
	c := opensChromium(t)
	open := servesPlainly(t)
	silent := withoutFetchMetadata(t)
	c.signsIn("researcher")
	before := len(appSaw(t))
	tasks := c.project("Attachments").Tasks
	if len(tasks) != len(attacks) {
		t.Errorf("%d objects, %d attacks", len(tasks), len(attacks))
	}
	for _, task := range tasks {
		name := path.Base(task.URI)
		t.Run(name, func(t *testing.T) {
			c.t = t
			defer func(outer *testing.T) { c.t = outer }(t)
			attacks[name].succeeds(t, c.tries(open.URL+"/projects/", open.URL+"/objects/"+name, 5000))
			for who, origin := range map[string]string{"a browser": c.demo.Public, "a browser that does not say what for": silent} {
				got := c.tries(origin+"/projects/", origin+fetchPath(task.ID, task.URI), 1500)
				if got.ran() || !strings.HasPrefix(got.worked, "200 ") {
					t.Errorf("%s: %+v", who, got)
				}
			}
		})
	}
	if len(open.seen()) < 20 {
		t.Errorf("where nothing stops them the attacks call the application only %d times", len(open.seen()))
	}
	for _, request := range appSaw(t)[before:] {
		if strings.Contains(request.Target, "harm") || strings.Contains(request.Target, "fileuri") {
			t.Errorf("the application was asked %s %s", request.Method, request.Target)
		}
	}
}

// succeeds fails unless the attack works: otherwise the test would prove
// nothing.
func (a attack) succeeds(t *testing.T, got outcome) {
	t.Helper()
	for way := range strings.FieldsSeq(a.harm) {
		if !strings.Contains(" "+got.harm, " "+way+":") {
			t.Errorf("without Rolepass it does not run by %s: %q", way, got.harm)
		}
	}
	for way := range strings.FieldsSeq(a.worked) {
		if !slices.Contains(strings.Fields(got.worked), way) {
			t.Errorf("without Rolepass a page cannot use it by %s: %q", way, got.worked)
		}
	}
	if a.styled != got.styled || a.worker != got.worker {
		t.Errorf("without Rolepass: %+v", got)
	}
}

// ran says that the object became part of the application in any way.
func (o outcome) ran() bool {
	return o.harm != "" || o.styled || o.worker || slices.ContainsFunc(strings.Fields(o.worked), func(use string) bool { return slices.Contains(asCode, use) })
}

// Label Studio's editor shows HTML by URL in a frame of its own origin. It takes
// scripts out itself; this test says when a version no longer does.
func TestTheEditorRunsNoScriptOfAPage(t *testing.T) {
	c := opensChromium(t)
	c.signsIn("researcher")
	project := c.project("Pages")
	before := len(appSaw(t))
	c.runs(chromedp.Navigate(fmt.Sprintf("%s/projects/%d/data?task=%d", c.demo.Public, project.ID, project.Tasks[1].ID)))
	c.until(`document.querySelector("iframe")?.contentDocument?.body?.innerText.includes("harmful page") || false`)
	c.picture("shows")
	if c.asks(`localStorage.getItem("harm") !== null || top.harmed !== undefined || frames[0].harmed !== undefined`) {
		t.Error("the page's script ran as the application")
	}
	for _, request := range appSaw(t)[before:] {
		if strings.Contains(request.Target, "harm=") {
			t.Errorf("the page's script asked %s %s", request.Method, request.Target)
		}
	}
}

// withoutFetchMetadata is the application as a browser sees it that sends no
// Sec-Fetch headers, as all of them did not before 2023 and do not on plain
// http: on another port of the same host, so that the cookies are the same.
func withoutFetchMetadata(t *testing.T) string {
	t.Helper()
	public := mustParse(running(t).Demo.Public)
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(public)
		p.Out.Host = public.Host
		for name := range p.Out.Header {
			if strings.HasPrefix(name, "Sec-Fetch-") {
				p.Out.Header.Del(name)
			}
		}
		if p.Out.Header.Get("Origin") != "" {
			p.Out.Header.Set("Origin", public.String())
		}
	}, ErrorLog: log.New(io.Discard, "", 0)} // the page breaks requests off
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return "http://localhost:" + mustParse(server.URL).Port()
}

// kinds are the content types with which the objects were stored.
var kinds = map[string]string{
	"page.html": "text/html", "page": "text/html", "page.xhtml": "application/xhtml+xml", "picture.svg": "image/svg+xml", "tree.xml": "text/xml",
	"script.js": "text/javascript", "module.mjs": "text/javascript", "worker.js": "text/javascript", "script": "text/javascript", "script.later": "text/javascript",
	"style.css": "text/css",
}

// plain is an application that gives objects away from its own origin with no
// more than their content type, as a resolver without hardening does.
type plain struct {
	*httptest.Server
	mu   sync.Mutex
	harm []string
}

func servesPlainly(t *testing.T) *plain {
	t.Helper()
	objects := map[string][]byte{}
	for _, task := range visits(t).project("Attachments").Tasks {
		objects[path.Base(task.URI)] = running(t).Object(task.URI)
	}
	p := &plain{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, isObject := objects[path.Base(r.URL.Path)]
		switch {
		case r.URL.Query().Has("harm"):
			p.mu.Lock()
			p.harm = append(p.harm, r.URL.Query().Get("harm"))
			p.mu.Unlock()
		case isObject:
			w.Header().Set("Content-Type", kinds[path.Base(r.URL.Path)])
			_, _ = w.Write(body)
		default:
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "readable"})
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!doctype html><title>application</title><body>")
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *plain) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.harm)
}
