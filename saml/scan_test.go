package saml_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// replace changes the bytes of a signed response.
func replace(old, new string) func([]byte) []byte {
	return func(raw []byte) []byte {
		if !bytes.Contains(raw, []byte(old)) {
			panic("nothing to replace: " + old)
		}
		return bytes.Replace(raw, []byte(old), []byte(new), 1)
	}
}

func before(text string) func([]byte) []byte {
	return func(raw []byte) []byte { return append([]byte(text), raw...) }
}

func behind(text string) func([]byte) []byte {
	return func(raw []byte) []byte { return append(raw, text...) }
}

func raw(change func([]byte) []byte) samltest.Spec {
	return but(func(s *samltest.Spec) { s.Raw = change })
}

// TestPlainXMLIsAccepted has the spellings of XML that real IdPs use.
func TestPlainXMLIsAccepted(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	for name, change := range map[string]func([]byte) []byte{
		"declaration":            before(`<?xml version="1.0" encoding="UTF-8"?>`),
		"declaration, lower":     before(`<?xml version='1.0' encoding='utf-8'?>` + "\n"),
		"declaration, alone":     before(`<?xml version="1.0" encoding="UTF-8" standalone="no"?>` + "\n"),
		"white space at the end": behind("\r\n \t"),
	} {
		t.Run(name, func(t *testing.T) { accept(t, sp, idp.Response(raw(change)), expected) })
	}
}

// TestXMLTricks has everything in XML that a response does not need. Each is
// refused before any signature is looked at.
func TestXMLTricks(t *testing.T) {
	const nameID = ">4711</saml:NameID>"
	for name, attack := range map[string]struct {
		change func([]byte) []byte
		code   refusal.Code
	}{
		"DOCTYPE":                        {before(`<!DOCTYPE Response>`), "saml_doctype"},
		"DOCTYPE behind the declaration": {before(`<?xml version="1.0"?><!DOCTYPE Response>`), "saml_doctype"},
		"an external entity, unused":     {before(`<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>`), "saml_doctype"},
		"an entity that is used": {func(r []byte) []byte {
			return before(`<!DOCTYPE r [<!ENTITY x "4711">]>`)(replace(nameID, ">&x;</saml:NameID>")(r))
		}, "saml_doctype"},
		"an entity bomb":                  {before(`<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>`), "saml_doctype"},
		"a comment in the NameID":         {replace(nameID, "><!-- -->4711</saml:NameID>"), "saml_comment"},
		"a comment that cuts the NameID":  {replace(nameID, ">4711<!---->.evil</saml:NameID>"), "saml_comment"},
		"a comment before the response":   {before("<!-- -->"), "saml_comment"},
		"a comment behind the response":   {behind("<!-- -->"), "saml_comment"},
		"an instruction in the NameID":    {replace(nameID, ">47<?x?>11</saml:NameID>"), "saml_processing_instruction"},
		"an instruction at the beginning": {before(`<?xml-stylesheet href="a"?>`), "saml_processing_instruction"},
		"a second declaration":            {before(`<?xml version="1.0"?><?xml version="1.0"?>`), "saml_processing_instruction"},
		"a declaration with junk":         {before(`<?xml version="1.0" encoding="UTF-8" x="y"?>`), "saml_processing_instruction"},
		"another encoding":                {before(`<?xml version="1.0" encoding="ISO-8859-1"?>`), "saml_xml"},
		"XML 1.1":                         {before(`<?xml version="1.1"?>`), "saml_xml"},
		"CDATA in the NameID":             {replace(nameID, "><![CDATA[4711]]></saml:NameID>"), "saml_cdata"},
		"CDATA, empty":                    {replace(nameID, ">4711<![CDATA[]]></saml:NameID>"), "saml_cdata"},
		"a second root":                   {behind("<x/>"), "saml_trailing"},
		"a second response":               {behind(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>`), "saml_trailing"},
		"text behind the response":        {behind("x"), "saml_trailing"},
		"65 levels":                       {replace(nameID, ">"+strings.Repeat("<a>", 65)+strings.Repeat("</a>", 65)+"</saml:NameID>"), "saml_depth"},
		"513 elements":                    {replace(nameID, ">"+strings.Repeat("<a/>", 513)+"</saml:NameID>"), "saml_elements"},
		"65 attributes":                   {replace(`<saml:NameID `, `<saml:NameID `+numbered(65)), "saml_attributes"},
		"a prefix with two meanings":      {replace(`<saml:NameID `, `<saml:NameID xmlns:saml="urn:evil" `), "saml_namespace"},
		"a prefix with two in one tag":    {replace(`<samlp:Status>`, `<samlp:Status xmlns:samlp="urn:a" xmlns:samlp="urn:b">`), "saml_namespace"},
		"the default namespace undone":    {replace(`<saml:NameID `, `<saml:NameID xmlns="" `), "saml_namespace"},
		"a relative namespace":            {replace(`<saml:NameID `, `<saml:NameID xmlns:x="../evil" `), "saml_namespace"},
		"a namespace with a space":        {replace(`<saml:NameID `, `<saml:NameID xmlns:x="urn:a b" `), "saml_namespace"},
		"the prefix xml redefined":        {replace(`<saml:NameID `, `<saml:NameID xmlns:xml="http://www.w3.org/XML/1998/namespace" `), "saml_namespace"},
		"the prefix xmlns defined":        {replace(`<saml:NameID `, `<saml:NameID xmlns:xmlns="http://www.w3.org/2000/xmlns/" `), "saml_namespace"},
		"a name that is all colon":        {replace(`<saml:NameID `, `<saml:NameID :Format="x" `), "saml_xml"},
		"a prefix without a name":         {replace(`<saml:NameID `, `<saml:NameID saml:="x" `), "saml_xml"},
		"an element without a prefix":     {replace(">4711</saml:NameID>", "><:x/></saml:NameID>"), "saml_xml"},
		"an element without a name":       {replace(">4711</saml:NameID>", "><saml:/></saml:NameID>"), "saml_xml"},
		"two colons":                      {replace(">4711</saml:NameID>", "><saml:a:b/></saml:NameID>"), "saml_xml"},
		"a prefix that nobody declared":   {replace(">4711</saml:NameID>", "><evil:x/></saml:NameID>"), "saml_namespace"},
		"a foreign NameID":                {replace(`<saml:NameID `, `<e:NameID xmlns:e="urn:evil">admin</e:NameID><saml:NameID `), "saml_namespace"},
		"xml:id":                          {replace(`<saml:Subject>`, `<saml:Subject xml:id="x">`), "saml_namespace"},
		"xsi:type on the subject":         {replace(`<saml:Subject>`, `<saml:Subject xsi:type="saml:SubjectType">`), "saml_namespace"},
	} {
		t.Run(name, func(t *testing.T) { one(t, raw(attack.change), attack.code) })
	}
}

func numbered(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, `a%d="" `, i)
	}
	return out.String()
}

// TestBombsCostLittle bounds what an attacker without any key can make us do.
// The budget is 5 ms on the developer's machine; the test allows for a slow
// and busy one.
func TestBombsCostLittle(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	const size = 74_000
	for name, bomb := range map[string]string{
		"depth":      strings.Repeat("<a>", size/3),
		"width":      "<a>" + strings.Repeat("<a/>", size/4) + "</a>",
		"attributes": "<a " + numbered(size/11) + "/>",
		"namespaces": "<a>" + strings.Repeat(`<a xmlns:b="urn:b"/>`, size/20) + "</a>",
		"text":       "<a>" + strings.Repeat("a&amp;", size/6) + "</a>",
		"comments":   "<a>" + strings.Repeat("<!---->", size/7) + "</a>",
		"directive":  "<!" + strings.Repeat("<", size) + ">",
		"entities":   "<a>" + strings.Repeat("&#x41;", size/6) + "</a>",
	} {
		t.Run(name, func(t *testing.T) {
			encoded := base64Of(bomb)
			best := time.Hour
			for range 5 {
				start := time.Now()
				refuse(t, sp, encoded, expected, "saml_depth", "saml_elements", "saml_attributes", "saml_namespace",
					"saml_root", "saml_comment", "saml_doctype", "saml_xml")
				best = min(best, time.Since(start))
			}
			if best > 50*time.Millisecond {
				t.Errorf("refusing took %v", best)
			}
		})
	}
}

// TestRoundTripCheck: the check on names is asked, whatever this version of
// encoding/xml makes of them.
func TestRoundTripCheck(t *testing.T) {
	if refused := saml.Stable("<a></a>"); refused != nil {
		t.Error(refused)
	}
	if refused := saml.Stable("<a><!"); refused == nil || refused.Code != "saml_roundtrip" {
		t.Errorf("%v", refused)
	}
}
