package saml_test

import (
	"testing"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// expecting is what the browser waits for when the vector arrives. It waited
// for the sibling in any case.
func expecting(v samltest.Vector) saml.Expect {
	if v.Nobody {
		return saml.Expect{}
	}
	return waiting(v)
}

func waiting(v samltest.Vector) saml.Expect {
	expect := saml.Expect{RequestID: samltest.SceneRequest}
	if v.Anew {
		expect.AuthenticatedSince = samltest.SceneNow()
	}
	return expect
}

// TestCatalogue: of every two responses that differ in one thing, the right
// one is accepted, and the other one refused for what is wrong with it.
func TestCatalogue(t *testing.T) {
	idp := newIdP(t)
	for _, v := range samltest.Catalogue() {
		t.Run(v.Name, func(t *testing.T) {
			sp := newSP(t, idp)
			sp.AuthnContext, sp.IdP.AnyProvider = v.Contexts, v.AnyProvider
			if v.Decrypts {
				sp.Decryption = sceneDecryption(t)
			}
			spec, now := v.Accepted()
			sp.Now = at(now)
			accept(t, sp, idp.Response(spec), waiting(v))
			spec, now = v.Refused()
			sp.Now = at(now)
			refuse(t, sp, idp.Response(spec), expecting(v), refusal.Code(v.Code))
		})
	}
}

// TestTheCatalogueIsWhole: it has at least 300 vectors, each under a name of
// its own and after something.
func TestTheCatalogueIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range samltest.Catalogue() {
		if seen[v.Name] {
			t.Errorf("two vectors are named %q", v.Name)
		}
		seen[v.Name] = true
		if v.After == "" || v.Code == "" || (v.Change == nil) == (v.Late == 0 && !v.Nobody) {
			t.Errorf("%q is not one change, named after something, with a code", v.Name)
		}
	}
	if len(seen) < 300 {
		t.Errorf("%d vectors; want at least 300", len(seen))
	}
	t.Logf("%d vectors", len(seen))
}

// sceneDecryption is the scene's key as an operator has it in a file.
func sceneDecryption(t testing.TB) *saml.Decryption {
	t.Helper()
	text, err := samltest.SceneDecryption().MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	key, err := saml.ParseDecryption(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
