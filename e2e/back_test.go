package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A browser puts pages away as they are left, and shows them again to who goes
// back. That is Label Studio alone, after its logout: the pictures are there,
// though nobody is signed in. With Rolepass the way back leads to the login, or
// to what the next person may see.
func TestTheWayBackShowsNothing(t *testing.T) {
	t.Run("alone", func(t *testing.T) {
		m := visits(t).asMember("radiologist")
		uri := readable(m.project("Radiology"), "radiologist")[9].URI
		project, _ := m.ownProject("imaging", "radiology", uri)
		alone, err := running(t).Alone()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(alone.Close)
		alone.SignsIn(m.id)
		c := opensChromium(t)
		c.leavesBehind(alone.Public, project)
		alone.SignsIn(0)
		c.runs(chromedp.Navigate(alone.Public + "/user/login/"))
		c.goesBack(alone.Public, project)
		c.until(leftBehind + ` && ` + shown)
		c.picture("shows")
	})
	t.Run("after a logout", func(t *testing.T) {
		c := opensRedirected(t, "radiologist")
		project := c.project("Radiology").ID
		c.leavesBehind(c.demo.Public, project)
		c.runs(chromedp.Navigate(c.demo.Public + "/logout"))
		c.until(`document.body.innerText.includes("You are signed out") && document.readyState === "complete"`)
		c.goesBack(c.demo.Public, project)
		c.until(`document.querySelector('input[name="password"]') !== null`)
		c.nothingShows()
	})
	t.Run("after a login on top", func(t *testing.T) {
		c := opensRedirected(t, "radiologist")
		project := c.project("Radiology").ID
		c.leavesBehind(c.demo.Public, project)
		c.signsInOnTop("researcher")
		c.goesBack(c.demo.Public, project)
		c.until(`!` + leftBehind + ` && location.pathname.startsWith("/projects/` + fmt.Sprint(project) + `/data")`)
		for address, status := range c.fetched(8) {
			if status != 403 {
				t.Errorf("the next person gets %d for %s", status, shortened(address))
			}
		}
		c.nothingShows()
	})
}

// leftBehind says that the page is the one that was left, and no other at its
// address.
const leftBehind = `(window.leftBehind === true)`

// leavesBehind shows the pictures of a project, and marks the page.
func (c *chromium) leavesBehind(origin string, project int64) {
	c.t.Helper()
	c.runs(chromedp.Navigate(fmt.Sprintf("%s/projects/%d/data", origin, project)))
	c.until(shown)
	c.does(`window.leftBehind = true`)
}

// goesBack leads the browser back to a project's page, as the button does.
func (c *chromium) goesBack(origin string, project int64) {
	c.t.Helper()
	history, err := chromedp.Run(c.ctx, chromedp.NavigationEntries())
	if err != nil {
		c.fails(err)
	}
	for _, entry := range slices.Backward(history.Entries) {
		if strings.HasPrefix(entry.URL, fmt.Sprintf("%s/projects/%d/data", origin, project)) {
			c.forgetsPage()
			// chromedp's own way waits for a load, which a page that was put away has behind it.
			if _, err := chromedp.Call(c.ctx, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: entry.ID}); err != nil {
				c.fails(err)
			}
			return
		}
	}
	c.t.Fatal("the browser has not been there")
}

// signsInOnTop has somebody take over the browser: the identity provider has
// forgotten the person before, Rolepass has not.
func (c *chromium) signsInOnTop(name string) {
	c.t.Helper()
	if _, err := chromedp.Call(c.ctx, network.DeleteCookies, network.DeleteCookiesParams{Name: "idp_session", URL: c.demo.IdP}); err != nil {
		c.fails(err)
	}
	c.entersAt(name, c.demo.Public+"/rolepass/login?to=%2Fprojects%2F")
	c.until(`location.origin === ` + quoted(c.demo.Public) + ` && document.querySelector('[class*="menu-header"]') !== null`)
}
