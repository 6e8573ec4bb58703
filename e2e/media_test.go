package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/rolepass/rolepass/e2e/stack"
)

// medium is one kind of task and how to see, in the page, that it shows.
type medium struct {
	title string
	// shows is a condition in the page of the editor.
	shows string
	// then is what else somebody does there.
	then func(c *chromium, p stack.Project)
	// fetches is how many different objects, or spellings of them, are fetched
	// at least, and types their content types.
	fetches int
	types   string
	ranges  bool // at least one fetch asks for a range and gets it
	// spelled is what one of the addresses must have, beside what is always there.
	spelled string
}

var media = []medium{
	{title: "Radiology", fetches: 1, types: "image/png", shows: `[...document.images].some(i => i.src.startsWith("blob:") && i.naturalWidth === 320)`},
	{title: "Microscopy", fetches: 3, types: "image/png application/octet-stream", shows: `[...document.images].some(i => i.src.startsWith("blob:") && i.naturalWidth === 320) && document.body.innerText.includes("of 3")`, then: turnsPages},
	{title: "Dictations", fetches: 2, types: "audio/wav", ranges: true, spelled: "lsref=1", shows: `(() => { const a = document.querySelector("audio"); return a && a.readyState === 4 && Math.abs(a.duration - 3) < 0.1 })() && ` + drawn, then: playsSound},
	{title: "Ultrasound", fetches: 1, types: "video/webm", ranges: true, shows: `(() => { const v = document.querySelector("video"); return v && v.readyState >= 2 && v.videoWidth === 160 && v.duration > 5 })()`, then: seeks},
	{title: "Signals", fetches: 1, types: "text/csv", shows: `[...document.querySelectorAll("svg path")].some(p => (p.getAttribute("d") || "").length > 5000)`},
	{title: "Notes", fetches: 1, types: "text/plain", shows: `document.body.innerText.includes("The lungs are clear.")`},
	{title: "Letters", fetches: 1, types: "image/png", shows: `(() => { const d = document.querySelector("iframe")?.contentDocument; return d && d.images.length > 0 && d.images[0].naturalWidth === 320 && d.body.innerText.includes("Dear colleague") })()`, then: leavesTheSecond},
	{title: "Pages", fetches: 1, types: "text/plain", shows: `document.querySelector("iframe")?.contentDocument?.body?.innerText.includes("No effusion on either side.") || false`},
	{title: "Conversations", fetches: 1, types: "application/json", shows: `document.body.innerText.includes("Where does it hurt?")`},
	{title: "Papers", fetches: 1, types: "application/pdf", shows: `document.querySelector("embed") !== null`, then: reads},
}

// Every medium that Label Studio's editor has shows in it, with every request
// for data answered, and by S3: Label Studio itself serves none of it.
func TestMediaShowInTheEditor(t *testing.T) {
	c := opensChromium(t)
	seen := c.watches()
	c.signsIn("both")
	before := len(appSaw(t))
	for _, m := range media {
		t.Run(m.title, func(t *testing.T) {
			c.t = t
			defer func(outer *testing.T) { c.t = outer }(t)
			project := c.project(m.title)
			seen.forget()
			c.runs(chromedp.Navigate(fmt.Sprintf("%s/projects/%d/data?task=%d", c.demo.Public, project.ID, project.Tasks[0].ID)))
			c.until(m.shows)
			if m.then != nil {
				m.then(c, project)
			}
			c.picture("shows")
			seen.allServed(t, m, project)
		})
	}
	for _, request := range appSaw(t)[before:] {
		if strings.Contains(request.Target, "fileuri") || strings.Contains(request.Target, "/resolve") || strings.Contains(request.Target, "/presign") {
			t.Errorf("Label Studio was asked for data: %s %s", request.Method, strings.SplitN(request.Target, "?", 2)[0])
		}
	}
}

// drawn says that a canvas of the page has more than one colour.
const drawn = `[...document.querySelectorAll("canvas")].some(c => { if (!c.width || !c.height) return false; try { const d = new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer); return d.some(p => p !== d[0]) } catch (e) { return false } })`

// does runs a statement in the page.
func (c *chromium) does(statement string) {
	c.t.Helper()
	c.until(`(() => { ` + statement + `; return true })()`)
}

// turnsPages goes to the last page of an image with several. A page that still
// loads takes no click, and the editor goes back to the first while it begins,
// so it is clicked until the next one shows.
func turnsPages(c *chromium, _ stack.Project) {
	for page := 2; page <= 3; page++ {
		c.until(fmt.Sprintf(`(() => {
			const at = document.querySelector('[class*="pagination__page-indicator"]').innerText.replace(/\s+/g, " ");
			if (parseInt(at) < %d) document.querySelector('[class*="pagination__btn_arrow-right"]:not([class*="double"])').click();
			return at.includes("%d of 3") && [...document.images].some(i => i.src.startsWith("blob:") && i.naturalWidth === 320);
		})()`, page, page))
	}
}

// jumps leads the element to a second. The editor goes back to the beginning
// while it loads, so it is led there until it stays.
func jumps(c *chromium, element, to string) {
	c.until(`(() => {
		const e = document.querySelector("` + element + `"), there = Math.abs(e.currentTime - ` + to + `) < 0.2;
		if (!e.seeking && !there) e.currentTime = ` + to + `;
		return !e.seeking && there && e.readyState >= 2 && e.error === null;
	})()`)
}

// playsSound jumps in the sound.
func playsSound(c *chromium, _ stack.Project) { jumps(c, "audio", "2") }

// seeks jumps in the film, forwards and back, and asks for its last bytes, as
// players do that look for an index at the end.
func seeks(c *chromium, _ stack.Project) {
	for _, to := range []string{"5", "1", "3.5"} {
		jumps(c, "video", to)
	}
	c.does(`fetch(document.querySelector("video").currentSrc, {headers: {Range: "bytes=-500"}}).then(async r => { window.lastBytes = r.status + " " + (await r.arrayBuffer()).byteLength })`)
	c.until(`window.lastBytes === "206 500"`)
}

// leavesTheSecond notes what Label Studio does not do: only the first s3:// in
// HTML becomes an address that a browser can load, with Rolepass or without.
func leavesTheSecond(c *chromium, _ stack.Project) {
	c.until(`(() => { const all = document.querySelector("iframe").contentDocument.images; return all.length === 2 && all[1].naturalWidth === 0 && !all[1].src.includes("/resolve/") })()`)
}

// reads waits for the browser's viewer of PDF: an extension of its own, with a
// frame in it that holds the document.
func reads(c *chromium, _ stack.Project) {
	c.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		targets, err := chromedp.Targets(c.ctx)
		if err != nil {
			c.fails(err)
		}
		if slices.ContainsFunc(targets, func(t *target.Info) bool {
			return t.Type == "iframe" && strings.HasPrefix(t.URL, "chrome-extension://")
		}) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			c.fails(fmt.Errorf("no viewer of PDF opens"))
		}
	}
}

// project finds a project of the demo.
func (c *chromium) project(title string) stack.Project {
	c.t.Helper()
	for _, project := range c.demo.Projects {
		if project.Title == title {
			return project
		}
	}
	c.t.Fatalf("no project %s", title)
	return stack.Project{}
}

// body is what the page got for a request.
func (c *chromium) body(x exchange) []byte {
	c.t.Helper()
	got, err := chromedp.Call(c.ctx, network.GetResponseBody, network.GetResponseBodyParams{RequestID: x.id})
	if err != nil {
		c.fails(err)
	}
	return got.Body
}

// of says that a fetch is for a task of the project.
func of(project stack.Project, address string) bool {
	return slices.ContainsFunc(project.Tasks, func(task stack.Task) bool {
		return strings.Contains(address, fmt.Sprintf("/tasks/%d/", task.ID))
	})
}

// allServed fails unless every data fetch was answered as an object is, or
// broken off by the page.
func (n *traffic) allServed(t *testing.T, m medium, project stack.Project) {
	t.Helper()
	served, ranges, spelled := map[string]bool{}, 0, false
	for _, x := range n.settled(t) {
		if x.status == 0 && x.aborted || !of(project, x.url) {
			continue // of the page before, on a slow machine
		}
		if !slices.Contains([]int64{200, 206, 304}, x.status) || x.failure != "" && !x.aborted {
			t.Errorf("%s: %d %s", shortened(x.url), x.status, x.failure)
			continue
		}
		if !slices.Contains(strings.Fields(m.types), x.contentType) {
			t.Errorf("%s comes as %s, want %s", shortened(x.url), x.contentType, m.types)
		}
		served[x.url] = true
		spelled = spelled || strings.Contains(x.url, m.spelled)
		if x.status == 206 && strings.HasPrefix(x.contentRange, "bytes ") {
			ranges++
		}
		t.Logf("%s %d %s %q %q", shortened(x.url), x.status, x.contentType, x.asked, x.contentRange)
	}
	if len(served) < m.fetches {
		t.Errorf("%d objects are fetched, not %d", len(served), m.fetches)
	}
	if !spelled {
		t.Errorf("no address has %s", m.spelled)
	}
	if m.ranges && ranges == 0 {
		t.Error("no range was asked for")
	}
}
