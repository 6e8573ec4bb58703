package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// reader goes through one document and collects what is wrong with it.
type reader struct {
	file  string
	dir   string
	needs Needs
	// lines are those of all keys and items, by their paths.
	lines    map[string]int
	problems Problems
	warnings Problems
}

// place is where something stands in the file, or would stand.
type place struct {
	line int
	path string
}

// value is one value of the document; node is nil where there is none.
type value struct {
	place
	node ast.Node
}

func (v value) given() bool { return v.node != nil }

func (r *reader) problem(at place, format string, args ...any) {
	r.problems = append(r.problems, Problem{r.file, at.line, at.path, fmt.Sprintf(format, args...)})
}

func (r *reader) warn(at place, format string, args ...any) {
	r.warnings = append(r.warnings, Problem{r.file, at.line, at.path, fmt.Sprintf(format, args...)})
}

// fine says whether nothing was found wrong since there were before problems.
func (r *reader) fine(before int) bool { return len(r.problems) == before }

// document parses the YAML and gives its one mapping.
func (r *reader) document(text []byte) value {
	top := value{place: place{line: 1}}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as editors on Windows begin a file
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return top
	}
	docs := slices.DeleteFunc(file.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	switch {
	case len(docs) == 0:
		r.problem(top.place, "the file is empty: begin with public_url")
		return top
	case len(docs) > 1:
		r.problem(place{line: lineOf(docs[1].Body)}, "the file has a second document after ---: keep one")
	}
	top.node = docs[0].Body
	return top
}

func (r *reader) syntax(err error) {
	line, message := 1, err.Error()
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) {
		message = syntax.Message
		if syntax.Token != nil && syntax.Token.Position != nil {
			line = syntax.Token.Position.Line
		}
	}
	r.problem(place{line: line}, "this is not YAML: %s: %s", message, mend(message))
}

// mend says what is usually behind the parser's words, which know nothing of
// indentation.
func mend(message string) string {
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(message, w) })
	}
	switch {
	case says("'\t'"):
		return "indent with blanks and not with tabs"
	case says("reserved character"):
		return "put the text in quotes"
	case says("must be specified", "not found", "could not find end"):
		return "close each bracket, brace and quote on its line"
	}
	return "here or on the next line; keys of one mapping are indented alike, a blank stands behind a key's colon, and text that has a colon and a blank is in quotes"
}

func lineOf(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 1
}

// at finds the place of a path: its own line, or the nearest that is around it.
func (r *reader) at(path string) place {
	for around := path; around != ""; around = around[:max(0, strings.LastIndexAny(around, ".["))] {
		if line, ok := r.lines[around]; ok {
			return place{line, path}
		}
	}
	return place{1, path}
}

// item finds the place of a list's item.
func (r *reader) item(list string, index int) place {
	return r.at(fmt.Sprintf("%s[%d]", list, index))
}

// section is a mapping with known keys.
type section struct {
	*reader
	place
	values map[string]value
}

// section reads a mapping. Of an absent value it makes an empty one.
func (r *reader) section(v value, known ...string) section {
	s := section{r, v.place, map[string]value{}}
	if !v.given() {
		return s
	}
	for _, pair := range r.pairs(v) {
		s.take(pair, known)
	}
	return s
}

func (r *reader) pairs(v value) []*ast.MappingValueNode {
	switch n := v.node.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	r.problem(v.place, "this is %s: write keys with values, each as key: value", kindOf(v.node))
	return nil
}

func (s section) take(pair *ast.MappingValueNode, known []string) {
	at := place{lineOf(pair.Key), s.path}
	if _, plain := pair.Key.(*ast.StringNode); !plain {
		s.problem(at, "a key is %s: write plain names only", kindOf(pair.Key))
		return
	}
	name := pair.Key.GetToken().Value
	at.path = join(s.path, name)
	if before, twice := s.values[name]; twice {
		s.problem(at, "the key is there already, on line %d: keep one", before.line)
		return
	}
	if !slices.Contains(known, name) {
		s.problem(at, "there is no such key: known here are %s", strings.Join(known, ", "))
		return
	}
	s.values[name] = value{at, pair.Value}
	s.lines[at.path] = at.line
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// get gives a value by its key; an absent one has the section's line.
func (s section) get(name string) value {
	if v, ok := s.values[name]; ok {
		return v
	}
	return value{place: place{s.line, join(s.path, name)}}
}

// need is get, and a problem where the value is absent. The sentence says
// what to write.
func (s section) need(name, sentence string) value {
	v := s.get(name)
	if !v.given() {
		s.problem(v.place, "it is missing: %s", sentence)
	}
	return v
}

// wanted is need where the purpose needs the section, else get.
func (s section) wanted(needed bool, name, sentence string) value {
	if needed {
		return s.need(name, sentence)
	}
	return s.get(name)
}

// list reads a sequence.
func (r *reader) list(v value) []value {
	if !v.given() {
		return nil
	}
	sequence, ok := v.node.(*ast.SequenceNode)
	if !ok {
		r.problem(v.place, "this is %s: write a list, each item after a hyphen or all in [brackets]", kindOf(v.node))
		return nil
	}
	var items []value
	for i, n := range sequence.Values {
		at := place{lineOf(n), fmt.Sprintf("%s[%d]", v.path, i)}
		items = append(items, value{at, n})
		r.lines[at.path] = at.line
	}
	if len(items) == 0 {
		r.problem(v.place, "the list is empty: give it an item")
	}
	return items
}
