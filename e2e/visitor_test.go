package e2e_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/rolepass/rolepass/e2e/stack"
)

// visitor is a browser without a screen: it keeps cookies, fills in forms and
// follows redirects one by one, when it is told to.
type visitor struct {
	t      testing.TB
	demo   stack.Demo
	client *http.Client
}

// visits gives a new visitor, whom nobody knows.
func visits(t testing.TB) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true, TLSClientConfig: running(t).TLS()}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{t: t, demo: running(t).Demo, client: &http.Client{
		Transport:     secrets.Transport("localhost", transport),
		Jar:           trustworthy{jar},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// trustworthy is a cookie jar that treats loopback as browsers do: Secure
// cookies go there over plain http, too (Secure Contexts §3.1).
type trustworthy struct{ jar http.CookieJar }

func (j trustworthy) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.jar.SetCookies(secure(u), cookies)
}
func (j trustworthy) Cookies(u *url.URL) []*http.Cookie { return j.jar.Cookies(secure(u)) }

func secure(u *url.URL) *url.URL {
	as := *u
	as.Scheme = "https"
	return &as
}

// answer is a response, read to its end.
type answer struct {
	*http.Response
	body []byte
}

// asks sends one request, with headers given as "Name: value".
func (v *visitor) asks(method, address string, body io.Reader, headers ...string) answer {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, address, body)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	response, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{response, text}
}

// Headers of a browser that loads a picture of a page, and that opens a page.
var (
	asPicture = []string{"Accept: image/avif,image/webp,*/*", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}
	asPage    = []string{"Accept: text/html,application/xhtml+xml", "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}
	asScript  = []string{"Accept: application/json", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"}
)

func with(headers []string, more ...string) []string {
	return append(headers[:len(headers):len(headers)], more...)
}

// opens follows redirects from an address to the page at their end.
func (v *visitor) opens(address string) answer {
	v.t.Helper()
	for range 10 {
		page := v.asks("GET", address, nil, asPage...)
		if page.StatusCode/100 != 3 {
			return page
		}
		address = v.next(page)
	}
	v.t.Fatalf("redirects without an end, at last to %s", address)
	return answer{}
}

func (v *visitor) next(page answer) string {
	v.t.Helper()
	to, err := page.Location()
	if err != nil {
		v.t.Fatal(err)
	}
	return to.String()
}

// form is the one form of a page, with the values that it has already.
type form struct {
	method, action string
	values         url.Values
}

func (v *visitor) form(page answer) form {
	v.t.Helper()
	root, err := html.Parse(strings.NewReader(string(page.body)))
	if err != nil {
		v.t.Fatal(err)
	}
	found := form{values: url.Values{}}
	for node := range root.Descendants() {
		switch node.Data {
		case "form":
			found.method, found.action = attribute(node, "method"), attribute(node, "action")
		case "input":
			if name := attribute(node, "name"); name != "" {
				found.values.Set(name, attribute(node, "value"))
			}
		}
	}
	if found.method == "" {
		v.t.Fatalf("no form on the page at %s (%s): %.300s", page.Request.URL.Redacted(), page.Status, page.body)
	}
	at, err := page.Request.URL.Parse(found.action)
	if err != nil {
		v.t.Fatal(err)
	}
	found.action = at.String()
	return found
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// sends submits a form. The browser names the site that it comes from.
func (v *visitor) sends(f form, site string) answer {
	v.t.Helper()
	return v.asks(strings.ToUpper(f.method), f.action, strings.NewReader(f.values.Encode()),
		"Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: "+site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Accept: text/html")
}

// account finds an account of the demo.
func (v *visitor) account(name string) stack.Account {
	v.t.Helper()
	for _, account := range v.demo.Accounts {
		if account.Name == name {
			return account
		}
	}
	if account, ok := enrolled[name]; ok {
		return account
	}
	for _, quiet := range []stack.Account{stack.Resident(), running(v.t).Ward()} {
		if quiet.Name == name {
			return quiet
		}
	}
	v.t.Fatalf("no account %s", name)
	return stack.Account{}
}

// restartID is what Keycloak lets whom it knows, and whom it asks for the
// password alone, be somebody else by.
const restartID = "reset-login"

// restarts finds where that leads, or nothing. It is a button with a script.
func (v *visitor) restarts(page answer) string {
	v.t.Helper()
	root, err := html.Parse(strings.NewReader(string(page.body)))
	if err != nil {
		v.t.Fatal(err)
	}
	for node := range root.Descendants() {
		if attribute(node, "id") != restartID {
			continue
		}
		_, script, _ := strings.Cut(attribute(node, "onclick"), "location.href='")
		address, _, _ := strings.Cut(script, "'")
		to, err := page.Request.URL.Parse(address)
		if address == "" || err != nil {
			v.t.Fatalf("the button %s leads to %q (%v)", restartID, address, err)
		}
		return to.String()
	}
	return ""
}

// proves gives name and password at the IdP, on its login page, and comes back
// with the form for the ACS.
func (v *visitor) proves(page answer, name string) form {
	v.t.Helper()
	if another := v.restarts(page); another != "" {
		page = v.opens(another)
	}
	login := v.form(page)
	login.values.Set("username", name)
	login.values.Set("password", v.account(name).Password)
	response := v.sends(login, "same-origin")
	for response.StatusCode/100 == 3 {
		response = v.asks("GET", v.next(response), nil, asPage...)
	}
	return v.form(response)
}

// signsIn goes all the way: the front page, the IdP, the ACS.
func (v *visitor) signsIn(name string) answer {
	v.t.Helper()
	back := v.sends(v.proves(v.opens(v.demo.Public+"/"), name), "cross-site")
	if back.StatusCode != http.StatusSeeOther {
		v.t.Fatalf("signing in as %s: the ACS answered %s: %.500s", name, back.Status, back.body)
	}
	return back
}

// fetches asks for an object of a task as the page of the task does.
func (v *visitor) fetches(task int64, uri string, headers ...string) answer {
	v.t.Helper()
	return v.asks("GET", v.fetching(task, uri), nil, with(asPicture, headers...)...)
}

func (v *visitor) fetching(task int64, uri string) string {
	return v.demo.Public + fetchPath(task, uri)
}

// fetchPath is how Label Studio's pages write an object's address.
func fetchPath(task int64, uri string) string {
	return "/tasks/" + strconv.FormatInt(task, 10) + "/resolve/?fileuri=" + base64.URLEncoding.EncodeToString([]byte(uri))
}

// project finds a project of the demo.
func (v *visitor) project(title string) stack.Project {
	v.t.Helper()
	for _, project := range v.demo.Projects {
		if project.Title == title {
			return project
		}
	}
	v.t.Fatalf("no project %s", title)
	return stack.Project{}
}

// mustBe fails unless the answer has this status.
func (v *visitor) mustBe(got answer, status int) answer {
	v.t.Helper()
	if got.StatusCode != status {
		v.t.Fatalf("%s %s: %s, want %d: %.300s", got.Request.Method, fmt.Sprint(got.Request.URL.Path), got.Status, status, got.body)
	}
	return got
}

func mustParse(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u
}
