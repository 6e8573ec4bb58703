package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// foreignPages are pages of somebody else's that make a project in the
// application, %[1]s, if they can: by a form that sends itself, and by a script
// that cannot read the answer and need not.
var foreignPages = map[string]string{
	"form":   `<form method="post" action="%[1]s/api/projects/"><input name="title" value="%[2]s"></form><script>document.forms[0].submit()</script>`,
	"text":   `<form method="post" enctype="text/plain" action="%[1]s/api/projects/"><input name='{"title": "%[2]s", "description": "' value='"}'></form><script>document.forms[0].submit()</script>`,
	"script": `<script>fetch("%[1]s/api/projects/", {method: "POST", mode: "no-cors", credentials: "include", headers: {"Content-Type": "application/x-www-form-urlencoded"}, body: "title=%[2]s"}).finally(() => { document.title = "sent" })</script>`,
}

// The application takes our bearer without any token of its own against forgery,
// so nothing may come to it that a page of somebody else's has a browser send:
// not from another site, for which the browser keeps our cookie back, and not
// from another origin of the same site, to which it does not.
func TestAnotherSitesPageChangesNothing(t *testing.T) {
	const title = "Made-by-another-site"
	c := opensChromium(t)
	c.signsIn("radiologist")
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html>"+foreignPages[strings.TrimPrefix(r.URL.Path, "/")], c.demo.Public, title)
	}))
	defer elsewhere.Close()
	origins := map[string]string{"another site": elsewhere.URL, "the same site": strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)}
	for from, origin := range origins {
		for name := range foreignPages {
			before, told := len(appSaw(t)), len(auditOf(t, c.demo.Logs["audit"]))
			c.runs(chromedp.Navigate(origin + "/" + name))
			c.until(`document.title === "sent" || location.origin === ` + quoted(c.demo.Public))
			for _, request := range appSaw(t)[before:] {
				if request.FromEnvoy && request.Method == http.MethodPost {
					t.Errorf("a %s of %s came to Label Studio: %d", name, from, request.Status)
				}
			}
			if from == "the same site" { // else nobody's request was refused
				eventually(t, fmt.Sprintf("the audit to have a %s of %s, refused as somebody's", name, from), func() (all []audited, refused bool) {
					all = auditOf(t, c.demo.Logs["audit"])[told:]
					return all, slices.ContainsFunc(all, func(one audited) bool { return one.Code == "cross_origin" && one.Who != "" })
				})
			}
		}
	}
	projects := func() []byte {
		return past(t, owner, "GET", "/api/projects/?page_size=1000", asJSON, "").body
	}
	if bytes.Contains(projects(), []byte(title)) {
		t.Error("there is such a project now")
	}
	// The application's own page makes it with the same request.
	c.runs(chromedp.Navigate(c.demo.Public + "/projects/"))
	c.until(`fetch("/api/projects/", {method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded"}, body: "title=` + title + `"}).then(got => got.status === 201)`)
	if !bytes.Contains(projects(), []byte(title)) {
		t.Error("the application's own page made no project: the test proves nothing")
	}
}
