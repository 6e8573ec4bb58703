package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/rolepass/rolepass/e2e/stack"
)

// browserPatience bounds one story in a browser.
const browserPatience = 8 * time.Minute

// chromium is a real browser with a profile of its own.
type chromium struct {
	t    *testing.T
	ctx  context.Context
	demo stack.Demo

	mu       sync.Mutex
	loader   cdp.LoaderID     // of the page that the tab shows
	statuses map[string]int64 // of that page's data fetches, by address
}

// opensChromium starts the browser that ROLEPASS_BROWSER names. It trusts these
// certificates (as Pins gives them) beside those of the stack.
func opensChromium(t *testing.T, trusted ...string) *chromium {
	t.Helper()
	demo := running(t).Demo
	program := os.Getenv("ROLEPASS_BROWSER")
	if program == "" {
		t.Fatal("ROLEPASS_BROWSER does not name a browser: run through make test")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1440, 900))
	pins, err := running(t).Pins()
	if err != nil {
		t.Fatal(err)
	}
	if pins = append(pins, trusted...); len(pins) > 0 {
		options = append(options, chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(pins, ",")))
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox does not run as root
	}
	allocator, free := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(func() { end(); free() })
	if err := chromedp.Do(ctx); err != nil { // starts the browser
		t.Fatal(err)
	}
	ctx, timeout := context.WithTimeout(ctx, browserPatience)
	t.Cleanup(timeout)
	c := &chromium{t: t, ctx: ctx, demo: demo, statuses: map[string]int64{}}
	if err := chromedp.Listen(ctx, c.hears); err != nil {
		t.Fatal(err)
	}
	return c
}

// hears remembers what became of each data fetch.
func (c *chromium) hears(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := event.(type) {
	case *page.EventFrameNavigated:
		if e.Frame.ParentID == "" {
			c.loader = e.Frame.LoaderID
			clear(c.statuses)
		}
	case *network.EventResponseReceivedExtraInfo:
		for name, lines := range e.Headers {
			if text, ok := lines.(string); ok && strings.EqualFold(name, "Set-Cookie") {
				secrets.KeepCookies(http.Header{"Set-Cookie": strings.Split(text, "\n")})
			}
		}
	case *network.EventResponseReceived:
		// The page before may still hear of its own.
		if e.LoaderID == c.loader && strings.Contains(e.Response.URL, "/resolve/?fileuri=") {
			c.statuses[e.Response.URL] = e.Response.Status
		}
	}
}

func (c *chromium) runs(steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	if err := chromedp.Do(c.ctx, steps...); err != nil {
		c.fails(err)
	}
}

// fails keeps a picture of where the browser is.
func (c *chromium) fails(err error) {
	c.t.Helper()
	c.picture("failed")
	at, _ := chromedp.Run(c.ctx, chromedp.Location())
	address, _, _ := strings.Cut(at, "?")
	c.t.Fatalf("%v (at %s; see e2e/%s)", err, address, artefacts)
}

// picture keeps what the browser shows, for whoever wants to look.
func (c *chromium) picture(name string) {
	c.t.Helper()
	png, err := chromedp.Run(c.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		c.t.Logf("no picture: %v", err)
		return
	}
	c.keeps(name, png)
}

// keeps writes a picture among the artefacts.
func (c *chromium) keeps(name string, png []byte) {
	c.t.Helper()
	if err := os.MkdirAll(artefacts, 0o755); err != nil {
		c.t.Fatal(err)
	}
	file := strings.ReplaceAll(c.t.Name(), "/", "-") + "-" + name + ".png"
	if err := os.WriteFile(filepath.Join(artefacts, file), png, 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// signsIn opens the address, gives name and password on the IdP's page, and
// waits until the application shows.
func (c *chromium) signsIn(name string) {
	c.t.Helper()
	c.entersAs(name)
	c.until(`location.origin === ` + quoted(c.demo.Public) + ` && document.querySelector('[class*="menu-header"]') !== null`)
}

// entersAs opens the address and gives name and password on the IdP's page.
func (c *chromium) entersAs(name string) {
	c.t.Helper()
	c.entersAt(name, c.demo.Public+"/")
}

// entersAt does so at another address, which leads to the IdP.
func (c *chromium) entersAt(name, address string) {
	c.t.Helper()
	c.runs(chromedp.Navigate(address))
	c.gives(name)
}

// gives gives name and password on the IdP's page, to which the browser is on
// its way.
func (c *chromium) gives(name string) {
	c.t.Helper()
	var password string
	for _, account := range c.demo.Accounts {
		if account.Name == name {
			password = account.Password
		}
	}
	c.runs(chromedp.WaitVisible(`input[name="password"]`))
	// Keycloak asks whom it knows for the password alone, with a way to be
	// somebody else.
	if _, err := chromedp.Run(c.ctx, chromedp.Evaluate[bool](`(document.querySelector("#`+restartID+`")?.click(), true)`)); err != nil {
		c.fails(err)
	}
	c.runs(
		chromedp.WaitVisible(`input[name="username"]`),
		chromedp.SendKeys(`input[name="username"]`, name),
		chromedp.SendKeys(`input[name="password"]`, password+"\n"),
	)
}

func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// list writes them as JavaScript does.
func list(all []string) string {
	var quotes []string
	for _, one := range all {
		quotes = append(quotes, quoted(one))
	}
	return "[" + strings.Join(quotes, ", ") + "]"
}

// until asks the page again and again, whichever page that is by then.
func (c *chromium) until(condition string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool](condition, chromedp.EvalAwaitPromise))
		if err == nil && holds {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.fails(fmt.Errorf("the page never says yes to %s (%v)", condition, err))
		}
	}
}

// opensProject shows the Data Manager of a project with its thumbnails.
func (c *chromium) opensProject(title string) stack.Project {
	c.t.Helper()
	for _, project := range c.demo.Projects {
		if project.Title == title {
			c.forgetsPage()
			c.runs(chromedp.Navigate(fmt.Sprintf("%s/projects/%d/data", c.demo.Public, project.ID)))
			return project
		}
	}
	c.t.Fatalf("no project %s", title)
	return stack.Project{}
}

// forgetsPage forgets what the tab's page fetched, and fetches until there is
// another.
func (c *chromium) forgetsPage() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loader = "none"
	clear(c.statuses)
}

// fetched gives the statuses of the data fetches once there are this many.
func (c *chromium) fetched(atLeast int) map[string]int64 {
	c.t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		c.mu.Lock()
		enough := len(c.statuses) >= atLeast
		found := make(map[string]int64, len(c.statuses))
		for address, status := range c.statuses {
			found[address] = status
		}
		c.mu.Unlock()
		if enough {
			return found
		}
		select {
		case <-tick.C:
		case <-deadline:
			c.picture("waiting")
			c.t.Fatalf("%d data fetches, not %d", len(found), atLeast)
		}
	}
}

// The whole way in a browser: sign in, see the pictures, sign out, sign in as
// somebody else, and see that these pictures stay closed.
func TestThePicturesShowForWhomTheyAreMeant(t *testing.T) {
	c := opensChromium(t)
	c.signsIn("radiologist")
	before := questions(t)
	c.opensProject("Radiology")
	fetched := c.fetched(8)
	if asked := questions(t) - before; asked > 3 {
		t.Errorf("the page's %d objects were %d questions to Label Studio", len(fetched), asked)
	}
	for address, status := range fetched {
		if status != 200 && status != 304 {
			t.Errorf("the radiologist gets %d for %s", status, shortened(address))
		}
	}
	c.until(shown)
	c.picture("radiologist")

	c.runs(chromedp.Navigate(c.demo.Public + "/logout"))
	c.until(`document.body.innerText.includes("You are signed out")`)
	c.picture("signed-out")

	c.signsIn("researcher") // fails if the login page does not ask again
	c.opensProject("Radiology")
	for address, status := range c.fetched(8) {
		if status != 403 {
			t.Errorf("the researcher gets %d for %s", status, shortened(address))
		}
	}
	c.picture("researcher-refused")
	c.opensProject("Research")
	for address, status := range c.fetched(1) {
		if status != 200 && status != 304 {
			t.Errorf("the researcher gets %d for %s", status, shortened(address))
		}
	}
	c.until(shown)
	c.picture("researcher")
}

// questions counts what Rolepass itself has asked Label Studio.
func questions(t *testing.T) (n int) {
	t.Helper()
	for _, request := range appSaw(t) {
		if !request.FromEnvoy {
			n++
		}
	}
	return n
}

// shown says that pictures of tasks are there and drawn.
const shown = `(() => { const all = [...document.images].filter(i => i.src.includes("/resolve/")); return all.length > 0 && all.every(i => i.complete && i.naturalWidth > 0) })()`

// shortened keeps object keys out of test logs.
func shortened(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address"
	}
	return u.Path
}
