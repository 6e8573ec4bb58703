package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/rolepass/rolepass/e2e/stack"
)

// The token service is away when somebody signs in, and comes back: the login
// is finished without the IdP, by that browser, once.
func TestALoginWaitsForTheTokenService(t *testing.T) {
	s := running(t)
	v, other, before := visits(t), visits(t), visits(t)
	before.signsIn("radiologist")
	task := readable(before.project("Radiology"), "radiologist")[0]
	response := v.proves(v.opens(v.demo.Public+"/"), "radiologist")
	var button form
	var waiting float64
	err := s.WithoutSTS(t.Context(), func() {
		back := v.mustBe(v.sends(response, "cross-site"), http.StatusSeeOther)
		at := v.next(back)
		if !strings.Contains(at, "/rolepass/retry?login=") {
			t.Fatalf("the ACS leads to %s", at)
		}
		page := v.mustBe(v.asks("GET", at, nil, asPage...), http.StatusServiceUnavailable)
		button = v.form(page)
		if button.action != at || len(button.values) != 0 || !strings.Contains(string(page.body), "(5 tries left)") {
			t.Errorf("the page at %s has a form to %s with %d values: %s", at, button.action, len(button.values), page.body)
		}
		if waiting = v.metric("rolepass_logins_waiting"); waiting < 1 {
			t.Error("the metrics count no login that waits")
		}
		v.mustBe(v.sends(button, "same-origin"), http.StatusSeeOther) // still away
		v.mustBe(v.sends(button, "cross-site"), http.StatusForbidden)
		v.mustBe(v.fetches(task.ID, task.URI), http.StatusUnauthorized)
		// Who was signed in before goes on.
		before.mustBe(before.fetches(task.ID, task.URI), http.StatusOK)
	})
	if err != nil {
		t.Fatal(err)
	}
	other.mustBe(other.sends(button, "same-origin"), http.StatusUnauthorized)
	asked := len(granted(t, s))
	entered := v.mustBe(v.sends(button, "same-origin"), http.StatusSeeOther)
	if to := v.next(entered); to != v.demo.Public+"/" {
		t.Errorf("the login leads to %s", to)
	}
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
	if still := v.metric("rolepass_logins_waiting"); still >= waiting {
		t.Errorf("the metrics count %v logins that wait, and %v before", still, waiting)
	}
	taken := len(granted(t, s))
	if taken <= asked {
		t.Error("the token service gave nothing")
	}
	// Once more is nobody's: the response, the button, and the button's address.
	v.mustBe(v.sends(button, "same-origin"), http.StatusSeeOther)
	v.mustBe(v.sends(response, "cross-site"), http.StatusSeeOther) // to a fresh login
	v.client.Jar.SetCookies(mustParse(v.demo.Public), []*http.Cookie{{Name: "__Host-rolepass", Value: "", Path: "/", Secure: true, MaxAge: -1}})
	v.mustBe(v.sends(button, "same-origin"), http.StatusUnauthorized)
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusUnauthorized)
	if more := len(granted(t, s)); more != taken {
		t.Errorf("the token service gave credentials %d times more", more-taken)
	}
}

// granted are the calls with which the token service gave credentials.
func granted(t *testing.T, s *stack.Stack) (calls []stack.Exchange) {
	t.Helper()
	all, err := s.Exchanges()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if one.Code == "OK" {
			calls = append(calls, one)
		}
	}
	return calls
}

// The same in a real browser, which decides by itself which cookies and headers
// go with the button, and where its form may lead.
func TestTheButtonThatTriesAgain(t *testing.T) {
	c := opensChromium(t)
	asks := func(tries string) string {
		return `document.body.innerText.includes("` + tries + `") && document.querySelector("form button")?.innerText === "Try again"`
	}
	err := running(t).WithoutSTS(t.Context(), func() {
		c.entersAs("radiologist")
		c.until(asks("5 tries left"))
		c.picture("1-waits")
		c.does(`document.querySelector("form button").click()`)
		c.until(asks("4 tries left"))
		c.runs(chromedp.Reload()) // is no try, and no second response
		c.until(asks("4 tries left"))
	})
	if err != nil {
		t.Fatal(err)
	}
	c.does(`document.querySelector("form button").click()`)
	c.until(`location.origin === ` + quoted(c.demo.Public) + ` && document.querySelector('[class*="menu-header"]') !== null`)
	c.picture("2-signed-in")
	address, err := chromedp.Run(c.ctx, chromedp.Location())
	if at, wrong := url.Parse(address); err != nil || wrong != nil || strings.HasPrefix(at.Path, "/rolepass/") {
		t.Errorf("the browser is at %s (%v)", address, err)
	}
}
