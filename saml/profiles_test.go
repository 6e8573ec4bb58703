package saml_test

import (
	"strings"
	"testing"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml/samltest"
)

// TestProfiles: what each product writes when it is set up for Rolepass is
// accepted; what it writes before that is refused with the setting's name.
func TestProfiles(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	products := map[string]int{}
	for _, p := range samltest.Profiles() {
		product, _, _ := strings.Cut(strings.NewReplacer(",", " ", "'s", " ").Replace(p.Name), " ")
		t.Run(p.Name, func(t *testing.T) {
			spec := samltest.Right()
			p.Spec(&spec)
			encoded := idp.Response(spec)
			if p.Code != "" {
				if refused := refuse(t, sp, encoded, expected, refusal.Code(p.Code)); !strings.Contains(refused.Sentence, p.Setting) {
					t.Errorf("the sentence does not say %q: %s", p.Setting, refused.Sentence)
				}
				return
			}
			products[product]++
			a := accept(t, sp, encoded, expected)
			if a.Principal.NameID != "4711" || a.Principal.SessionName != "ada@example.com" || len(a.Roles) != 1 || a.Roles[0].ARN != radiology {
				t.Errorf("read %+v with %v", a.Principal, a.Roles)
			}
		})
	}
	if len(products) < 7 {
		t.Errorf("only %v are accepted", products)
	}
}
