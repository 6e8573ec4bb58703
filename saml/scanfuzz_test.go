package saml_test

import (
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// FuzzScan holds our reader against the one that gosaml2 reads with: what the
// scan accepts is within its bounds, and the other one sees the very same
// elements, attributes and text in it. Hence what the other one cannot read,
// the scan refuses.
func FuzzScan(f *testing.F) {
	idp := newIdP(f)
	f.Add(string(idp.XML(right())))
	f.Add(string(idp.XML(but(func(s *samltest.Spec) { s.Sign = samltest.SignNothing }))))
	f.Add(`<?xml version="1.0"?><a xmlns="urn:a" b="&lt;&#13;"> x &amp;<c/>y</a>`)
	f.Add(`<a xmlns:b="urn:b"><b:c b:d="e" d="f"/></a>`)
	f.Add(`<a><!-- --></a>`)
	f.Fuzz(func(t *testing.T, document string) {
		ours, depth, elements, refused := saml.Scan(document)
		if refused != nil {
			return
		}
		if depth > 64 || elements > 512 {
			t.Fatalf("%d levels and %d elements were read", depth, elements)
		}
		tree := etree.NewDocument()
		if err := tree.ReadFromString(document); err != nil || tree.Root() == nil {
			t.Fatalf("the scan reads it, and etree does not: %v\n%q", err, document)
		}
		var theirs strings.Builder
		dump(&theirs, tree.Root())
		if ours != theirs.String() {
			t.Fatalf("two readers of %q:\n%s\n%s", document, ours, theirs.String())
		}
	})
}

// named is a namespace, or a prefix that nobody declared, which encoding/xml
// takes for one; the rules refuse both alike, as none of SAML's.
func named(uri, prefix string) string {
	if uri == "" {
		return prefix
	}
	return uri
}

// dump writes down an element as saml.Scan does.
func dump(out *strings.Builder, e *etree.Element) {
	out.WriteString("(" + named(e.NamespaceURI(), e.Space) + " " + e.Tag)
	for _, a := range e.Attr {
		if a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns" {
			continue
		}
		space := ""
		if a.Space == "xml" {
			space = "http://www.w3.org/XML/1998/namespace"
		} else if a.Space != "" {
			space = named(a.NamespaceURI(), a.Space)
		}
		out.WriteString(" " + space + " " + a.Key + "=" + a.Value)
	}
	text := ""
	for _, token := range e.Child {
		if data, is := token.(*etree.CharData); is {
			text += data.Data
		}
	}
	out.WriteString(" " + text)
	for _, child := range e.ChildElements() {
		dump(out, child)
	}
	out.WriteString(")")
}
