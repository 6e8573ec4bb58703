package server

import (
	"testing"

	"github.com/rolepass/rolepass/labelstudio/signin"
)

// An identity provider says whose an address is for its own domains only, so
// that a partner's gives nobody the account of one of ours.
func TestForWhichAddressesAnIdPSpeaks(t *testing.T) {
	one := map[string][]string{"corp": nil}
	bounded := map[string][]string{"corp": {"hospital.example"}}
	two := map[string][]string{"corp": {"hospital.example"}, "partner": {"partner.example"}, "other": nil}
	for _, c := range []struct {
		domains    map[string][]string
		idp, email string
		want       bool
	}{
		{one, "corp", "ada@anywhere.example", true},
		{one, "unknown", "ada@anywhere.example", false},
		{bounded, "corp", "ada@Hospital.example", true},
		{bounded, "corp", "ada@anywhere.example", false},
		{two, "corp", "ada@hospital.example", true},
		{two, "partner", "ada@hospital.example", false},
		{two, "partner", "ada@hospital.example@partner.example.evil", false},
		{two, "partner", "ada@partner.example", true},
		{two, "other", "ada@hospital.example", false},
		{two, "other", "ada@other.example", false},
	} {
		if got := speaksFor(c.domains)(signin.Person{IdP: c.idp, NameID: "x", Email: c.email}); got != c.want {
			t.Errorf("%s, of %d IdPs, speaks for %s: %v", c.idp, len(c.domains), c.email, got)
		}
	}
}
