//go:build idps

package idps

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"golang.org/x/net/html"
)

// browser keeps cookies, follows redirects and sends forms. It takes loopback
// for trustworthy, as browsers do: Secure cookies go there over plain http.
type browser struct {
	t      *testing.T
	client *http.Client
}

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

func opensBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, client: &http.Client{Transport: secrets.Transport("localhost", transport), Jar: trustworthy{jar},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// page is an answer, read to its end.
type page struct {
	*http.Response
	body string
}

func (b *browser) asks(method, address string, body io.Reader, headers map[string]string) page {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{response, string(text)}
}

// navigation is what a browser says of itself when a person opens a page.
func navigation(site string) map[string]string {
	return map[string]string{"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": site}
}

// opens goes to an address and follows the redirects.
func (b *browser) opens(address string) page {
	b.t.Helper()
	return b.follows(b.asks("GET", address, nil, navigation("none")))
}

func (b *browser) follows(p page) page {
	b.t.Helper()
	for range 12 {
		if p.StatusCode/100 != 3 {
			return p
		}
		to, err := p.Location()
		if err != nil {
			b.t.Fatal(err)
		}
		p = b.asks("GET", to.String(), nil, navigation("cross-site"))
	}
	b.t.Fatalf("redirects without an end, at last to %s", p.Request.URL)
	return page{}
}

// form is the first form of a page.
func (b *browser) form(p page) (action string, values url.Values) {
	b.t.Helper()
	root, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		b.t.Fatal(err)
	}
	values = url.Values{}
	found := false
	for node := range root.Descendants() {
		switch node.Data {
		case "form":
			if !found {
				found, action = true, attribute(node, "action")
			}
		case "input":
			if name := attribute(node, "name"); name != "" {
				values.Set(name, attribute(node, "value"))
			}
		}
	}
	if !found {
		b.t.Fatalf("no form at %s (%s): %.600s", p.Request.URL, p.Status, p.body)
	}
	to, err := p.Request.URL.Parse(action)
	if err != nil {
		b.t.Fatal(err)
	}
	return to.String(), values
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// sends sends the form of a page, with values of the person's own.
func (b *browser) sends(p page, own map[string]string) page {
	b.t.Helper()
	action, values := b.form(p)
	for name, value := range own {
		values.Set(name, value)
	}
	headers := navigation("cross-site")
	headers["Content-Type"] = "application/x-www-form-urlencoded"
	return b.asks("POST", action, strings.NewReader(values.Encode()), headers)
}

// linked gives the address of the first link whose text has a word in it.
func (b *browser) linked(p page, word string) string {
	b.t.Helper()
	root, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		b.t.Fatal(err)
	}
	for node := range root.Descendants() {
		if node.Data != "a" || node.FirstChild == nil || !strings.Contains(node.FirstChild.Data, word) {
			continue
		}
		to, err := p.Request.URL.Parse(attribute(node, "href"))
		if err != nil {
			b.t.Fatal(err)
		}
		return to.String()
	}
	b.t.Fatalf("no link %q on the page (%s): %.600s", word, p.Status, p.body)
	return ""
}

// fetches asks for an object as the page of a task does, and gives the answer.
func (b *browser) fetches(public string, task int64, uri string) page {
	b.t.Helper()
	return b.asks("GET", public+"/tasks/"+strconv.FormatInt(task, 10)+"/resolve/?fileuri="+base64.URLEncoding.EncodeToString([]byte(uri)), nil,
		map[string]string{"Accept": "image/*", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "same-origin"})
}

// response is a SAML response on its way, for tests that ask what the provider
// has written. Nothing of it is verified.
type response struct{ root *etree.Element }

// responseOf reads the form by which a provider posts its response.
func responseOf(t *testing.T, p page) response {
	t.Helper()
	b := &browser{t: t}
	_, values := b.form(p)
	text, err := base64.StdEncoding.DecodeString(values.Get("SAMLResponse"))
	if err != nil {
		t.Fatal(err)
	}
	document := etree.NewDocument()
	if err := document.ReadFromBytes(text); err != nil || document.Root() == nil {
		t.Fatalf("the provider posts no response: %v", err)
	}
	return response{document.Root()}
}

func (r response) has(local string) bool { return r.root.SelectElement(local) != nil }

// texts are what stands in the elements of this name, wherever they are.
func (r response) texts(local string) (all []string) {
	for _, e := range r.root.FindElements("//" + local) {
		all = append(all, e.Text())
	}
	return all
}
