package saml

import (
	"encoding/xml"
	"strings"
)

// Namespaces that a response may use for its elements.
const (
	protocolNS  = "urn:oasis:names:tc:SAML:2.0:protocol"
	assertionNS = "urn:oasis:names:tc:SAML:2.0:assertion"
	metadataNS  = "urn:oasis:names:tc:SAML:2.0:metadata"
	signatureNS = "http://www.w3.org/2000/09/xmldsig#"
	excC14NNS   = "http://www.w3.org/2001/10/xml-exc-c14n#"
	instanceNS  = "http://www.w3.org/2001/XMLSchema-instance"
)

func samlp(local string) xml.Name { return xml.Name{Space: protocolNS, Local: local} }
func saml(local string) xml.Name  { return xml.Name{Space: assertionNS, Local: local} }
func md(local string) xml.Name    { return xml.Name{Space: metadataNS, Local: local} }
func ds(local string) xml.Name    { return xml.Name{Space: signatureNS, Local: local} }

// element is one element as the scan read it. Namespace declarations are not
// among its attributes.
type element struct {
	name     xml.Name
	attrs    []xml.Attr
	text     []byte
	parent   *element
	children []*element
}

// attr is the value of an attribute without a namespace, or "".
func (e *element) attr(local string) string {
	value, _ := e.lookup(local)
	return value
}

func (e *element) lookup(local string) (string, bool) {
	if e == nil {
		return "", false
	}
	for _, a := range e.attrs {
		if a.Name.Space == "" && a.Name.Local == local {
			return a.Value, true
		}
	}
	return "", false
}

// child is the first child of that name, or nil; it is safe on nil, so that
// a path can be followed without asking at each step.
func (e *element) child(path ...xml.Name) *element {
	for _, name := range path {
		e = e.firstChild(name)
	}
	return e
}

func (e *element) firstChild(name xml.Name) *element {
	if e == nil {
		return nil
	}
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// all are the children of that name.
func (e *element) all(name xml.Name) []*element {
	var found []*element
	if e == nil {
		return nil
	}
	for _, c := range e.children {
		if c.name == name {
			found = append(found, c)
		}
	}
	return found
}

// lineEnds makes every end of a line one line feed, as XML does with the ones
// that are not written as &#13;.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// content is the text of the element, or "" for nil. A carriage return in it
// becomes a line feed, because gosaml2 reads it so: it writes the signed bytes
// out plainly before it unmarshals them.
func (e *element) content() string {
	if e == nil {
		return ""
	}
	return lineEnds.Replace(string(e.text))
}

// replace puts another element into the place of a child.
func (e *element) replace(child, other *element) {
	other.parent = e
	for i := range e.children {
		if e.children[i] == child {
			e.children[i] = other
		}
	}
}

// walk visits the element and everything below it, until visit says stop.
func (e *element) walk(visit func(*element) bool) bool {
	if !visit(e) {
		return false
	}
	for _, c := range e.children {
		if !c.walk(visit) {
			return false
		}
	}
	return true
}

// path names the element for a person: Response/Assertion/Subject.
func (e *element) path() string {
	if e.parent == nil {
		return e.name.Local
	}
	return e.parent.path() + "/" + e.name.Local
}
