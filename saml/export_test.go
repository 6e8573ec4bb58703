package saml

import (
	"strings"

	"github.com/rolepass/rolepass/refusal"
)

// Stable is the round-trip check on its own.
func Stable(document string) *refusal.Refusal { return stable([]byte(document)) }

// Agree compares what two documents say, as Verify compares its two readers.
func Agree(one, other []byte) *refusal.Refusal {
	var said [2]statement
	for i, raw := range [][]byte{one, other} {
		root, refused := scan(raw, responseLimits)
		if refused == nil {
			said[i], refused = examine(root)
		}
		if refused != nil {
			return refused
		}
	}
	return agree(said[0], said[1])
}

// Scan reads a document and writes down what was read: each element with its
// namespace, its attributes, its own text and its children.
func Scan(document string) (text string, depth, elements int, refused *refusal.Refusal) {
	root, refused := scan([]byte(document), responseLimits)
	if refused != nil {
		return "", 0, 0, refused
	}
	var out strings.Builder
	root.dump(&out, 1, &depth, &elements)
	return out.String(), depth, elements, nil
}

func (e *element) dump(out *strings.Builder, level int, depth, elements *int) {
	*depth, *elements = max(*depth, level), *elements+1
	out.WriteString("(" + e.name.Space + " " + e.name.Local)
	for _, a := range e.attrs {
		out.WriteString(" " + a.Name.Space + " " + a.Name.Local + "=" + a.Value)
	}
	out.WriteString(" " + string(e.text))
	for _, child := range e.children {
		child.dump(out, level+1, depth, elements)
	}
	out.WriteString(")")
}
