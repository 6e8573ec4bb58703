package login_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/login"
)

// TestManyParametersCostLittle: a form of more parameters than any IdP posts
// is refused before what it holds is looked at, for less than a hundred times
// its bytes (GO-2026-4341).
func TestManyParametersCostLittle(t *testing.T) {
	w := newWorld(t)
	var body strings.Builder
	body.WriteString("SAMLResponse=x")
	for i := range 15_000 {
		fmt.Fprintf(&body, "&%x", i)
	}
	r := posting("x", "")
	r.Body = []byte(body.String())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	page := w.browser().asks(r)
	runtime.ReadMemStats(&after)
	if page.Refusal == nil || page.Refusal.Code != login.CodeACSForm || !strings.Contains(page.Refusal.Sentence, "cannot be read") {
		t.Errorf("%d, %v", page.Status, page.Refusal)
	}
	if cost := after.TotalAlloc - before.TotalAlloc; cost > uint64(100*body.Len()) {
		t.Errorf("%d bytes for %d", cost, body.Len())
	}
}
