package saml_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/beevik/etree"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// workshop is where forgeries are made: Ada's response, which an attacker
// somehow holds, and Mallory's own, both signed by the IdP and both answers
// to the same request, which is more than an attacker can have.
type workshop struct {
	sp      *saml.ServiceProvider
	ada     samltest.Spec
	mallory samltest.Spec
	idp     *samltest.IdP
	// adas and mallorys are the two responses, as they were signed.
	adas, mallorys []byte
	// signed are the assertions that the key really signed, as they are read.
	signed map[string]bool
}

func newWorkshop(t testing.TB, sign samltest.Signed) *workshop {
	t.Helper()
	idp := newIdP(t)
	w := &workshop{sp: newSP(t, idp), idp: idp, ada: right(), mallory: right(), signed: map[string]bool{}}
	w.ada.NameID, w.ada.SessionName, w.ada.AssertionID, w.ada.ResponseID = "ada", "ada@example.com", "_a", "_ra"
	w.mallory.NameID, w.mallory.SessionName, w.mallory.AssertionID, w.mallory.ResponseID = "mallory", "mallory@example.com", "_m", "_rm"
	w.mallory.Roles = []string{research + "," + provider}
	w.ada.Sign, w.mallory.Sign = sign, sign
	for _, spec := range []samltest.Spec{w.ada, w.mallory} {
		assertion, err := w.sp.Verify(idp.Response(spec), expected)
		if err != nil {
			t.Fatal(err)
		}
		w.signed[fmt.Sprintf("%+v", *assertion)] = true
	}
	w.adas, w.mallorys = idp.XML(w.ada), idp.XML(w.mallory)
	return w
}

// try hands in a forgery. Accepted, it must be one of the two assertions that
// were signed, to the last field.
func (w *workshop) try(t testing.TB, forgery []byte) {
	t.Helper()
	assertion, err := w.sp.Verify(base64.StdEncoding.EncodeToString(forgery), expected)
	if err != nil {
		if refused, ok := err.(*refusal.Refusal); !ok || refused.Code == "saml_internal" || refused.Code == "saml_readers_differ" {
			t.Fatalf("%v (%v):\n%s", err, refused.Cause, forgery)
		}
		return
	}
	if !w.signed[fmt.Sprintf("%+v", *assertion)] {
		t.Fatalf("accepted what was never signed, %+v:\n%s", *assertion, forgery)
	}
}

// forge runs a little program over Ada's response: four bytes for each step,
// what to do, where, with what and how.
func (w *workshop) forge(program []byte) []byte {
	doc, other := parsed(w.adas), parsed(w.mallorys)
	for ; len(program) >= 4; program = program[4:] {
		step(doc, other, program[0], int(program[1]), int(program[2]), int(program[3]))
	}
	doc.WriteSettings.CanonicalText, doc.WriteSettings.CanonicalAttrVal = true, true
	xml, err := doc.WriteToBytes()
	if err != nil {
		panic(err)
	}
	for ; len(program) >= 3 && len(xml) > 0; program = program[3:] {
		xml[(int(program[0])<<8|int(program[1]))%len(xml)] = program[2]
	}
	return xml
}

func parsed(xml []byte) *etree.Document {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(xml); err != nil {
		panic(err)
	}
	return doc
}

var (
	tags     = []string{"NameID", "Assertion", "Response", "Signature", "Object", "Extensions", "Advice", "AttributeValue", "Reference", "SignedInfo", "Transform"}
	prefixes = []string{"", "saml", "samlp", "ds", "evil", "xml"}
	texts    = []string{"", "admin", "mallory", "ada<!---->", research + "," + provider, " ", acs, idpID, requestID, "&#13;"}
	names    = []string{"ID", "id", "Id", "xml:id", "URI", "Algorithm", "Recipient", "InResponseTo", "NotOnOrAfter", "xmlns", "xmlns:saml", "xmlns:ds", "Name", "Destination", "PrefixList", "xsi:type"}
	values   = []string{"", "_a", "_m", "#_a", "#_m", "#_ra", "_x", samltest.AssertionNS, samltest.SignatureNS, "urn:evil", samltest.RSASHA1, samltest.SHA1, samltest.InclusiveC14N, samltest.RoleAttribute, acs, "2027-01-01T00:00:00Z", "saml"}
)

// step is one change of a grammar-aware mutator: it moves, wraps, doubles,
// renames and grafts whole elements rather than bytes.
func step(doc, other *etree.Document, op byte, i, j, k int) {
	here, there := node(doc, i), node(doc, j)
	switch op % 14 {
	case 0:
		insert(here, here.Copy(), k)
	case 1:
		detach(here)
	case 2:
		move(here, there, func(e *etree.Element) { there.AddChild(e) })
	case 3:
		move(here, there, func(e *etree.Element) { insert(there, e, k) })
	case 4:
		here.SetText(texts[k%len(texts)])
	case 5:
		here.CreateAttr(names[j%len(names)], values[k%len(values)])
	case 6:
		here.Space = prefixes[k%len(prefixes)]
	case 7:
		here.Tag = tags[k%len(tags)]
	case 8:
		here.AddChild(node(other, k).Copy())
	case 9:
		insert(here, node(other, k).Copy(), j)
	case 10:
		wrapped := here.Copy()
		here.Child, here.Attr = nil, nil
		here.Tag, here.Space = tags[k%len(tags)], prefixes[j%len(prefixes)]
		here.AddChild(wrapped)
	case 11:
		junk(here, k)
	case 12:
		here.SetText(node(other, k).Text())
	case 13:
		if len(here.Attr) > 0 {
			here.Attr = append(here.Attr[:k%len(here.Attr)], here.Attr[k%len(here.Attr)+1:]...)
		}
	}
}

func node(doc *etree.Document, i int) *etree.Element {
	all := doc.FindElements("//*")
	return all[i%len(all)]
}

// insert puts an element beside another one, before or behind it; beside the
// root there is no place.
func insert(beside, e *etree.Element, where int) {
	if parent := beside.Parent(); parent != nil && parent.Tag != "" {
		parent.InsertChildAt(beside.Index()+where%2, e)
	}
}

func detach(e *etree.Element) bool {
	parent := e.Parent()
	if parent == nil || parent.Tag == "" {
		return false
	}
	parent.RemoveChild(e)
	return true
}

func move(e, target *etree.Element, place func(*etree.Element)) {
	for above := target; above != nil; above = above.Parent() {
		if above == e {
			return
		}
	}
	if detach(e) {
		place(e)
	}
}

func junk(e *etree.Element, k int) {
	switch k % 4 {
	case 0:
		e.CreateComment("x")
	case 1:
		e.CreateProcInst("x", "y")
	case 2:
		e.CreateCData("x")
	case 3:
		e.CreateText(" ")
	}
}

// FuzzForgery is the oracle of the whole package: whatever is done to signed
// responses, what is accepted was signed.
func FuzzForgery(f *testing.F) {
	shops := []*workshop{newWorkshop(f, samltest.SignAssertion), newWorkshop(f, samltest.SignResponse), newWorkshop(f, samltest.SignBoth)}
	random := rand.New(rand.NewPCG(2026, 3))
	for base := range shops {
		f.Add(uint8(base), []byte{})
		for range 60 {
			program := make([]byte, 4*(1+random.IntN(4))+3*random.IntN(2))
			for i := range program {
				program[i] = byte(random.Uint32())
			}
			f.Add(uint8(base), program)
		}
	}
	f.Fuzz(func(t *testing.T, base uint8, program []byte) {
		if len(program) > 64 {
			return
		}
		w := shops[int(base)%len(shops)]
		w.try(t, w.forge(program))
	})
}

// FuzzVerify gives it bytes that nobody wrote on purpose.
func FuzzVerify(f *testing.F) {
	w := newWorkshop(f, samltest.SignBoth)
	f.Add(w.idp.XML(w.ada))
	f.Add([]byte(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"><samlp:Status/></samlp:Response>`))
	f.Add([]byte(`<?xml version="1.0"?><a xmlns="urn:a"><!-- --></a>`))
	f.Fuzz(func(t *testing.T, document []byte) { w.try(t, document) })
}

// TestTheMutatorBites: the mutations reach the places that matter, and some
// of them leave a response that is accepted.
func TestTheMutatorBites(t *testing.T) {
	w := newWorkshop(t, samltest.SignAssertion)
	random := rand.New(rand.NewPCG(1, 2))
	codes := map[refusal.Code]int{}
	for range 600 {
		program := make([]byte, 4)
		for i := range program {
			program[i] = byte(random.Uint32())
		}
		_, err := w.sp.Verify(base64.StdEncoding.EncodeToString(w.forge(program)), expected)
		if err == nil {
			codes["accepted"]++
		} else {
			codes[err.(*refusal.Refusal).Code]++
		}
	}
	for _, code := range []refusal.Code{"accepted", "saml_signature", "saml_structure", "saml_assertion_count", "saml_reference", "saml_namespace", "saml_comment"} {
		if codes[code] == 0 {
			t.Errorf("600 mutations and none ended with %s: %v", code, codes)
		}
	}
}
