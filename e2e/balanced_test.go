package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/rolepass/rolepass/e2e/stack"
)

// here is the address of every browser of these tests. The balancer's is another.
const here = "127.0.0.1"

// balanced starts nginx, with the settings that docs/setup.md has for it, before
// a Rolepass of its own.
func balanced(t *testing.T) *stack.Balanced {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", "setup.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```nginx\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) != 1 {
		t.Fatalf("setup.md has %d blocks for nginx", len(blocks))
	}
	ctx, cancel := startContext()
	defer cancel()
	b, err := running(t).Balanced(ctx, os.Getenv("ROLEPASS_NGINX"), string(blocks[0][1]))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The whole way of a person whose TLS ends at a load balancer; and what somebody
// gains there who writes the balancer's headers.
func TestBehindABalancerThatEndsTLS(t *testing.T) {
	b := balanced(t)
	t.Run("a person in a browser", func(t *testing.T) { worksBehind(t, b) })
	t.Run("a client's own headers", func(t *testing.T) { claimsBehind(t, b) })
	t.Run("past the balancer", func(t *testing.T) { claimsPast(t, b) })
}

func worksBehind(t *testing.T, b *stack.Balanced) {
	c := opensChromium(t, b.Pin)
	c.demo.Public = b.Public
	objects := len(s3Saw(t))
	c.signsIn("radiologist")
	c.opensProject("Radiology")
	for address, status := range c.fetched(8) {
		if status != 200 {
			t.Errorf("the browser gets %d for %s", status, shortened(address))
		}
	}
	c.until(shown)
	exchanged := stsSaw(t)
	seen := s3Saw(t)[objects:]
	for _, request := range seen {
		i := slices.IndexFunc(exchanged, func(e stack.Exchange) bool { return e.AccessKeyID == request.AccessKeyID })
		if i < 0 || !strings.HasSuffix(exchanged[i].Role, ":role/radiology") || exchanged[i].SessionName != visits(t).account("radiologist").Email {
			t.Errorf("S3 was asked with the key %s, which is not of the person's role", request.AccessKeyID)
		}
	}
	if len(seen) < 8 {
		t.Errorf("S3 saw %d requests", len(seen))
	}
	c.keepsItsSession(len(exchanged))
	lines := accessOf(t, b, func(all []accessed) bool { return len(all) > 16 })
	for _, line := range lines {
		if line.Client != here {
			t.Errorf("the access log has the client %s, the browser is %s", line.Client, here)
		}
	}
}

// keepsItsSession opens the application again: no login, no further role, and
// the cookies are such that no plaintext carries them.
func (c *chromium) keepsItsSession(exchanged int) {
	c.t.Helper()
	c.runs(chromedp.Navigate(c.demo.Public + "/projects/"))
	c.until(`location.origin === ` + quoted(c.demo.Public) + ` && document.querySelector('[class*="menu-header"]') !== null`)
	if more := len(stsSaw(c.t)) - exchanged; more != 0 {
		c.t.Errorf("opening the application again took %d roles from STS", more)
	}
	ours := 0
	c.runs(func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		got, err := cdp.Call(ctx, t, network.GetCookies, network.GetCookiesParams{URLs: []string{c.demo.Public}})
		for _, cookie := range got.Cookies {
			if !strings.HasPrefix(cookie.Name, "__Host-") {
				continue
			}
			ours++
			if !cookie.Secure || !cookie.HTTPOnly {
				c.t.Errorf("the cookie %s is Secure %v, HttpOnly %v", cookie.Name, cookie.Secure, cookie.HTTPOnly)
			}
		}
		return none, err
	})
	if ours == 0 {
		c.t.Error("the browser has no cookie of Rolepass's")
	}
}

// claims are what a client says that would be a balancer.
var claims = []string{
	"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: http", "X-Forwarded-Host: evil.test", "X-Forwarded-Port: 1", "X-Real-IP: 6.6.6.6",
	"Forwarded: for=6.6.6.6;host=evil.test;proto=http", "X-Rolepass-Client: 6.6.6.6", "X-Envoy-External-Address: 6.6.6.6",
}

func claimsBehind(t *testing.T, b *stack.Balanced) {
	v := visits(t)
	transport := &http.Transport{DisableCompression: true, TLSClientConfig: b.TLS}
	t.Cleanup(transport.CloseIdleConnections)
	v.client.Transport, v.demo.Public = secrets.Transport("localhost", transport), b.Public
	task := readable(v.project("Radiology"), "radiologist")[0]

	refused := v.mustBe(v.fetches(task.ID, task.URI, claims...), http.StatusUnauthorized)
	if bytes.Contains(refused.body, []byte("evil.test")) {
		t.Errorf("the refusal names the client's host: %.300s", refused.body)
	}
	if line := v.loggedAs(b, refused); line.Client != here {
		t.Errorf("a client that claims to be 6.6.6.6 is logged as %s, and is %s", line.Client, here)
	}
	login := v.asks("GET", b.Public+"/", nil, with(asPage, claims...)...)
	if to := v.next(v.mustBe(login, http.StatusSeeOther)); !strings.HasPrefix(to, b.Public+"/") && !strings.HasPrefix(to, v.demo.IdP+"/") {
		t.Errorf("the login leads to %s", mustParse(to).Host)
	}
	back := v.signsIn("radiologist")
	if to := v.next(back); !strings.HasPrefix(to, b.Public+"/") {
		t.Errorf("the ACS leads to %s", mustParse(to).Host)
	}
	for _, cookie := range append(login.Cookies(), back.Cookies()...) {
		if !cookie.Secure {
			t.Errorf("the cookie %s is not Secure", cookie.Name)
		}
	}
	before := len(appSaw(t))
	v.mustBe(v.asks("GET", b.Public+"/api/projects/", nil, with(asScript, claims...)...), http.StatusOK)
	for _, request := range appSaw(t)[before:] {
		for _, name := range []string{"x-forwarded-host", "x-forwarded-port", "x-real-ip", "forwarded", "x-rolepass-client", "x-envoy-external-address"} {
			if slices.Contains(request.Headers, name) {
				t.Errorf("Label Studio saw the client's %s", name)
			}
		}
	}
	if got := v.mustBe(v.fetches(task.ID, task.URI, claims...), http.StatusOK); !bytes.Equal(got.body, running(t).Object(task.URI)) {
		t.Errorf("%d other bytes arrived", len(got.body))
	}
}

// claimsPast is why nothing else may reach Envoy: it is believed about its
// address. It needs a session all the same, and the public host.
func claimsPast(t *testing.T, b *stack.Balanced) {
	v := visits(t)
	task := readable(v.project("Radiology"), "radiologist")[0]
	asks := func(host string) answer {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+b.Envoy+fetchPath(task.ID, task.URI), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		for _, header := range with(asPicture, "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https") {
			name, value, _ := strings.Cut(header, ": ")
			r.Header.Set(name, value)
		}
		response, err := v.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var body bytes.Buffer
		if _, err := body.ReadFrom(response.Body); err != nil {
			t.Fatal(err)
		}
		return answer{response, body.Bytes()}
	}
	refused := v.mustBe(asks(mustParse(b.Public).Host), http.StatusUnauthorized)
	if line := v.loggedAs(b, refused); line.Client != "203.0.113.9" {
		t.Errorf("whoever passes the balancer is logged as %s: the documentation says that they choose", line.Client)
	}
	v.mustBe(asks("evil.test"), http.StatusMisdirectedRequest)
}

// accessed is what the access log says of one request.
type accessed struct {
	Request string `json:"request"`
	Client  string `json:"client"`
}

// loggedAs is the line of a refusal.
func (v *visitor) loggedAs(b *stack.Balanced, refused answer) accessed {
	v.t.Helper()
	var said struct {
		ID string `json:"request_id"`
	}
	if err := json.Unmarshal(refused.body, &said); err != nil || said.ID == "" {
		v.t.Fatalf("a refusal without a request id: %.300s", refused.body)
	}
	is := func(line accessed) bool { return line.Request == said.ID }
	all := accessOf(v.t, b, func(all []accessed) bool { return slices.ContainsFunc(all, is) })
	return all[slices.IndexFunc(all, is)]
}

// accessOf reads the access log when it holds what is waited for.
func accessOf(t testing.TB, b *stack.Balanced, enough func([]accessed) bool) []accessed {
	t.Helper()
	deadline, tick := time.After(logPatience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(b.Access)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		var all []accessed
		for line := range bytes.Lines(text) {
			var one accessed
			if json.Unmarshal(line, &one) == nil { // the last line may be half written
				all = append(all, one)
			}
		}
		if enough(all) {
			return all
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the access log has %d lines, and not what is waited for", len(all))
		}
	}
}
