package saml_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml/samltest"
)

// TestTransport has what is wrong with the characters before anything is XML.
func TestTransport(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	fine := idp.Response(right())
	accept(t, sp, fine, expected)

	deflated := func() string {
		var out bytes.Buffer
		w, _ := flate.NewWriter(&out, flate.BestCompression)
		_, _ = w.Write(idp.XML(right()))
		_ = w.Close()
		return base64.StdEncoding.EncodeToString(out.Bytes())
	}
	padded := idp.Response(but(func(s *samltest.Spec) { s.Raw = pad(1) }))

	for name, attack := range map[string]struct {
		encoded string
		code    refusal.Code
	}{
		"empty":              {"", "saml_not_xml"},
		"100001 characters":  {strings.Repeat("A", 100_001), "saml_too_large"},
		"line break":         {fine[:76] + "\n" + fine[76:], "saml_base64"},
		"carriage return":    {fine[:76] + "\r\n" + fine[76:], "saml_base64"},
		"trailing line":      {fine + "\n", "saml_base64"},
		"space":              {fine[:76] + " " + fine[76:], "saml_base64"},
		"plus became space":  {strings.Replace(fine+"++", "+", " ", 1), "saml_base64"},
		"url-safe":           {base64.URLEncoding.EncodeToString([]byte("<a>\xc3\xbf\xc3\xbf\xc3\xbf</a>??>>")), "saml_base64"},
		"no padding":         {strings.TrimRight(padded, "="), "saml_base64"},
		"more padding":       {padded + "====", "saml_base64"},
		"spare bits":         {"PGE+PC9hPh==", "saml_base64"},
		"percent-encoded":    {strings.Replace(padded, "=", "%3D", 1), "saml_base64"},
		"deflated":           {deflated(), "saml_not_xml"},
		"byte order mark":    {base64.StdEncoding.EncodeToString([]byte("\ufeff<a/>")), "saml_not_xml"},
		"white space first":  {base64.StdEncoding.EncodeToString([]byte(" <a/>")), "saml_not_xml"},
		"JSON":               {base64.StdEncoding.EncodeToString([]byte(`{"a":1}`)), "saml_not_xml"},
		"Latin-1":            {base64.StdEncoding.EncodeToString([]byte("<a>\xe9</a>")), "saml_utf8"},
		"UTF-16":             {base64.StdEncoding.EncodeToString([]byte("\xff\xfe<\x00a\x00/\x00>\x00")), "saml_not_xml"},
		"NUL in the middle":  {base64.StdEncoding.EncodeToString([]byte("<a>\x00</a>")), "saml_xml"},
		"cut off":            {base64.StdEncoding.EncodeToString(idp.XML(right())[:600]), "saml_xml"},
		"an entity of none":  {base64.StdEncoding.EncodeToString([]byte("<a>&nbsp;</a>")), "saml_xml"},
		"tags that cross":    {base64.StdEncoding.EncodeToString([]byte("<a><b></a></b>")), "saml_xml"},
		"no element":         {base64.StdEncoding.EncodeToString([]byte("<?xml version='1.0'?>")), "saml_xml"},
		"an attribute twice": {base64.StdEncoding.EncodeToString([]byte("<a b='1' b='2'/>")), "saml_xml"},
	} {
		t.Run(name, func(t *testing.T) {
			if attack.encoded == fine {
				t.Fatal("the attack changes nothing")
			}
			refuse(t, sp, attack.encoded, expected, attack.code)
		})
	}
}

// pad adds white space behind the document until its base64 needs so many
// padding characters.
func pad(characters int) func([]byte) []byte {
	return func(raw []byte) []byte {
		for len(base64.StdEncoding.EncodeToString(raw))-len(base64.RawStdEncoding.EncodeToString(raw)) != characters {
			raw = append(raw, '\n')
		}
		return raw
	}
}
