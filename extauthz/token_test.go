package extauthz

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/decision"
)

// A token of the application's own is seen, and shown by nothing that prints
// the request.
func TestATokenIsSeenAndNotShown(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        bool
	}{
		{"authorization", "Token secret-0123", true},
		{"Authorization", "bearer secret-0123", true},
		{"x-api-key", "secret-0123", true},
		{"authorization", "Basic secret-0123", false}, // a browser may send it by itself
		{"authorization", "Negotiate secret-0123", false},
		{"authorization", "Bearer", false},
		{"authorization", "Bearer ", false},
		{"authorization", "", false},
		{"x-api-key", "", false},
		{"x-api-keys", "secret-0123", false},
	} {
		h := &headers{Request: &decision.Request{}}
		if problem := h.set(c.name, c.value, nil); problem != "" || h.AppToken != c.want {
			t.Errorf("%s: %s: %v %s", c.name, c.value, h.AppToken, problem)
		}
		if strings.Contains(fmt.Sprintf("%+v", *h.Request), "secret") {
			t.Errorf("%s is shown in %+v", c.name, *h.Request)
		}
	}
}
