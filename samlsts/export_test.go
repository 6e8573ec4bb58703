package samlsts

import (
	"fmt"
	"strings"
)

// Parse and ParseFile read a document and write down what was read: each
// element as {namespace}name, its attributes, its own text, its children.
func Parse(text string) (string, error)     { return dump(parse([]byte(text))) }
func ParseFile(text string) (string, error) { return dump(parseFile([]byte(text))) }

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
