package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// shortLived stands before the token service and shortens the life of what it
// gives, as far as Rolepass is told.
func shortLived(t *testing.T, to string, life time.Duration) string {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(mustParse(to))
	expiration := regexp.MustCompile(`<Expiration>[^<]*</Expiration>`)
	proxy.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		body = expiration.ReplaceAll(body, []byte("<Expiration>"+time.Now().Add(life).UTC().Format(time.RFC3339)+"</Expiration>"))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// choosing chooses, and says whether the choice has stood for some seconds: an
// editor that is still loading starts anew.
func choosing(choice string) string {
	return `(() => {
	const label = [...document.querySelectorAll("label")].find(l => l.innerText.trim().startsWith(` + quoted(choice) + `) && l.querySelector("input"));
	if (!label) return false;
	if (!label.querySelector("input").checked) { label.click(); window.chosenAt = undefined; return false }
	window.chosenAt ??= Date.now();
	return Date.now() - window.chosenAt > 4000;
})()`
}

// chosen says that it is chosen.
func chosen(choice string) string {
	return `[...document.querySelectorAll("label")].some(l => l.innerText.trim().startsWith(` + quoted(choice) + `) && l.querySelector("input")?.checked)`
}

// submits sends the annotation, and waits until the editor says that it is kept.
func (c *chromium) submits() {
	c.t.Helper()
	c.does(`[...document.querySelectorAll("button")].find(b => b.innerText.trim() === "Submit").click()`)
	c.until(`document.body.innerText.includes("Update") || [...document.querySelectorAll("button")].some(b => b.innerText.trim() === "Update")`)
}

// Somebody annotates one task for longer than two lives of their credentials,
// with the page that renews open in another tab. Nothing they had not saved is
// lost, what they save is saved, and the next picture shows.
func TestAnnotatingAcrossTwoExpiries(t *testing.T) {
	s := running(t)
	// In the last half minute of its life nothing is signed with a credential.
	const life, signs = time.Minute, 30 * time.Second
	sts := map[string]any{"sts": []any{map[string]any{"name": "demo", "region": "us-east-1", "endpoint": shortLived(t, s.Demo.STS, life)}}}
	err := s.WithConfig(t.Context(), sts, func() {
		c := opensChromium(t)
		c.signsIn("radiologist")
		keep, closes := chromedp.NewContext(c.ctx)
		defer closes()
		if err := chromedp.Do(keep, chromedp.Navigate(c.demo.Public+"/rolepass/keep")); err != nil {
			t.Fatal(err)
		}
		project := c.project("Radiology")
		task := project.Tasks[3]
		c.runs(chromedp.Navigate(fmt.Sprintf("%s/projects/%d/data?task=%d", c.demo.Public, project.ID, task.ID)))
		c.until(`[...document.images].some(i => i.src.startsWith("blob:") && i.naturalWidth > 0)`)
		c.until(choosing("not clear") + ` && ` + chosen("not clear"))
		c.picture("1-chosen")
		began := len(stsSaw(t))

		c.renewed(began, 2*signs)
		if png, err := chromedp.Run(keep, chromedp.CaptureScreenshot()); err == nil {
			c.keeps("2-the-tab-that-renews", png)
		}
		c.until(chosen("not clear")) // the same page, and the same choice
		c.picture("3-two-expiries-later")
		c.submits()
		c.picture("4-saved")

		c.opensProject("Radiology")
		for address, status := range c.fetched(4) {
			if status != 200 && status != 304 {
				t.Errorf("afterwards %s answers %d", shortened(address), status)
			}
		}
		saved := past(t, 1, "GET", fmt.Sprintf("/api/tasks/%d/", task.ID), asJSON, "")
		if !bytes.Contains(saved.body, []byte(`"not clear"`)) {
			t.Errorf("what was annotated is not saved: %.2000s", saved.body)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// renewed waits until a time has passed in which credentials were renewed twice
// at least.
func (c *chromium) renewed(calls int, after time.Duration) {
	c.t.Helper()
	ends, deadline := time.After(after), time.After(after+time.Minute)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	passed := false
	for {
		select {
		case <-ends:
			passed = true
		case <-tick.C:
		case <-deadline:
			c.t.Fatalf("the credentials were renewed %d times", len(stsSaw(c.t))-calls)
		}
		if passed && len(stsSaw(c.t))-calls >= 2 {
			return
		}
	}
}
