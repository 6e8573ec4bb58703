package config

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
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

// text reads a string that has something in it.
func (r *reader) text(v value) string {
	if !v.given() {
		return ""
	}
	n, ok := v.node.(*ast.StringNode)
	switch {
	case !ok:
		r.problem(v.place, "this is %s: write text, in quotes if it has a colon or looks like something else", kindOf(v.node))
	case n.Token.Type == token.StringType && boolish(n.Value):
		r.problem(v.place, "some readers of YAML take %s for true or false: put it in quotes if it is meant as text", n.Value)
	case strings.TrimSpace(n.Value) == "":
		r.problem(v.place, "the text is empty: give a value")
	case n.Value != strings.TrimSpace(n.Value):
		r.problem(v.place, "the text begins or ends with a blank: take it out")
	case strings.ContainsFunc(n.Value, func(c rune) bool { return c < ' ' || c == 0x7f }):
		r.problem(v.place, "the text has a control character, such as a line break: take it out")
	default:
		return n.Value
	}
	return ""
}

// boolish says that YAML 1.1 reads a plain word as a boolean.
func boolish(word string) bool {
	return slices.Contains([]string{"y", "n", "yes", "no", "on", "off", "true", "false"}, strings.ToLower(word))
}

// boolean reads true or false, and none of the other words for them.
func (r *reader) boolean(v value) bool {
	if !v.given() {
		return false
	}
	n, ok := v.node.(*ast.BoolNode)
	if !ok || n.Token.Value != "true" && n.Token.Value != "false" {
		r.problem(v.place, "this is neither true nor false: write one of the two, without quotes")
		return false
	}
	return n.Value
}

// integer reads a decimal number above zero.
func (r *reader) integer(v value) int64 {
	if !v.given() {
		return 0
	}
	if n, ok := v.node.(*ast.IntegerNode); ok && strings.Trim(n.Token.Value, "0123456789") == "" && !strings.HasPrefix(n.Token.Value, "0") {
		if id, ok := n.Value.(uint64); ok && id <= math.MaxInt64 {
			return int64(id)
		}
	}
	r.problem(v.place, "this is not a whole number above zero: write it in digits, without quotes")
	return 0
}

// texts reads a list of strings.
func (r *reader) texts(v value) []string {
	var list []string
	for _, item := range r.list(v) {
		if s := r.text(item); s != "" {
			if slices.Contains(list, s) {
				r.problem(item.place, "%s is there twice: leave one out", s)
			}
			list = append(list, s)
		}
	}
	return list
}

// filename reads the name of a file or directory, and makes it absolute.
func (r *reader) filename(v value) string {
	name := r.text(v)
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.dir, name)
}

// kindOf names what is there instead of what was expected.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode:
		return "text"
	case *ast.LiteralNode:
		return "a block of text"
	case *ast.BoolNode:
		return "true or false"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.NullNode:
		return "empty"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or an alias, which this file may not have"
	case *ast.TagNode:
		return "a YAML tag, which this file may not have"
	}
	return "something else"
}

// readFile reads the configuration.
func readFile(name string) ([]byte, error) {
	const most = 1 << 20
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if len(text) > most {
		return nil, fmt.Errorf("reading the configuration: %s has %d bytes, more than any configuration needs", name, len(text))
	}
	return text, nil
}
