package samltest

import "github.com/beevik/etree"

// Wrapping is one way to keep a signature valid for somebody's eyes while
// somebody else's read another assertion: the eight of "On Breaking SAML: Be
// Whoever You Want to Be" (USENIX Security 2012). Attack is for AfterSigning.
// It works on a response of any signedness; where the signature that it would
// wrap is missing, it takes the one that is there.
type Wrapping struct {
	Name   string
	Story  string
	Attack Edit
}

// Attacker is the NameID that the forged assertions name.
const Attacker = "admin"

// Wrappings are XSW1 to XSW8.
func Wrappings() []Wrapping {
	return []Wrapping{
		{"XSW1", "the original response hides in the signature of a forged one", func(doc *etree.Document) {
			original, signature := forgeResponse(doc)
			signature.AddChild(original)
		}},
		{"XSW2", "the original response stands before the detached signature of a forged one", func(doc *etree.Document) {
			original, signature := forgeResponse(doc)
			signature.Parent().InsertChildAt(signature.Index(), original)
		}},
		{"XSW3", "a forged assertion stands before the original", func(doc *etree.Document) {
			original := theAssertion(doc)
			original.Parent().InsertChildAt(original.Index(), forged(original))
		}},
		{"XSW4", "a forged assertion holds the original", func(doc *etree.Document) {
			original := theAssertion(doc)
			root, evil := original.Parent(), forged(original)
			root.RemoveChild(original)
			root.AddChild(evil)
			evil.AddChild(original)
		}},
		{"XSW5", "a forged assertion has the signature, the original follows without", func(doc *etree.Document) {
			assertion := theAssertion(doc)
			original := unsigned(assertion)
			forge(assertion)
			doc.Root().AddChild(original)
		}},
		{"XSW6", "a forged assertion has the signature, and the original hides in it", func(doc *etree.Document) {
			assertion := theAssertion(doc)
			original := unsigned(assertion)
			forge(assertion)
			anySignature(doc).AddChild(original)
		}},
		{"XSW7", "a forged assertion hides in Extensions, before the original", func(doc *etree.Document) {
			original := theAssertion(doc)
			extensions := etree.NewElement("samlp:Extensions")
			extensions.AddChild(forged(original))
			doc.Root().InsertChildAt(original.Index(), extensions)
		}},
		{"XSW8", "a forged assertion has the signature, and the original hides in an Object of it", func(doc *etree.Document) {
			assertion := theAssertion(doc)
			original := unsigned(assertion)
			forge(assertion)
			anySignature(doc).CreateElement("ds:Object").AddChild(original)
		}},
	}
}

// forgeResponse turns the document's response into a forged one that keeps
// the signature, and gives the original, without it.
func forgeResponse(doc *etree.Document) (original, signature *etree.Element) {
	root := doc.Root()
	signature = anySignature(doc)
	original = root.Copy()
	if own := original.SelectElement("Signature"); own != nil {
		original.RemoveChild(own)
	}
	root.CreateAttr("ID", "_forged-response")
	signature.Parent().RemoveChild(signature)
	root.InsertChildAt(behindIssuer(root), signature)
	assertion := theAssertion(doc)
	if own := assertion.SelectElement("Signature"); own != nil {
		assertion.RemoveChild(own)
	}
	forge(assertion)
	return original, signature
}

func theAssertion(doc *etree.Document) *etree.Element { return find(doc, "./Response/Assertion") }

func anySignature(doc *etree.Document) *etree.Element {
	if signature := doc.FindElement("./Response/Assertion/Signature"); signature != nil {
		return signature
	}
	return find(doc, "./Response/Signature")
}

// forge makes an assertion the attacker's.
func forge(assertion *etree.Element) {
	assertion.CreateAttr("ID", "_forged-assertion")
	assertion.FindElement("./Subject/NameID").SetText(Attacker)
}

// forged is a forged copy without a signature.
func forged(assertion *etree.Element) *etree.Element {
	evil := unsigned(assertion)
	forge(evil)
	return evil
}

// unsigned is a copy without a signature.
func unsigned(assertion *etree.Element) *etree.Element {
	out := assertion.Copy()
	if signature := out.SelectElement("Signature"); signature != nil {
		out.RemoveChild(signature)
	}
	return out
}
