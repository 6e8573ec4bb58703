package saml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"

	roundtrip "github.com/mattermost/xml-roundtrip-validator"

	"github.com/rolepass/rolepass/refusal"
)

// limits bound what a document may cost before anybody has vouched for it.
type limits struct {
	depth      int
	elements   int
	attributes int // of one element, declarations included
	comments   bool
}

// responseLimits bound a response. goxmldsig gives up after 1,000 steps through
// the tree and takes two per element, so that a response with more than about
// 500 elements could not be verified anyhow; it is refused while that is cheap.
var responseLimits = limits{depth: 64, elements: 512, attributes: 64}

// scanner turns bytes into elements and refuses everything in XML that a SAML
// message does not need: document types, entities, comments, processing
// instructions, CDATA, a second root, prefixes that change their meaning.
type scanner struct {
	limits   limits
	root     *element
	open     *element
	depth    int
	elements int
	prefixes map[string]string
}

// scan reads one document. It is the only reader of bytes that nobody has
// vouched for; gosaml2 sees them after it.
func scan(raw []byte, bounds limits) (*element, *refusal.Refusal) {
	if bytes.Contains(raw, []byte("<![CDATA[")) {
		return nil, malformed("saml_cdata", "The document has a CDATA section; no IdP writes one, and parsers differ about them.")
	}
	s := &scanner{limits: bounds, prefixes: map[string]string{}}
	decoder := xml.NewDecoder(bytes.NewReader(raw))
	for {
		offset := decoder.InputOffset()
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, malformed("saml_xml", "The document is not well-formed XML; it was changed or cut short on its way.").Because(err)
		}
		if refused := s.take(token, offset); refused != nil {
			return nil, refused
		}
	}
	if s.root == nil {
		return nil, malformed("saml_xml", "The document has no element.")
	}
	return s.root, nil
}

// stable refuses what encoding/xml would write differently from how it read
// it: the signature would then be over other bytes than the ones we read. It
// is the dearest part of the scan, so it comes when everything else is right.
func stable(raw []byte) *refusal.Refusal {
	if err := roundtrip.Validate(bytes.NewReader(raw)); err != nil {
		return malformed("saml_roundtrip", "The document uses names that do not survive being read and written again; no IdP writes such XML.").Because(err)
	}
	return nil
}

func (s *scanner) take(token xml.Token, offset int64) *refusal.Refusal {
	switch t := token.(type) {
	case xml.StartElement:
		return s.start(t)
	case xml.EndElement:
		s.open = s.open.parent
		s.depth--
	case xml.CharData:
		return s.chars(t)
	case xml.Comment:
		if !s.limits.comments {
			return malformed("saml_comment", "The document has a comment; comments inside values have fooled parsers before, so none is accepted.")
		}
	case xml.ProcInst:
		if offset != 0 || t.Target != "xml" || !declaration.Match(t.Inst) {
			return malformed("saml_processing_instruction", "The document has a processing instruction, or an XML declaration other than version 1.0 and UTF-8.")
		}
	case xml.Directive:
		return malformed("saml_doctype", "The document has a DOCTYPE; SAML forbids them because entities can hide what was signed.")
	}
	return nil
}

// declaration is what may stand inside <?xml ... ?>.
var declaration = regexp.MustCompile(`^version=["']1\.0["'](\s+encoding=["'](?i:utf-8)["'])?(\s+standalone=["'](yes|no)["'])?\s*$`)

func (s *scanner) start(t xml.StartElement) *refusal.Refusal {
	s.depth++
	s.elements++
	switch {
	case s.open == nil && s.root != nil:
		return malformed("saml_trailing", "A second element follows the document; readers differ about which of the two counts.")
	case s.depth > s.limits.depth:
		return malformed("saml_depth", "Elements are nested deeper than %d; a SAML response needs about ten.", s.limits.depth)
	case s.elements > s.limits.elements:
		return malformed("saml_elements", "The document has more than %d elements. Let the IdP send fewer roles and groups for this application.", s.limits.elements)
	case strings.Contains(t.Name.Local, ":"):
		return malformed("saml_xml", "The element name %q has a colon too many; readers differ about such names.", shown(t.Name.Local))
	case len(t.Attr) > s.limits.attributes:
		return malformed("saml_attributes", "The element %q has more than %d attributes.", shown(t.Name.Local), s.limits.attributes)
	}
	e := &element{name: t.Name, parent: s.open}
	for i, a := range t.Attr {
		if refused := s.attr(e, a, t.Attr[:i]); refused != nil {
			return refused
		}
	}
	if s.open == nil {
		s.root = e
	} else {
		s.open.children = append(s.open.children, e)
	}
	s.open = e
	return nil
}

func (s *scanner) attr(e *element, a xml.Attr, before []xml.Attr) *refusal.Refusal {
	for _, b := range before {
		if b.Name == a.Name {
			return malformed("saml_xml", "The element %q has the attribute %q twice.", shown(e.name.Local), shown(a.Name.Local))
		}
	}
	switch {
	case strings.Contains(a.Name.Local, ":"):
		return malformed("saml_xml", "The attribute name %q has a colon too many; readers differ about such names.", shown(a.Name.Local))
	case a.Name.Space == "xmlns":
		return s.declare(a.Name.Local, a.Value)
	case a.Name.Space == "" && a.Name.Local == "xmlns":
		return s.declare("", a.Value)
	}
	e.attrs = append(e.attrs, a)
	return nil
}

// namespace is what a namespace may be: absolute. Relative ones have made
// canonicalizers give up and sign nothing.
var namespace = regexp.MustCompile(`^(urn|https?):[!-~]+$`)

// declare refuses a prefix that means two things in one document. The default
// namespace may change: some IdPs write every element with its own.
func (s *scanner) declare(prefix, uri string) *refusal.Refusal {
	if prefix == "xml" || prefix == "xmlns" || !namespace.MatchString(uri) {
		return malformed("saml_namespace", "The namespace declaration %q=%q is not one that a SAML message needs.", shown(prefix), shown(uri))
	}
	if known, seen := s.prefixes[prefix]; prefix != "" && seen && known != uri {
		return malformed("saml_namespace", "The prefix %q means two namespaces, %q and %q; readers differ about such documents.", shown(prefix), shown(known), shown(uri))
	}
	s.prefixes[prefix] = uri
	return nil
}

func (s *scanner) chars(t xml.CharData) *refusal.Refusal {
	if s.open != nil {
		s.open.text = append(s.open.text, t...)
		return nil
	}
	if strings.TrimLeft(string(t), " \t\r\n") != "" {
		return malformed("saml_trailing", "Text stands outside the document's one element.")
	}
	return nil
}
