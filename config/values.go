package config

import (
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

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

// number is integer within limits.
func (s section) number(name string, otherwise, least, most int) int {
	v := s.get(name)
	if !v.given() {
		return otherwise
	}
	n := s.integer(v)
	if n != 0 && (n < int64(least) || n > int64(most)) {
		s.problem(v.place, "%s is %d: write %d to %d", name, n, least, most)
	}
	return int(n)
}

// fraction reads a number from 0 to 1.
func (r *reader) fraction(v value, otherwise float64) float64 {
	if !v.given() {
		return otherwise
	}
	f := -1.0
	switch n := v.node.(type) {
	case *ast.FloatNode:
		f = n.Value
	case *ast.IntegerNode:
		if whole, ok := n.Value.(uint64); ok {
			f = float64(whole)
		}
	}
	if f < 0 || f > 1 {
		r.problem(v.place, "this is not a number from 0 to 1: write one such as 0.01, for one of 100")
		return otherwise
	}
	return f
}

// duration reads a Go duration within limits.
func (s section) duration(name string, otherwise, least, most time.Duration) time.Duration {
	v := s.get(name)
	if !v.given() {
		return otherwise
	}
	if _, number := v.node.(*ast.IntegerNode); number {
		s.problem(v.place, "this is a number: write its unit, too, such as %s", short(otherwise))
		return otherwise
	}
	before := len(s.problems)
	text := s.text(v)
	if !s.fine(before) {
		return otherwise
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		s.problem(v.place, "%q is no duration: write a number and a unit, such as %s", text, short(otherwise))
	case d < least || d > most:
		s.problem(v.place, "%s is out of range: write something from %s to %s", text, short(least), short(most))
	case d%time.Second != 0:
		s.problem(v.place, "%s is not in whole seconds: round it", text)
	default:
		return d
	}
	return otherwise
}

// short writes a duration as people do: 1h, not 1h0m0s.
func short(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// word reads one of several words; the first is the default.
func (s section) word(name string, words ...string) string {
	v := s.get(name)
	if !v.given() {
		return words[0]
	}
	text := s.text(v)
	if text != "" && !slices.Contains(words, text) {
		s.problem(v.place, "%q is not among the choices: write one of %s", text, strings.Join(words, ", "))
	}
	return text
}

// nameGrammar is what things in the configuration may be called.
var nameGrammar = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

// named reads the key name of an item and keeps the list's names unique.
func (s section) named(taken map[string]int) string {
	v := s.need("name", "give it a short name of a-z, 0-9 and hyphens")
	text := s.text(v)
	switch before, twice := taken[text]; {
	case text == "":
		return ""
	case !nameGrammar.MatchString(text):
		s.problem(v.place, "%q is no name: use a-z, 0-9 and hyphens", text)
		return ""
	case twice:
		s.problem(v.place, "the name %s is taken, on line %d: choose another", text, before)
	}
	taken[text] = v.line
	return text
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
