package session

import (
	"fmt"
	"testing"
	"time"

	"github.com/rolepass/rolepass/recent"
	"github.com/rolepass/rolepass/saml"
)

// An IdP that has another format for each NameID fills no table that stays, and
// its sessions are listed as they are.
func TestFormatsWithoutEndAreNotKept(t *testing.T) {
	var n names
	for i := range 3 * mostNames {
		s := Listed{Created: time.Unix(1, 0), Seen: time.Unix(1, 0), Expires: time.Unix(2, 0), Roles: []string{"role/a", "role/b"}}
		s.Principal = saml.Principal{IdP: "corp", NameID: "ada", NameIDFormat: fmt.Sprint("urn:format:", i)}
		listed := n.read(n.listing(s, make([]byte, len(recent.Key{}))), recent.Key{})
		if listed.Principal != s.Principal || fmt.Sprint(listed.Roles) != "[role/a role/b]" {
			t.Fatalf("session %d is listed as %+v with %q", i, listed.Principal, listed.Roles)
		}
	}
	if len(n.all) > mostNames || len(n.number) > mostNames {
		t.Errorf("%d names are kept", len(n.all))
	}
}
