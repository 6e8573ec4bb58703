package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/e2e/stack"
)

// When Label Studio does not answer, it has not said yes: nothing is fetched, in
// words and with a status that an open editor survives. What it has said a moment
// ago still counts, and afterwards all is as before.
func TestWithoutLabelStudiosYesNothingIsFetched(t *testing.T) {
	before := visits(t)
	before.signsIn("radiologist")
	task := readable(before.project("Radiology"), "radiologist")[0]
	before.mustBe(before.fetches(task.ID, task.URI), http.StatusOK)
	running(t).WithOutage(stack.HangsUp, func() { before.mustBe(before.fetches(task.ID, task.URI), http.StatusOK) })
	for name, outage := range map[string]stack.Outage{"it hangs up": stack.HangsUp, "it says nothing": stack.Hangs} {
		t.Run(name, func(t *testing.T) {
			v := visits(t)
			v.signsIn("radiologist") // nobody has asked for this session yet
			running(t).WithOutage(outage, func() {
				s3 := len(s3Saw(t))
				said := v.mustBe(v.fetches(task.ID, task.URI), http.StatusServiceUnavailable)
				if len(s3Saw(t)) != s3 {
					t.Error("S3 was asked")
				}
				if strings.Contains(string(said.body), "127.0.0.1") {
					t.Errorf("the answer names an address: %s", said.body)
				}
			})
			v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
		})
	}
}
