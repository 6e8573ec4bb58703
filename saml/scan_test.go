package saml_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

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
			if bytes := allocated(func() { _, _ = sp.Verify(encoded, expected) }); bytes > 8<<20 {
				t.Errorf("refusing took %d bytes", bytes)
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
