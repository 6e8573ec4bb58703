package samltest

import "github.com/beevik/etree"

// Edit is a change of a document, for the hooks of a Spec. Paths are etree's:
// ".//saml:NameID". An edit panics when its path finds nothing, so that no
// attack passes for one that was repelled.
type Edit = func(*etree.Document)

// Edits makes several changes, one after the other.
func Edits(edits ...Edit) Edit {
	return func(doc *etree.Document) {
		for _, edit := range edits {
			edit(doc)
		}
	}
}

// SetText replaces the text of an element.
func SetText(path, text string) Edit {
	return func(doc *etree.Document) { find(doc, path).SetText(text) }
}

// SetAttr sets an attribute of an element.
func SetAttr(path, name, value string) Edit {
	return func(doc *etree.Document) { find(doc, path).CreateAttr(name, value) }
}

// RemoveAttr takes an attribute away.
func RemoveAttr(path, name string) Edit {
	return func(doc *etree.Document) {
		if find(doc, path).RemoveAttr(name) == nil {
			panic("samltest: no attribute " + name + " at " + path)
		}
	}
}

// Remove takes an element away.
func Remove(path string) Edit {
	return func(doc *etree.Document) {
		e := find(doc, path)
		e.Parent().RemoveChild(e)
	}
}

// Duplicate puts a copy of an element behind it, changed by the edits. Their
// paths begin at the copy.
func Duplicate(path string, change func(*etree.Element)) Edit {
	return func(doc *etree.Document) {
		e := find(doc, path)
		twin := e.Copy()
		if change != nil {
			change(twin)
		}
		e.Parent().InsertChildAt(e.Index()+1, twin)
	}
}

// Add puts a new element, with text, at the end of an element.
func Add(path, tag, text string) Edit {
	return func(doc *etree.Document) { find(doc, path).CreateElement(tag).SetText(text) }
}

// Insert puts XML, parsed, at the end of an element.
func Insert(path, xml string) Edit {
	return func(doc *etree.Document) {
		fragment := etree.NewDocument()
		if err := fragment.ReadFromString(xml); err != nil {
			panic("samltest: reading a fragment: " + err.Error())
		}
		find(doc, path).AddChild(fragment.Root())
	}
}

// Move puts an element at the end of another one.
func Move(path, to string) Edit {
	return func(doc *etree.Document) {
		e, target := find(doc, path), find(doc, to)
		e.Parent().RemoveChild(e)
		target.AddChild(e)
	}
}

func find(doc *etree.Document, path string) *etree.Element {
	e := doc.FindElement(path)
	if e == nil {
		panic("samltest: nothing at " + path)
	}
	return e
}

// Rename gives an element another local name.
func Rename(path, local string) Edit {
	return func(doc *etree.Document) { find(doc, path).Tag = local }
}
