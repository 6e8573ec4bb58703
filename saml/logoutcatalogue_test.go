package saml_test

import (
	"errors"
	"testing"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// TestLogoutCatalogue: of every two logout messages that differ in one thing,
// the right one is accepted, and the other one refused for what is wrong with
// it.
func TestLogoutCatalogue(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	sp.SLO = samltest.SceneSLO
	read := func(sent samltest.LogoutSent) (*saml.Logout, error) {
		if sent.Query == "" {
			return sp.ReadLogoutForm(sent.Field, sent.Value)
		}
		got, _, err := sp.ReadLogoutQuery(sent.Query)
		return got, err
	}
	seen := map[string]bool{}
	for _, v := range samltest.LogoutCatalogue() {
		t.Run(v.Name, func(t *testing.T) {
			if seen[v.Name] || v.After == "" || (v.Change != nil) == (v.Sent != nil || v.MetadataEnds) {
				t.Error("it is not one change, named after something, under a name of its own")
			}
			seen[v.Name] = true
			sibling, vector := v.ValidUntil()
			sp.IdP.Metadata.ValidUntil = sibling
			if got, err := read(v.Accepted(idp)); err != nil || got.ID == "" || !got.Answer && got.NameID != "4711" {
				t.Fatalf("the sibling: %+v, %v", got, err)
			}
			sp.IdP.Metadata.ValidUntil = vector
			got, err := read(v.Refused(idp))
			refused, is := errors.AsType[*refusal.Refusal](err)
			if !is || refused.Code != refusal.Code(v.Code) || refused.Sentence == "" || got != nil {
				t.Errorf("%+v, %v; want %s", got, err, v.Code)
			}
		})
	}
	if len(seen) < 100 {
		t.Errorf("%d vectors; want at least 100", len(seen))
	}
}
