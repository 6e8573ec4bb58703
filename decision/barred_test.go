package decision_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/decision"
)

// Whom the application no longer has is told so by the page that they open.
// Whatever else goes wrong with the question is the application's to say.
func TestWhomTheApplicationNoLongerHas(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		kind   decision.Kind
		code   string
	}{
		"a member":           {func(out http.ResponseWriter) { fmt.Fprint(out, `{"id": 42, "email": "ada@example.com"}`) }, decision.Pass, "pass"},
		"removed":            {func(out http.ResponseWriter) { fmt.Fprint(out, `{"id": 42, "email": "Deleted"}`) }, decision.Refuse, "app_account_removed"},
		"deactivated":        {func(out http.ResponseWriter) { out.WriteHeader(http.StatusUnauthorized) }, decision.Refuse, "app_account_inactive"},
		"of no organization": {func(out http.ResponseWriter) { out.WriteHeader(http.StatusInternalServerError) }, decision.Refuse, "app_account_shut"},
		"out of order":       {func(out http.ResponseWriter) { out.WriteHeader(http.StatusBadGateway) }, decision.Pass, "pass"},
		"nonsense":           {func(out http.ResponseWriter) { fmt.Fprint(out, `<html>`) }, decision.Pass, "pass"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.app = func(out http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/current-user/whoami" || r.Header.Get("Authorization") != "Bearer of-42" {
					t.Errorf("asked %s as %q", r.URL.Path, r.Header.Get("Authorization"))
				}
				c.answer(out)
			}
			page := request("GET", "/projects/", w.signedIn(radiology))
			page.FetchMode, page.FetchDest, page.Accept = "navigate", "document", "text/html"
			got := w.Decide(t.Context(), page)
			if got.Kind != c.kind || string(got.Code) != c.code {
				t.Errorf("decided %v %s", got.Kind, got.Code)
			}
			if c.kind == decision.Refuse && (got.Answer.Status != 403 || !strings.Contains(string(got.Answer.Body), "our account")) {
				t.Errorf("the page is %d: %s", got.Answer.Status, got.Answer.Body)
			}
		})
	}
}

// What a page's scripts ask for passes unasked: only a person reads a sentence.
func TestNobodyIsAskedAboutForAScript(t *testing.T) {
	w := newWorld(t)
	w.app = func(http.ResponseWriter, *http.Request) { t.Error("the application was asked") }
	script := request("GET", "/api/projects/", w.signedIn(radiology))
	script.FetchMode, script.FetchDest = "cors", "empty"
	if got := w.Decide(t.Context(), script); got.Kind != decision.Pass {
		t.Errorf("decided %v %s", got.Kind, got.Code)
	}
}
