package login_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestTheRolesThatNoGrantNamesAreNamed: in the audit, so that a spelling can be
// compared, and to nobody else.
func TestTheRolesThatNoGrantNamesAreNamed(t *testing.T) {
	for n, says := range map[int]string{1: "the assertion has " + ungranted + "0", 7: "4, and 2 more"} {
		w := newWorld(t)
		b := w.browser()
		r := b.starts("/projects/")
		var roles []string
		for i := range n {
			roles = append(roles, fmt.Sprint(ungranted, i, ",", provider))
		}
		s := right(r)
		s.Roles = roles
		page := b.asks(posting(w.idp.Response(s), r.RelayState))
		if page.Refusal == nil || page.Refusal.Code != "no_granted_role" || !strings.HasSuffix(page.Refusal.Sentence, says) {
			t.Errorf("%d roles: %v; want it to end with %q", n, page.Refusal, says)
		}
		if strings.Contains(string(page.Body), ungranted) {
			t.Error("the page names a role")
		}
	}
}
