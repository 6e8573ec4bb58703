package e2e_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// shadowAgent marks the requests of the story below: only there does Label
// Studio see data fetches.
const (
	shadowAgent = "in-shadow"
	inShadow    = "User-Agent: " + shadowAgent
)

// In shadow everything goes on to Label Studio as it came, and what would have
// been decided is written down and counted.
func TestInShadowEverythingGoesOn(t *testing.T) {
	err := running(t).WithConfig(t.Context(), map[string]any{"mode": "shadow"}, func() {
		v := visits(t)
		task := readable(v.project("Radiology"), "radiologist")[0]
		page := v.asks("GET", v.demo.Public+"/projects/", nil, with(asPage, inShadow)...)
		if to := page.Header.Get("Location"); page.StatusCode/100 != 3 || !strings.HasPrefix(to, "/user/login") {
			t.Errorf("nobody's page: %s to %q, and not Label Studio's own login", page.Status, to)
		}
		before, s3 := len(appSaw(t)), len(s3Saw(t))
		visits(t).asks("POST", v.demo.Public+"/api/projects/", strings.NewReader("{}"), with(asScript, inShadow, "Origin: https://elsewhere.example",
			"Authorization: Token of-the-app", "X-Api-Key: of-the-app", "Cookie: sessionid=of-the-app; theme=dark", "Content-Type: application/json")...)
		if seen := appSaw(t)[before:]; len(seen) != 1 || seen[0].Scheme != "Token" || !slices.Contains(seen[0].Headers, "x-api-key") || !slices.Equal(seen[0].Cookies, []string{"sessionid", "theme"}) {
			t.Errorf("a request to the API arrived as %+v", seen)
		}

		form := v.proves(v.opens(v.demo.Public+"/rolepass/login"), "radiologist") // people may try it
		v.mustBe(v.sends(form, "cross-site"), http.StatusSeeOther)
		before = len(appSaw(t))
		for _, uri := range []string{task.URI, v.project("Research").Tasks[0].URI} {
			v.asks("GET", v.fetching(task.ID, uri), nil, with(asPicture, inShadow, "Cookie: theme=dark")...)
		}
		fetched := 0
		for _, seen := range appSaw(t)[before:] {
			if !strings.Contains(seen.Target, "/resolve/") {
				continue // what Rolepass asks, to decide
			}
			fetched++
			// The application's own session is the browser's business; ours is not the application's.
			if seen.Scheme != "" || !slices.Contains(seen.Cookies, "theme") || slices.ContainsFunc(seen.Cookies, func(name string) bool { return strings.HasPrefix(name, "__Host-rolepass") }) {
				t.Errorf("a fetch arrived as %+v", seen)
			}
		}
		if more := len(s3Saw(t)) - s3; fetched != 2 || more != 0 {
			t.Errorf("of two fetches Label Studio saw %d, and S3 %d", fetched, more)
		}

		metrics := string(v.mustBe(v.asks("GET", v.demo.Admin+"/metrics", nil), http.StatusOK).body)
		for _, line := range []string{"rolepass_shadow 1", `rolepass_shadow_decisions_total{code="stream",kind="stream"} 1`, `rolepass_shadow_decisions_total{code="no_grant",kind="refuse"} 1`} {
			if !strings.Contains(metrics, line+"\n") {
				t.Errorf("the metrics do not have %s", line)
			}
		}
		if strings.Contains(metrics, `rolepass_decisions_total{code="no_grant"`) {
			t.Error("what was not enforced is counted as if it was")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	audit, err := os.ReadFile(running(t).Demo.Logs["audit"])
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(running(t).Demo.Logs["rolepass"])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(audit), `"code":"no_grant"`) || !strings.Contains(string(audit), `"shadow":true`) || !strings.Contains(string(log), "SHADOW MODE") {
		t.Error("the audit has no decision with its mark, or the log no warning")
	}
}
