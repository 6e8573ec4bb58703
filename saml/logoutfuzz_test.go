package saml_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/beevik/etree"

	"github.com/rolepass/rolepass/saml/samltest"
)

// FuzzLogout does to a signed logout message what FuzzForgery does to signed
// responses, in both bindings: what is accepted was signed, to the last field,
// so nothing unsigned ends a session.
func FuzzLogout(f *testing.F) {
	idp := newIdPWith(f, samltest.Options{SLOURL: "https://idp.example.com/slo"})
	sp := newSP(f, idp)
	sp.SLO = slo
	message := rightLogout()
	message.ID = "_l"
	query := idp.LogoutQuery(message)
	field, form := idp.LogoutForm(message)
	byQuery, _, err := sp.ReadLogoutQuery(query)
	if err != nil {
		f.Fatal(err)
	}
	byForm, err := sp.ReadLogoutForm(field, form)
	if err != nil {
		f.Fatal(err)
	}
	signed := map[string]bool{fmt.Sprintf("%+v", *byQuery): true, fmt.Sprintf("%+v", *byForm): true}
	other := etree.NewDocument()
	raw, err := base64.StdEncoding.DecodeString(form)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{}, uint16(0), "")
	f.Add([]byte{4, 5, 0, 1}, uint16(0), "")
	f.Add([]byte{1, 2, 0, 0}, uint16(20), "x")
	f.Add([]byte{0, 3, 1, 1, 7, 1, 1, 2}, uint16(900), "&SAMLRequest=x")
	f.Fuzz(func(t *testing.T, program []byte, at uint16, patch string) {
		if len(program) > 64 {
			return
		}
		changed := query[:min(int(at), len(query))] + patch + query[min(int(at)+len(patch), len(query)):]
		if got, _, err := sp.ReadLogoutQuery(changed); err == nil && !signed[fmt.Sprintf("%+v", *got)] {
			t.Fatalf("accepted what was never signed, %+v: %s", *got, changed)
		}
		doc := etree.NewDocument()
		if doc.ReadFromBytes(raw) != nil || other.ReadFromBytes(raw) != nil {
			t.Fatal("the message cannot be read")
		}
		for ; len(program) >= 4; program = program[4:] {
			step(doc, other, program[0], int(program[1]), int(program[2]), int(program[3]))
		}
		text, err := doc.WriteToBytes()
		if err != nil {
			return
		}
		if got, err := sp.ReadLogoutForm(field, base64.StdEncoding.EncodeToString(text)); err == nil && !signed[fmt.Sprintf("%+v", *got)] {
			t.Fatalf("accepted what was never signed, %+v:\n%s", *got, text)
		}
	})
}
