package samlsts_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/samlsts"
)

func TestReadsXML(t *testing.T) {
	for text, want := range map[string]string{
		`<a/>`:                              `{}a[]""()`,
		"\xef\xbb\xbf<a></a >":              `{}a[]""()`,
		"<?xml version='1.0'?>\r\n<a\n/>\r": `{}a[]""()`,
		`<?xml version="1.0" encoding="utf-8" standalone="yes" ?><a/>`: `{}a[]""()`,
		`<a b="1" c='"'>x<d/>y</a>`:                                    `{}a[{}b="1" {}c="\"" ]"xy"({}d[]""())`,
		`<a xmlns="u:v" b=""><c xmlns="u:w"/><d/></a>`:                 `{u:v}a[{}b="" ]""({u:w}c[]""(){u:v}d[]""())`,
		`<p:a xmlns:p="u:v" p:b="1" b="2"><p:c xmlns:p="u:w"/></p:a>`:  `{u:v}a[{u:v}b="1" {}b="2" ]""({u:w}c[]""())`,
		`<a xml:lang="en"/>`:                                           `{}a[{http://www.w3.org/XML/1998/namespace}lang="en" ]""()`,
		`<a b="&lt;&#10;&quot;">&amp;&#x41;&apos;&gt;&#13;</a>`:        `{}a[{}b="<\n\"" ]"&A'>\r"()`,
		"<a>1\r\n2\r3</a>":                                             `{}a[]"1\n2\n3"()`,
		`<a>é≠😀</a>`:                                                   `{}a[]"é≠😀"()`,
	} {
		if got, err := samlsts.Parse(text); err != nil || got != want {
			t.Errorf("%q: read %s (%v), want %s", text, got, err, want)
		}
	}
}

func TestReadsFilesLessStrictly(t *testing.T) {
	const text = "<!-- a --><a b=\"1\n2\">x<!-- <c/> -->y</a><!-- b -->\n"
	if got, err := samlsts.ParseFile(text); err != nil || got != `{}a[{}b="1 2" ]"xy"()` {
		t.Errorf("read %s (%v)", got, err)
	}
	for text, want := range map[string]string{
		"<!-- a":              "comment that does not end",
		"<!-- a -- b --><a/>": "comment that does not end",
		"<a/><!-- a ->":       "comment that does not end",
		"<a><!-- a</a>":       "comment that does not end",
		"<!DOCTYPE a><a/>":    "document type",
		"<a><![CDATA[]]></a>": "CDATA",
	} {
		if got, err := samlsts.ParseFile(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: read %s (%v), want %q", text, got, err, want)
		}
	}
}

func TestRefusesXML(t *testing.T) {
	refuse := func(want string, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if got, err := samlsts.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.80q: read %.80s (%v), want %q", text, got, err, want)
			}
		}
	}
	nested := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	if _, err := samlsts.Parse(nested(64)); err != nil {
		t.Errorf("64 deep: %v", err)
	}
	refuse("nested more than 64", nested(65), nested(100_000))
	many := func(n int) string { return "<a>" + strings.Repeat("<b/>", n-1) + "</a>" }
	if _, err := samlsts.Parse(many(4096)); err != nil {
		t.Errorf("4096 elements: %v", err)
	}
	refuse("more than 4096 elements", many(4097))
	refuse("not UTF-8", "<a>\xff</a>", "<a>\xed\xa0\x80</a>", "\xff\xfe<\x00a\x00/\x00>\x00")
	refuse("character that XML does not allow", "<a>\x00</a>", "<a>\x0b</a>", "<a>\ufffe</a>", "<a b='\x01'/>")
	refuse("processing instruction, or an XML declaration", "<?x?><a/>", `<?xml version="1.1"?><a/>`, `<?xml version="1.0" encoding="UTF-16"?><a/>`, `<?xml encoding="UTF-8"?><a/>`, " <?xml version=\"1.0\"?><a/>")
	refuse("document type, a comment", "<!DOCTYPE a><a/>", "<!-- --><a/>", "<![CDATA[a]]>")
	refuse("does not begin with an element", "", "x", "&lt;a/>")
	refuse("something follows", "<a/><a/>", "<a/>x", "<a/><!-- -->", "<a/><?x?>", "<a/>\x20</a>")
	refuse("inside of an element", "<a><!-- --></a>", "<a><![CDATA[]]></a>", "<a><?x?></a>", "<a><!DOCTYPE a></a>")
	refuse("does not end", "<a>", "<a><b></b>")
	refuse("does not match", "<a></b>", "<a><b></a></b>", "<a></ a>", "<a></a", "<p:a xmlns:p='u:v' xmlns:q='u:v'></q:a>")
	refuse("plain name", "<>", "< a/>", "<1a/>", "<é/>", "<-a/>")
	refuse("not well-formed", "<a b/>", "<a b=c/>", "<a b='c/>", "<a b='<'/>", "<a b=''c=''/>", "<a:b:c/>", "<a b:c:d=''/>", "<a é=''/>", "<a", "<a / >")
	refuse("same attribute twice", "<a b='' b=''/>", "<a xmlns:p='u:v' xmlns:q='u:v' p:b='' q:b=''/>")
	refuse("same prefix twice", "<a xmlns='u:v' xmlns='u:w'/>", "<a xmlns:p='u:v' xmlns:p='u:v'/>")
	refuse("prefix that is not declared", "<p:a/>", "<a p:b=''/>", "<a><b xmlns:p='u:v'/><p:c/></a>", "<xmlns:a/>")
	refuse("may not be declared", "<a xmlns=''/>", "<a xmlns:p=''/>", "<a xmlns:p='v'/>", "<a xmlns:p='../v'/>", "<a xmlns:p='u: v'/>", "<a xmlns:xml='u:v'/>", "<a xmlns:xmlns='u:v'/>", "<a xmlns='http://www.w3.org/XML/1998/namespace'/>")
	refuse("tab or a line end", "<a b='\t'/>", "<a b='\n'/>", "<a b='\r\n'/>")
	refuse("end of a CDATA section", "<a>]]></a>", "<a b=']]>'/>")
	refuse("ampersand", "<a>&</a>", "<a>&lt</a>", "<a b='&'/>")
	refuse("entity or to a character", "<a>&x;</a>", "<a>&;</a>", "<a>&#;</a>", "<a>&#x;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&#x110000;</a>", "<a>&#X41;</a>", "<a>&#-1;</a>", "<a>&#+1;</a>", "<a>&##65;</a>", "<a>&65;</a>", "<a>&x41;</a>", "<a b='&x;'/>", "<a>& lt;</a>", "<a>&#99999999999999999999;</a>")
}

// Whatever our reader accepts, encoding/xml reads the same way: the subset is
// one about which readers cannot disagree.
func FuzzParse(f *testing.F) {
	for _, text := range []string{`<a b="1">x<c/>y</a>`, `<p:a xmlns:p="u:v" p:b="&lt;&#10;"/>`, "<a xmlns='u:v'>\r\n<b xmlns='u:w'/>&amp;</a>", "<?xml version='1.0' encoding='UTF-8'?><a xml:lang='en'/>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ours, err := samlsts.Parse(text)
		if err != nil {
			return
		}
		theirs, err := standard(xml.NewDecoder(strings.NewReader(strings.TrimPrefix(text, "\xef\xbb\xbf"))))
		if err != nil || ours != theirs {
			t.Errorf("%q:\nours  %s\ntheirs %s (%v)", text, ours, theirs, err)
		}
	})
}

// standard writes down what encoding/xml reads, as samlsts.Parse does.
func standard(d *xml.Decoder) (string, error) {
	type open struct {
		head           string
		text, children strings.Builder
	}
	stack := []*open{{}}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return stack[0].children.String(), nil
		}
		if err != nil {
			return "", err
		}
		top := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			el := &open{head: fmt.Sprintf("{%s}%s[", token.Name.Space, token.Name.Local)}
			for _, a := range token.Attr {
				if a.Name.Space != "xmlns" && a.Name != (xml.Name{Local: "xmlns"}) {
					el.head += fmt.Sprintf("{%s}%s=%q ", a.Name.Space, a.Name.Local, a.Value)
				}
			}
			stack = append(stack, el)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
			fmt.Fprintf(&stack[len(stack)-1].children, "%s]%q(%s)", top.head, top.text.String(), top.children.String())
		case xml.CharData:
			top.text.Write(token)
		}
	}
}
