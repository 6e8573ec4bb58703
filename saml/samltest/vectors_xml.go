package samltest

import (
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

func leading(text string) func(*Spec) {
	return func(s *Spec) { s.Raw = func(raw []byte) []byte { return append([]byte(text), raw...) } }
}

func behind(text string) func(*Spec) {
	return func(s *Spec) { s.Raw = func(raw []byte) []byte { return append(raw, text...) } }
}

// inName puts something into the bytes of the NameID.
func inName(text string) func(*Spec) {
	return replaceBytes(">4711</saml:NameID>", ">"+text+"</saml:NameID>")
}

// xmlVectors have everything in XML that a response does not need, and bombs.
func xmlVectors() []Vector {
	const (
		comment  = "CVE-2017-11427 and its family (Duo, 2018): text behind a comment dropped"
		doctype  = "XXE (CWE-611); CVE-2025-23369 (GHES): entities hide what was signed"
		trailing = "protocol facts: a second root, accepted by gosaml2"
		depth    = "GO-2026-6088 (encoding/xml): depth without a bound"
		twoRead  = "CVE-2025-25291/-25292, CVE-2025-66567 (ruby-saml): two parsers differ"
	)
	list := []Vector{
		{Name: "a comment that cuts the NameID", After: comment, Code: "saml_comment", Change: inName("4711<!---->.evil.com")},
		{Name: "a comment before the NameID's text", After: comment, Code: "saml_comment", Change: inName("<!-- -->4711")},
		{Name: "a comment between elements", After: comment, Code: "saml_comment", Change: replaceBytes("<saml:Subject>", "<!-- x --><saml:Subject>")},
		{Name: "a comment before the response", After: comment, Code: "saml_comment", Change: leading("<!-- -->")},
		{Name: "a comment behind the response", After: comment, Code: "saml_comment", Change: behind("<!-- -->")},
		{Name: "a comment in a role", After: comment, Code: "saml_comment", Change: replaceBytes(SceneRole, SceneRole+"<!---->")},
		{Name: "an instruction in the NameID", After: comment, Code: "saml_processing_instruction", Change: inName("47<?x?>11")},
		{Name: "an instruction at the beginning", After: twoRead, Code: "saml_processing_instruction", Change: leading(`<?xml-stylesheet href="a"?>`)},
		{Name: "an instruction at the end", After: twoRead, Code: "saml_processing_instruction", Change: behind(`<?x?>`)},
		{Name: "an instruction in the form of a declaration", After: twoRead, Code: "saml_processing_instruction", Sibling: leading(`<?xml version="1.0"?>`), Change: leading(`<?lmx version="1.0"?>`)},
		{Name: "a second declaration", After: twoRead, Code: "saml_processing_instruction", Change: leading(`<?xml version="1.0"?><?xml version="1.0"?>`)},
		{Name: "a declaration with more in it", After: twoRead, Code: "saml_processing_instruction", Change: leading(`<?xml version="1.0" encoding="UTF-8" x="y"?>`)},
		{Name: "CDATA in the NameID", After: comment, Code: "saml_cdata", Change: inName("<![CDATA[4711]]>")},
		{Name: "CDATA of nothing", After: comment, Code: "saml_cdata", Change: inName("4711<![CDATA[]]>")},
		{Name: "a document type", After: doctype, Code: "saml_doctype", Change: leading(`<!DOCTYPE Response>`)},
		{Name: "a document type behind the declaration", After: doctype, Code: "saml_doctype", Change: leading(`<?xml version="1.0"?><!DOCTYPE Response>`)},
		{Name: "an external entity that is not used", After: doctype, Code: "saml_doctype", Change: leading(`<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>`)},
		{Name: "an external document type", After: doctype, Code: "saml_doctype", Change: leading(`<!DOCTYPE r SYSTEM "https://evil.example.com/x.dtd">`)},
		{Name: "an entity for the NameID", After: doctype, Code: "saml_doctype", Change: func(s *Spec) {
			inName("&x;")(s)
			inner := s.Raw
			s.Raw = func(raw []byte) []byte { return append([]byte(`<!DOCTYPE r [<!ENTITY x "4711">]>`), inner(raw)...) }
		}},
		{Name: "a billion laughs", After: "Entity bomb (CVE-2003-1564)", Code: "saml_doctype", Change: leading(`<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>`)},
		{Name: "an attribute's default", After: "An internal subset adds attributes", Code: "saml_doctype", Change: leading(`<!DOCTYPE r [<!ATTLIST Response Destination CDATA "x">]>`)},
		{Name: "a document type inside", After: doctype, Code: "saml_doctype", Change: replaceBytes("<saml:Subject>", "<!DOCTYPE r><saml:Subject>")},
		{Name: "an entity that nobody declared", After: doctype, Code: "saml_xml", Change: inName("&nbsp;")},
		{Name: "a second root", After: trailing, Code: "saml_trailing", Change: behind("<x/>")},
		{Name: "a second response", After: trailing, Code: "saml_trailing", Change: behind(`<samlp:Response xmlns:samlp="` + ProtocolNS + `"/>`)},
		{Name: "text behind the response", After: trailing, Code: "saml_trailing", Change: behind("x")},
		{Name: "another encoding", After: twoRead, Code: "saml_xml", Change: leading(`<?xml version="1.0" encoding="ISO-8859-1"?>`)},
		{Name: "UTF-7", After: twoRead, Code: "saml_xml", Change: leading(`<?xml version="1.0" encoding="UTF-7"?>`)},
		{Name: "XML 1.1", After: twoRead, Code: "saml_xml", Change: leading(`<?xml version="1.1"?>`)},
		{Name: "tags that cross", After: twoRead, Code: "saml_xml", Change: inName("<saml:a><saml:b></saml:a></saml:b>")},
		{Name: "a tag without an end", After: twoRead, Code: "saml_xml", Change: inName("<saml:a>")},
		{Name: "cut short", After: "A response that was copied incompletely", Code: "saml_xml", Change: func(s *Spec) { s.Raw = func(raw []byte) []byte { return raw[:600] } }},
		{Name: "an attribute twice", After: "CVE-2025-66567 (ruby-saml): which of two counts", Code: "saml_xml", Change: replaceBytes(`<samlp:Response `, `<samlp:Response Consent="a" Consent="b" `)},
		{Name: "an attribute twice, both alike", After: "CVE-2025-66567 (ruby-saml): which of two counts", Code: "saml_xml", Sibling: all(assertionSigned, replaceBytes(`<samlp:Response `, `<samlp:Response Consent="a" `)), Change: replaceBytes(`<samlp:Response `, `<samlp:Response Consent="a" Consent="a" `)},
		{Name: "an attribute without quotes", After: twoRead, Code: "saml_xml", Change: replaceBytes(`<samlp:Response `, `<samlp:Response Consent=a `)},
		{Name: "a character that XML has not", After: twoRead, Code: "saml_xml", Change: inName("4711&#1;")},
		{Name: "a NUL", After: "CVE-2026-47778 family: a NUL ends the string for some", Code: "saml_xml", Change: inName("4711\x00")},
		{Name: "a surrogate", After: twoRead, Code: "saml_signature", Change: inName("4711&#xD800;")},
		{Name: "a sign that ends a section", After: twoRead, Code: "saml_xml", Change: inName("]]>")},
	}
	return append(list, bombVectors(depth)...)
}

// bombVectors go one step over each bound; their siblings stand at it.
func bombVectors(depth string) []Vector {
	deep := func(n int) func(*Spec) {
		return inName("4711" + strings.Repeat("<a>", n) + strings.Repeat("</a>", n))
	}
	attributes := func(n int) func(*Spec) {
		return func(s *Spec) {
			var more strings.Builder
			for i := range n {
				fmt.Fprintf(&more, ` a%d=""`, i)
			}
			replaceBytes("<samlp:StatusCode", "<samlp:StatusCode"+more.String())(s)
		}
	}
	groups := func(n int) func(*Spec) {
		return func(s *Spec) {
			values := make([]string, n)
			for i := range values {
				values[i] = "g"
			}
			s.Attributes = []Attribute{{Name: "groups", Values: values}}
		}
	}
	return []Vector{
		{Name: "65 levels", After: depth, Code: "saml_depth", Sibling: nested(61), Change: nested(62), STS: ""},
		{Name: "100 levels", After: depth, Code: "saml_depth", Change: deep(100)},
		{Name: "9,000 levels", After: depth, Code: "saml_depth", Change: deep(9_000)},
		{Name: "65 attributes", After: "A bomb of attributes", Code: "saml_attributes", Sibling: all(assertionSigned, attributes(63)), Change: attributes(64), STS: ""},
		{Name: "a thousand attributes", After: "A bomb of attributes", Code: "saml_attributes", Sibling: assertionSigned, Change: attributes(1000)},
		{Name: "513 elements", After: "A bomb of elements; Entra above 150 groups", Code: "saml_elements", Sibling: groups(430), Change: groups(485), STS: "its bound is 4,096 elements"},
		{Name: "more than goxmldsig counts", After: "goxmldsig 1.6.1: 1,000 steps through the tree", Code: "saml_elements", Sibling: groups(430), Change: groups(465), STS: "it verifies each element by itself, with fewer steps"},
		{Name: "10,000 elements", After: "A bomb of elements", Code: "saml_elements", Change: inName(strings.Repeat("<a/>", 10_000))},
	}
}

// nested puts so many status codes into the first one: the one place where the
// grammar knows no bound.
func nested(n int) func(*Spec) {
	return Signing(func(d *etree.Document) {
		for e := find(d, atStatus+"/StatusCode"); n > 0; n-- {
			e = e.CreateElement("samlp:StatusCode")
			e.CreateAttr("Value", "urn:x")
		}
	})
}
