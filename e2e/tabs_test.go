package e2e_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// tab opens another one of the same browser.
func (c *chromium) tab() *chromium {
	c.t.Helper()
	ctx, closes := chromedp.NewContext(c.ctx)
	c.t.Cleanup(closes)
	if err := chromedp.Do(ctx); err != nil {
		c.t.Fatal(err)
	}
	ctx, timeout := context.WithTimeout(ctx, browserPatience)
	c.t.Cleanup(timeout)
	other := &chromium{t: c.t, ctx: ctx, demo: c.demo, statuses: map[string]int64{}}
	if err := chromedp.Listen(ctx, other.hears); err != nil {
		c.t.Fatal(err)
	}
	return other
}

// calls sends a command of the browser's protocol.
func calls[P, R any](c *chromium, command cdp.Command[P, R], with P) {
	c.t.Helper()
	c.runs(func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		_, err = cdp.Call(ctx, t, command, with)
		return none, err
	})
}

// forgetsCookie takes a cookie of an address away.
func (c *chromium) forgetsCookie(name, address string) {
	c.t.Helper()
	calls(c, network.DeleteCookies, network.DeleteCookiesParams{Name: name, URL: address})
}

// looked is what a page sees of an address that it asks for in some way.
type looked struct {
	Way    string
	Status int
	Bytes  int
}

// look asks for an address in every way that a page can: from the network, from
// the cache alone, from the cache though it is stale, and as a picture.
const look = `(async address => {
	const seen = [];
	for (const cache of ["default", "no-cache", "reload", "force-cache", "only-if-cached"]) {
		const mode = "same-origin";
		try {
			const got = await fetch(address, {cache, mode});
			seen.push({way: cache, status: got.status, bytes: (await got.arrayBuffer()).byteLength});
		} catch { seen.push({way: cache, status: 0, bytes: 0}) }
	}
	for (const crossOrigin of [null, "anonymous"]) {
		const picture = new Image();
		picture.crossOrigin = crossOrigin;
		picture.src = address;
		try { await picture.decode() } catch { }
		seen.push({way: "picture", status: picture.naturalWidth > 0 ? 200 : 0, bytes: picture.naturalWidth});
	}
	window.looked = JSON.stringify(seen);
})`

// looksAt gives what the page sees of an address.
func (c *chromium) looksAt(address string) []looked {
	c.t.Helper()
	c.does(`window.looked = undefined; void ` + look + `(` + quoted(address) + `)`)
	c.until(`window.looked !== undefined`)
	text, err := chromedp.Run(c.ctx, chromedp.Evaluate[string](`window.looked`))
	if err != nil {
		c.fails(err)
	}
	var seen []looked
	if err := json.Unmarshal([]byte(text), &seen); err != nil {
		c.t.Fatal(err)
	}
	return seen
}

// seesNothing fails if any way gives the object.
func (c *chromium) seesNothing(who, address string) {
	c.t.Helper()
	for _, one := range c.looksAt(address) {
		if one.Status == 200 || one.Status == 304 {
			c.t.Errorf("%s: by %q the page sees %d bytes of somebody else's object (%d)", who, one.Way, one.Bytes, one.Status)
		}
	}
}

// anObject gives the address of one that the page has just shown.
func (c *chromium) anObject() string {
	c.t.Helper()
	for address, status := range c.fetched(8) {
		if status == 200 {
			return address
		}
	}
	c.t.Fatal("the page has fetched no object")
	return ""
}

// becomes signs somebody in on top, whoever is signed in: the identity provider
// no longer knows the browser.
func (c *chromium) becomes(name string) {
	c.t.Helper()
	c.forgetsCookie("idp_session", c.demo.IdP)
	c.runs(chromedp.Navigate(c.demo.Public + "/rolepass/login"))
	c.gives(name)
	c.until(`location.origin === ` + quoted(c.demo.Public) + ` && document.querySelector('[class*="menu-header"]') !== null`)
}

// Several people at one browser: whoever is signed in gets their own objects,
// and of those of the one before not a byte, neither from the network nor from
// what the browser kept, in the tab of the one before either.
func TestSeveralPeopleInOneBrowser(t *testing.T) {
	for name, next := range map[string]func(c *chromium){
		"signed in on top": func(c *chromium) { c.becomes("researcher") },
		"after the session has ended": func(c *chromium) {
			c.forgetsCookie("__Host-rolepass", c.demo.Public)
			c.becomes("researcher")
		},
		"after signing out": func(c *chromium) {
			c.runs(chromedp.Navigate(c.demo.Public + "/logout"))
			c.until(`document.body.innerText.includes("You are signed out")`)
			c.signsIn("researcher")
		},
	} {
		t.Run(name, func(t *testing.T) {
			first := opensChromium(t)
			first.signsIn("radiologist")
			first.opensProject("Radiology")
			object := first.anObject()
			first.until(shown)
			kept := 0
			for _, one := range first.looksAt(object) {
				if one.Status == 200 {
					kept++
				}
			}
			if kept != 7 {
				t.Fatalf("the object's own reader sees it in %d ways of 7: the test proves nothing", kept)
			}

			second := first.tab()
			next(second)
			second.opensProject("Research")
			own := ""
			for address, status := range second.fetched(1) {
				if status == 200 {
					own = address
				}
			}
			if own == "" {
				t.Fatal("the second sees nothing of their own")
			}
			second.seesNothing("the second's tab", object)
			first.seesNothing("the first's tab, still open", object)
			// The first's tab is the second's now: it has their roles, and no others.
			for _, one := range first.looksAt(own)[:3] {
				if one.Status != 200 {
					t.Errorf("in the first's tab the second's object answers %d by %q", one.Status, one.Way)
				}
			}
			second.picture("second")

			// And back: the same for the first, of what the second saw.
			second.becomes("radiologist")
			second.opensProject("Radiology")
			second.until(shown)
			second.seesNothing("the first again", own)
		})
	}
}

// notified stands in for the browser's notifications, and remembers them.
const notified = `window.notified = []; window.Notification = class { static permission = "granted"; constructor(text) { window.notified.push(text) } }`

// keepsOpen opens the page that renews, in a tab of its own.
func (c *chromium) keepsOpen() *chromium {
	c.t.Helper()
	keep := c.tab()
	calls(keep, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: notified})
	keep.runs(chromedp.Navigate(c.demo.Public + "/rolepass/keep"))
	return keep
}

// Who cannot be renewed without being asked, or not at all, is told in time: in
// the title of the tab, by a notification, and with what there is to do. The
// editor in the other tab stays as it is, and goes on when it is done.
func TestWhoCannotBeRenewedIsToldInTime(t *testing.T) {
	s := running(t)
	const life = 75 * time.Second // the last half minute is not signed with
	sts := map[string]any{"sts": []any{map[string]any{"name": "demo", "region": "us-east-1", "endpoint": shortLived(t, s.Demo.STS, life)}}}
	err := s.WithConfig(t.Context(), sts, func() {
		c := opensChromium(t)
		c.signsIn("radiologist")
		c.opensProject("Radiology")
		c.until(shown)
		keep := c.keepsOpen()
		keep.until(`document.title.endsWith("Data access stays on") && !document.title.startsWith("⚠") && window.notified.length === 0`)

		// The identity provider wants a password.
		keep.forgetsCookie("idp_session", c.demo.IdP)
		keep.until(`location.pathname === "/rolepass/keep" && document.title.startsWith("⚠") && document.title.endsWith("Sign in to keep data access")`)
		keep.until(`window.notified.includes("Data access needs you before it ends. Look at its tab.") && document.querySelector("output").value.includes(":")`)
		keep.picture("1-asked")
		c.until(shown)
		keep.does(`document.querySelector("a.button").click()`)
		keep.gives("radiologist")
		keep.until(`location.pathname === "/rolepass/keep" && !document.title.startsWith("⚠") && document.title.endsWith("Data access stays on")`)

		// Its page does not answer at all.
		calls(keep, network.Enable, network.EnableParams{})
		calls(keep, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{{URLPattern: c.demo.IdP + "/*", Block: true}}})
		keep.until(`document.title.startsWith("⚠") && !document.querySelector("#down").hidden && window.notified.length > 0`)
		keep.picture("2-down")
		began := len(stsSaw(t))
		calls(keep, network.SetBlockedURLs, network.SetBlockedURLsParams{})
		keep.until(`document.title.endsWith("Data access stays on") && !document.title.startsWith("⚠")`)
		if len(stsSaw(t)) == began {
			t.Error("nothing was renewed")
		}
		c.opensProject("Radiology")
		c.until(shown)
	})
	if err != nil {
		t.Fatal(err)
	}
}
