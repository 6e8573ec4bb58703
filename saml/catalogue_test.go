package saml_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

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
//
// What is refused before any cryptography costs little: 5 ms of the processor and
// 8 MiB at most, in the median. BenchmarkCatalogue measures it properly.
func TestCatalogue(t *testing.T) {
	idp := newIdP(t)
	var early []cost
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
			encoded := idp.Response(spec)
			spent := measuredOnce(func() { refuse(t, sp, encoded, expecting(v), refusal.Code(v.Code)) })
			if !afterwards(v) {
				early = append(early, spent)
			}
		})
	}
	if len(early) == 0 { // others were asked for by name
		return
	}
	slices.SortFunc(early, func(a, b cost) int { return cmp.Compare(a.cpu, b.cpu) })
	if median := early[len(early)/2].cpu; median > 5*time.Millisecond {
		t.Errorf("refusing takes %v of the processor", median)
	}
	slices.SortFunc(early, func(a, b cost) int { return cmp.Compare(a.bytes, b.bytes) })
	if median := early[len(early)/2].bytes; median > 8<<20 {
		t.Errorf("refusing takes %d bytes", median)
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
