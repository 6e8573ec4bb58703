package samltest

import (
	"encoding/base64"
	"strings"
)

func characters(change func(string) string) func(*Spec) { return func(s *Spec) { s.Text = change } }
func octets(change func([]byte) []byte) func(*Spec)     { return func(s *Spec) { s.Raw = change } }

// fill brings a response to a length that leaves so many signs of padding, by
// more blanks behind it than the last four characters can hold.
func fill(padding int) func(*Spec) {
	return octets(func(raw []byte) []byte {
		raw = append(raw, "   "...)
		for (3-len(raw)%3)%3 != padding {
			raw = append(raw, ' ')
		}
		return raw
	})
}

// long makes the response so many characters of base64 by blanks at the end,
// which a reader of XML skips.
func long(n int) func(*Spec) {
	return octets(func(raw []byte) []byte { return append(raw, strings.Repeat(" ", n/4*3-len(raw))...) })
}

// encodingVectors have something wrong with the characters before any of it
// is XML. The response in them is right.
func encodingVectors() []Vector {
	const (
		exact   = "Issue 6: strict standard base64, because the same characters go on to STS"
		deflate = "CVE-2023-26483 (gosaml2), CVE-2023-28119 (crewjam): a body that is inflated"
		charset = "CVE-2025-25291 (ruby-saml): two readers of one encoding"
	)
	sameBytes := "it ignores line ends in base64, as AWS's own does; the bytes are the same"
	return []Vector{
		{Name: "nothing", After: exact, Code: "saml_not_xml", Change: characters(func(string) string { return "" })},
		{Name: "100,004 characters", After: "The quota of STS: 100,000", Code: "saml_too_large", Sibling: long(100_000), Change: long(100_004)},
		{Name: "a line break", After: exact, Code: "saml_base64", Change: characters(func(t string) string { return t[:76] + "\n" + t[76:] }), STS: sameBytes},
		{Name: "a carriage return and a line feed", After: exact, Code: "saml_base64", Change: characters(func(t string) string { return t[:76] + "\r\n" + t[76:] }), STS: sameBytes},
		{Name: "a line break at the end", After: exact, Code: "saml_base64", Change: characters(func(t string) string { return t + "\n" }), STS: sameBytes},
		{Name: "a blank", After: exact, Code: "saml_base64", Change: characters(func(t string) string { return t[:76] + " " + t[76:] })},
		{Name: "a blank in front", After: exact, Code: "saml_base64", Change: characters(func(t string) string { return " " + t })},
		{Name: "a plus that became a blank", After: "A form that was decoded twice", Code: "saml_base64", Change: characters(func(t string) string { return strings.Replace(t+"+", "+", " ", 1) })},
		{Name: "no padding", After: exact, Code: "saml_base64", Sibling: fill(1), Change: characters(func(t string) string { return strings.TrimRight(t, "=") })},
		{Name: "more padding", After: exact, Code: "saml_base64", Sibling: fill(1), Change: characters(func(t string) string { return t + "====" })},
		{Name: "padding and more behind it", After: "threats facts §6.1: only the first part is read", Code: "saml_base64", Sibling: fill(1), Change: characters(func(t string) string { return t + "PHgvPg==" })},
		{Name: "spare bits", After: "RFC 4648 §3.5: bits that say nothing", Code: "saml_base64", Sibling: fill(1), Change: characters(func(t string) string {
			const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
			last := len(t) - 2
			return t[:last] + string(alphabet[strings.IndexByte(alphabet, t[last])+1]) + "="
		})},
		{Name: "the alphabet of URLs", After: exact, Code: "saml_base64", Change: characters(func(t string) string { return "_" + t[1:] })},
		{Name: "percent-encoded padding", After: "A form that was encoded twice", Code: "saml_base64", Sibling: fill(1), Change: characters(func(t string) string { return strings.Replace(t, "=", "%3D", 1) })},
		{Name: "base64 of base64", After: "A form that was encoded twice", Code: "saml_not_xml", Change: characters(func(t string) string { return base64.StdEncoding.EncodeToString([]byte(t)) })},
		{Name: "XML without base64", After: exact, Code: "saml_base64", Change: characters(func(t string) string {
			raw, err := base64.StdEncoding.DecodeString(t)
			if err != nil {
				panic("samltest: " + err.Error())
			}
			return string(raw)
		})},
		{Name: "deflated", After: deflate, Code: "saml_not_xml", Change: octets(deflated)},
		{Name: "a deflate bomb", After: deflate, Code: "saml_not_xml", Change: octets(func(raw []byte) []byte { return deflated(append(raw, make([]byte, 12<<20)...)) })},
		{Name: "a byte order mark", After: charset, Code: "saml_not_xml", Change: octets(func(raw []byte) []byte { return append([]byte("\ufeff"), raw...) }), STS: "it skips the mark; the signed elements are the same"},
		{Name: "white space first", After: charset, Code: "saml_not_xml", Change: octets(func(raw []byte) []byte { return append([]byte(" "), raw...) }), STS: "it skips white space around the response"},
		{Name: "a declaration and nothing else", After: charset, Code: "saml_xml", Change: octets(func([]byte) []byte { return []byte(`<?xml version="1.0"?>`) })},
		{Name: "JSON", After: charset, Code: "saml_not_xml", Change: octets(func([]byte) []byte { return []byte(`{"a":1}`) })},
		{Name: "UTF-16", After: charset, Code: "saml_not_xml", Change: octets(func(raw []byte) []byte {
			out := []byte("\xff\xfe")
			for _, b := range raw {
				out = append(out, b, 0)
			}
			return out
		})},
		{Name: "Latin-1", After: charset, Code: "saml_utf8", Change: replaceBytes(">4711</saml:NameID>", ">4711\xe9</saml:NameID>")},
		{Name: "an overlong sign", After: charset, Code: "saml_utf8", Change: replaceBytes(">4711</saml:NameID>", ">4711\xc0\xae</saml:NameID>")},
		{Name: "a lone surrogate", After: charset, Code: "saml_utf8", Change: replaceBytes(">4711</saml:NameID>", ">4711\xed\xa0\x80</saml:NameID>")},
	}
}
