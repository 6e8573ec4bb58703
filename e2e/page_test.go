package e2e_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// pageSize is how many tasks Label Studio's Data Manager asks for at once.
const pageSize = 30

// A whole page of the Data Manager in the browser: each of its pictures arrives,
// byte for byte, and shows. Label Studio gets three questions at most, and STS
// none.
func TestAPageOfThirtyInTheBrowser(t *testing.T) {
	c := opensChromium(t)
	seen := c.watches()
	c.runs(chromedp.EmulateViewport(1440, 3600)) // the rows that are out of sight load nothing
	c.signsIn("radiologist")
	asked, exchanged := questions(t), len(stsSaw(t))
	project := c.opensProject("Radiology")
	first := project.Tasks[:pageSize]
	var addresses []string
	for _, task := range first {
		addresses = append(addresses, fetchPath(task.ID, task.URI))
	}
	c.until(fmt.Sprintf(`(() => { const drawn = [...document.images].filter(i => i.complete && i.naturalWidth === 320).map(i => i.src); return %s.every(a => drawn.includes(location.origin + a)) })()`, list(addresses)))
	c.picture("shows")

	arrived := map[string]bool{}
	for _, x := range seen.ended(t) {
		for i, address := range addresses {
			if x.url != c.demo.Public+address || x.failure != "" && x.aborted {
				continue
			}
			if x.status != 200 || !bytes.Equal(c.body(x), running(t).Object(first[i].URI)) {
				t.Errorf("task %d: %d %s, or other bytes", first[i].ID, x.status, x.failure)
			}
			arrived[address] = true
		}
	}
	if len(arrived) != pageSize {
		t.Errorf("%d pictures arrived, not %d", len(arrived), pageSize)
	}
	if more := questions(t) - asked; more > 3 {
		t.Errorf("Label Studio was asked %d questions", more)
	}
	if more := len(stsSaw(t)) - exchanged; more != 0 {
		t.Errorf("STS was asked %d times", more)
	}
	t.Logf("%d pictures, %d questions to Label Studio, 0 to STS", len(arrived), questions(t)-asked)
}
