package saml_test

import (
	"strings"
	"testing"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// TestMetadataCatalogue: of every two documents that differ in one thing, the
// right one is read, and the other one refused with words that say what is
// wrong with it.
func TestMetadataCatalogue(t *testing.T) {
	idp := newIdP(t)
	seen := map[string]bool{}
	for _, v := range samltest.MetadataCatalogue() {
		t.Run(v.Name, func(t *testing.T) {
			if seen[v.Name] || v.After == "" || v.Says == "" {
				t.Error("it is not named after something, under a name of its own, with a reason")
			}
			seen[v.Name] = true
			if m, err := saml.ParseMetadata(v.Accepted(idp)); err != nil || m.EntityID == "" || len(m.Certificates) == 0 {
				t.Fatalf("the sibling: %+v, %v", m, err)
			}
			if m, err := saml.ParseMetadata(v.Refused(idp)); m != nil || err == nil || !strings.Contains(err.Error(), v.Says) {
				t.Errorf("%+v, %v; want words like %q", m, err, v.Says)
			}
		})
	}
	if len(seen) < 50 {
		t.Errorf("%d vectors; want at least 50", len(seen))
	}
}
