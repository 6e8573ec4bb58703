package samlsts

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

// Parse and ParseFile read a document and write down what was read: each
// element as {namespace}name, its attributes, its own text, its children.
func Parse(text string) (string, error)     { return dump(parse([]byte(text))) }
func ParseFile(text string) (string, error) { return dump(parseFile([]byte(text))) }

// ParseMetadata reads an IdP's metadata: who it is, the certificates by which
// it signs, and the end that it states.
func ParseMetadata(text []byte) (entity string, certificates []*x509.Certificate, until time.Time, err error) {
	p, err := parseMetadata(text)
	if err != nil {
		return "", nil, time.Time{}, err
	}
	return p.entity, p.certificates, p.validUntil, nil
}

func dump(e *element, err error) (string, error) {
	if err != nil {
		return "", err
	}
	var b strings.Builder
	e.dump(&b)
	return b.String(), nil
}

func (e *element) dump(b *strings.Builder) {
	fmt.Fprintf(b, "%s[", e.name)
	for _, a := range e.attributes {
		fmt.Fprintf(b, "%s=%q ", a.name, a.value)
	}
	fmt.Fprintf(b, "]%q(", e.text)
	for _, child := range e.children {
		child.dump(b)
	}
	b.WriteString(")")
}
