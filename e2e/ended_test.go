package e2e_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The credentials end while somebody annotates, and nothing renews them. The
// editor stays, with what is not saved: the picture that it asks for is refused
// with a status that it survives, what they choose after that is kept, and what
// they submit is saved.
func TestAnEditorOutlivesItsCredentials(t *testing.T) {
	s := running(t)
	const life = 75 * time.Second // so that the editor shows before; nothing is signed in the last half minute
	sts := map[string]any{"sts": []any{map[string]any{"name": "demo", "region": "us-east-1", "endpoint": shortLived(t, s.Demo.STS, life)}}}
	err := s.WithConfig(t.Context(), sts, func() {
		c := opensChromium(t)
		seen := c.watches()
		c.signsIn("researcher")
		project := c.project("Microscopy")
		task := project.Tasks[1]
		page := fmt.Sprintf("/projects/%d/data", project.ID)
		c.runs(chromedp.Navigate(fmt.Sprintf("%s%s?task=%d", c.demo.Public, page, task.ID)))
		c.until(choosing("poor") + ` && ` + chosen("poor"))
		asked := fetchPath(task.ID, task.URI) // by this test; the editor shows it already
		c.until(`fetch(` + quoted(asked) + `, {cache: "no-store"}).then(got => got.status === 403)`)
		c.until(chosen("poor"))
		c.picture("1-ended")

		for _, at := range []string{"2 of 3", "3 of 3"} { // the editor had the second page before
			c.until(`(() => {
				const at = document.querySelector('[class*="pagination__page-indicator"]').innerText.replace(/\s+/g, " ");
				if (!at.includes(` + quoted(at) + `)) document.querySelector('[class*="pagination__btn_arrow-right"]:not([class*="double"])').click();
				return at.includes(` + quoted(at) + `);
			})()`)
		}
		c.until(`document.body.innerText.includes("There was an issue loading URL") && document.body.innerText.includes("Technical description")`)
		c.picture("2-refused")
		refused := func(x exchange) bool { return x.status == 403 && !strings.HasSuffix(x.url, asked) }
		if !slices.ContainsFunc(seen.settled(t), refused) {
			t.Errorf("the editor asked for nothing that is refused: %+v", seen.fetches())
		}
		c.until(`location.pathname === ` + quoted(page) + ` && ` + chosen("poor"))
		c.submits()
		c.picture("3-saved")
		saved := past(t, owner, "GET", fmt.Sprintf("/api/tasks/%d/", task.ID), asJSON, "")
		if !bytes.Contains(saved.body, []byte(`"poor"`)) {
			t.Errorf("what was annotated is not saved: %.2000s", saved.body)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
