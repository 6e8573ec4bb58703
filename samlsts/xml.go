package samlsts

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a document. A SAML response of an ordinary IdP has 60 elements, 10
// deep, and no more than 10 attributes on one of them.
const (
	maxDepth      = 64
	maxElements   = 4096
	maxAttributes = 64 // on one element; as many as elements in all
)

// xmlNamespace is what the prefix xml is bound to, always.
const xmlNamespace = "http://www.w3.org/XML/1998/namespace"

// parse reads a subset of XML 1.0 about which no two parsers can disagree:
// UTF-8, ASCII names with at most one colon, the five predefined entities and
// character references, declared prefixes with absolute namespace names, one
// root. It refuses document types, comments, CDATA and processing instructions
// altogether, line ends in attribute values, and whatever is not well-formed.
func parse(data []byte) (*element, error) {
	return read(data, false)
}

// parseFile is parse for documents that an administrator has chosen: it skips
// comments, and takes line ends in attribute values for spaces.
func parseFile(data []byte) (*element, error) {
	return read(data, true)
}

func read(data []byte, lenient bool) (*element, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	r := &reader{rest: strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n"), lenient: lenient}
	if bad := strings.IndexFunc(r.rest, func(c rune) bool { return !isChar(c) }); bad >= 0 {
		return nil, errors.New("it has a character that XML does not allow")
	}
	if err := r.prolog(); err != nil {
		return nil, err
	}
	root, err := r.element(1, map[string]string{"xml": xmlNamespace})
	if err != nil {
		return nil, err
	}
	if err := r.blanks(); err != nil {
		return nil, err
	}
	if r.rest != "" {
		return nil, errors.New("something follows the root element")
	}
	return root, nil
}

// reader consumes rest from its beginning.
type reader struct {
	rest     string
	lenient  bool
	elements int
	// attributes counts those of all elements.
	attributes int
}

var xmlDeclaration = regexp.MustCompile(`^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.0"|'1\.0')(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(?:"(?i:utf-8)"|'(?i:utf-8)'))?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>`)

// prolog reads what may stand before the root element.
func (r *reader) prolog() error {
	r.rest = r.rest[len(xmlDeclaration.FindString(r.rest)):]
	if err := r.blanks(); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(r.rest, "<!"):
		return errors.New("it has a document type, a comment or CDATA")
	case strings.HasPrefix(r.rest, "<?"):
		return errors.New("it has a processing instruction, or an XML declaration other than version 1.0 in UTF-8")
	case !strings.HasPrefix(r.rest, "<"):
		return errors.New("it does not begin with an element")
	}
	return nil
}

// blanks skips white space between markup, and comments where they may be.
func (r *reader) blanks() error {
	for {
		r.rest = strings.TrimLeft(r.rest, " \t\n")
		skipped, err := r.comment()
		if !skipped || err != nil {
			return err
		}
	}
}

// comment skips one comment if the reader is lenient and there is one.
func (r *reader) comment() (bool, error) {
	if !r.lenient || !strings.HasPrefix(r.rest, "<!--") {
		return false, nil
	}
	end := strings.Index(r.rest[4:], "--")
	if end < 0 || !strings.HasPrefix(r.rest[4+end:], "-->") {
		return false, errors.New("it has a comment that does not end")
	}
	r.rest = r.rest[4+end+3:]
	return true, nil
}

// element reads one element; scope is what the prefixes outside of it mean.
func (r *reader) element(depth int, scope map[string]string) (*element, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("its elements are nested more than %d deep", maxDepth)
	}
	if r.elements++; r.elements > maxElements {
		return nil, fmt.Errorf("it has more than %d elements", maxElements)
	}
	tag, err := r.startTag()
	if err != nil {
		return nil, err
	}
	el, inner, err := tag.resolve(scope)
	if err != nil || tag.empty {
		return el, err
	}
	return el, r.content(el, tag.raw, depth, inner)
}

// content reads up to and including the end tag of el.
func (r *reader) content(el *element, tag string, depth int, scope map[string]string) error {
	var text strings.Builder
	for {
		upTo := strings.IndexByte(r.rest, '<')
		if upTo < 0 {
			return errors.New("an element does not end")
		}
		said, err := unescape(r.rest[:upTo])
		if err != nil {
			return err
		}
		text.WriteString(said)
		r.rest = r.rest[upTo:]
		switch {
		case strings.HasPrefix(r.rest, "</"):
			el.text = text.String()
			return r.endTag(tag)
		case strings.HasPrefix(r.rest, "<!"), strings.HasPrefix(r.rest, "<?"):
			skipped, err := r.comment()
			if err != nil {
				return err
			}
			if !skipped {
				return errors.New("it has a comment, a CDATA section or a processing instruction inside of an element")
			}
		default:
			child, err := r.element(depth+1, scope)
			if err != nil {
				return err
			}
			el.children = append(el.children, child)
		}
	}
}

var endTag = regexp.MustCompile(`^</([^ \t\n>]+)[ \t\n]*>`)

func (r *reader) endTag(want string) error {
	m := endTag.FindStringSubmatch(r.rest)
	if m == nil || m[1] != want {
		return errors.New("an end tag does not match its start tag")
	}
	r.rest = r.rest[len(m[0]):]
	return nil
}

// startTag is a start tag before its prefixes are looked up.
type startTag struct {
	raw        string
	attributes []rawAttribute
	empty      bool
}

type rawAttribute struct{ raw, value string }

var (
	tagName       = regexp.MustCompile(`^<((?:[A-Za-z_][A-Za-z0-9_.-]*:)?[A-Za-z_][A-Za-z0-9_.-]*)`)
	tagEnd        = regexp.MustCompile(`^[ \t\n]*(/?)>`)
	attributeText = regexp.MustCompile(`^[ \t\n]+((?:[A-Za-z_][A-Za-z0-9_.-]*:)?[A-Za-z_][A-Za-z0-9_.-]*)[ \t\n]*=[ \t\n]*("[^"<]*"|'[^'<]*')`)
)

func (r *reader) startTag() (*startTag, error) {
	m := tagName.FindStringSubmatch(r.rest)
	if m == nil {
		return nil, errors.New("it has a tag that does not begin with a plain name")
	}
	tag := &startTag{raw: m[1]}
	r.rest = r.rest[len(m[0]):]
	for {
		if end := tagEnd.FindStringSubmatch(r.rest); end != nil {
			r.rest = r.rest[len(end[0]):]
			tag.empty = end[1] == "/"
			return tag, nil
		}
		a := attributeText.FindStringSubmatch(r.rest)
		if a == nil {
			return nil, errors.New("it has a tag that is not well-formed")
		}
		r.rest = r.rest[len(a[0]):]
		value, err := r.attributeValue(a[2][1 : len(a[2])-1])
		if err != nil {
			return nil, err
		}
		tag.attributes = append(tag.attributes, rawAttribute{a[1], value})
		if r.attributes++; len(tag.attributes) > maxAttributes || r.attributes > maxElements {
			return nil, fmt.Errorf("an element has more than %d attributes, or all have more than %d", maxAttributes, maxElements)
		}
	}
}

func (r *reader) attributeValue(quoted string) (string, error) {
	if strings.ContainsAny(quoted, "\t\n") {
		if !r.lenient {
			return "", errors.New("an attribute value has a tab or a line end in it")
		}
		quoted = strings.NewReplacer("\t", " ", "\n", " ").Replace(quoted)
	}
	return unescape(quoted)
}

// resolve looks the prefixes up and gives the scope for the children.
func (t *startTag) resolve(scope map[string]string) (*element, map[string]string, error) {
	inner, err := t.declare(scope)
	if err != nil {
		return nil, nil, err
	}
	el := &element{}
	if el.name, err = expand(t.raw, inner, inner[""]); err != nil {
		return nil, nil, err
	}
	seen := make(map[name]bool)
	for _, a := range t.attributes {
		if a.raw == "xmlns" || strings.HasPrefix(a.raw, "xmlns:") {
			continue
		}
		n, err := expand(a.raw, inner, "")
		if err != nil {
			return nil, nil, err
		}
		if seen[n] {
			return nil, nil, errors.New("an element has the same attribute twice")
		}
		seen[n] = true
		el.attributes = append(el.attributes, attribute{n, a.value})
	}
	return el, inner, nil
}

// declare applies the tag's namespace declarations to a copy of the scope.
func (t *startTag) declare(scope map[string]string) (map[string]string, error) {
	inner, copied := scope, false
	declared := make(map[string]bool)
	for _, a := range t.attributes {
		prefix, isPrefix := strings.CutPrefix(a.raw, "xmlns:")
		if a.raw == "xmlns" {
			prefix = ""
		} else if !isPrefix {
			continue
		}
		if declared[prefix] {
			return nil, errors.New("an element declares the same prefix twice")
		}
		declared[prefix] = true
		if prefix == "xml" || prefix == "xmlns" || !absolute(a.value) || a.value == xmlNamespace {
			return nil, errors.New("it declares a prefix that may not be declared, or a namespace name that is not absolute")
		}
		if !copied {
			inner, copied = maps.Clone(scope), true
		}
		inner[prefix] = a.value
	}
	return inner, nil
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$`)

// absolute reports whether a namespace name is an absolute URI. Canonical XML
// is undefined for others (section 1.3).
func absolute(uri string) bool { return scheme.MatchString(uri) }

func expand(raw string, scope map[string]string, unprefixed string) (name, error) {
	prefix, local, found := strings.Cut(raw, ":")
	if !found {
		return name{unprefixed, raw}, nil
	}
	space, known := scope[prefix]
	if !known || prefix == "xmlns" {
		return name{}, errors.New("it uses a prefix that is not declared")
	}
	return name{space, local}, nil
}

// unescape resolves references. What is not a reference stays as it is.
func unescape(s string) (string, error) {
	if strings.Contains(s, "]]>") {
		return "", errors.New("it has the end of a CDATA section in its text")
	}
	amp := strings.IndexByte(s, '&')
	if amp < 0 {
		return s, nil
	}
	var out strings.Builder
	for ; amp >= 0; amp = strings.IndexByte(s, '&') {
		out.WriteString(s[:amp])
		reference, after, found := strings.Cut(s[amp+1:], ";")
		if !found {
			return "", errors.New("it has an ampersand that begins no reference")
		}
		c, err := referenced(reference)
		if err != nil {
			return "", err
		}
		out.WriteRune(c)
		s = after
	}
	out.WriteString(s)
	return out.String(), nil
}

var predefined = map[string]rune{"lt": '<', "gt": '>', "amp": '&', "apos": '\'', "quot": '"'}

func referenced(reference string) (rune, error) {
	if c, ok := predefined[reference]; ok {
		return c, nil
	}
	digits, base := strings.TrimPrefix(reference, "#"), 10
	if rest, hex := strings.CutPrefix(digits, "x"); hex {
		digits, base = rest, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if !strings.HasPrefix(reference, "#") || err != nil || n > utf8.MaxRune || !isChar(rune(n)) {
		return 0, errors.New("it has a reference to an entity or to a character that does not exist")
	}
	return rune(n), nil
}

// isChar is the production Char of XML 1.0, section 2.2.
func isChar(c rune) bool {
	return c == '\t' || c == '\n' || c == '\r' || c >= 0x20 && c <= 0xD7FF || c >= 0xE000 && c <= 0xFFFD || c >= 0x10000 && c <= 0x10FFFF
}
