package samlsts

// name is an expanded name (Namespaces in XML 1.0, section 2.1).
type name struct{ space, local string }

func (n name) String() string { return "{" + n.space + "}" + n.local }

// attribute is one attribute that is not a namespace declaration.
type attribute struct {
	name
	value string
}

// element is an element with its own character data (that of its children is
// theirs) and its child elements, both in document order.
type element struct {
	name
	attributes []attribute
	children   []*element
	text       string
}

// all gives the children with this name; what is not there has none.
func (e *element) all(n name) []*element {
	if e == nil {
		return nil
	}
	var found []*element
	for _, child := range e.children {
		if child.name == n {
			found = append(found, child)
		}
	}
	return found
}

// only gives the child with this name, or nil if there is none or several.
func (e *element) only(n name) *element {
	if found := e.all(n); len(found) == 1 {
		return found[0]
	}
	return nil
}

// attr gives the value of an attribute without a namespace.
func (e *element) attr(local string) (string, bool) {
	if e == nil {
		return "", false
	}
	for _, a := range e.attributes {
		if a.name == (name{"", local}) {
			return a.value, true
		}
	}
	return "", false
}

// walk calls visit for e and everything below it, in document order.
func (e *element) walk(visit func(*element)) {
	visit(e)
	for _, child := range e.children {
		child.walk(visit)
	}
}

// leaf reports whether e has no element in it.
func (e *element) leaf() bool { return len(e.children) == 0 }
