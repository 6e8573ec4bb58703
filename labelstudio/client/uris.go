package client

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"unicode"
)

const scheme = "s3://"

// maxDepth is how deep a value may lie in a task's data and still be one. No
// labelling configuration reaches deeper than a few levels.
const maxDepth = 100

// named are the URIs that the values of a task's data name, in order and each
// once. Keys of objects are no values.
//
// The data is read word by word and never made into values: members write it,
// and one of four million bytes that says {"":0} over and over takes fifty times
// as much as maps.
type named []string

// UnmarshalJSON reads data, which json has found to be well-formed.
func (n *named) UnmarshalJSON(data []byte) error {
	var uris []string
	words := json.NewDecoder(bytes.NewReader(data))
	words.UseNumber() // no number is too large to pass over
	var at nesting
	for {
		word, err := words.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if value, ok := word.(string); at.value(word) && ok && len(at.objects) <= maxDepth {
			if uri := uriIn(value); strings.HasPrefix(uri, scheme) {
				if len(uri) < len(value) {
					uri = strings.Clone(uri) // it is kept, and not what is around it
				}
				uris = append(uris, uri)
			}
		}
	}
	slices.Sort(uris)
	*n = slices.Clip(slices.Compact(uris))
	return nil
}

// nesting is where in JSON a word stands.
type nesting struct {
	objects []bool // of what is open around it: whether that is an object
	key     bool   // the next word is a key, or ends the object
}

// value says that a word is a value that has no others in it, and goes past it.
func (n *nesting) value(word json.Token) bool {
	mark, ok := word.(json.Delim)
	key := n.key && !ok
	switch {
	case ok && (mark == '{' || mark == '['):
		n.objects = append(n.objects, mark == '{')
	case ok:
		n.objects = n.objects[:len(n.objects)-1]
	}
	n.key = !key && len(n.objects) > 0 && n.objects[len(n.objects)-1]
	return !ok && !key
}

// uriIn finds the URI that Label Studio finds in a string (get_uri_via_regex of
// its io_storages/utils.py): the string itself, stripped of white space, when it
// begins like one; else what stands in the first quotes that open on s3://. It
// gives at most one, as Label Studio resolves at most one.
func uriIn(value string) string {
	value = strings.TrimFunc(value, stripped)
	if strings.HasPrefix(value, "s3") {
		return value
	}
	for i := 0; i < len(value); i++ {
		if quote := value[i]; (quote == '"' || quote == '\'') && strings.HasPrefix(value[i+1:], scheme) {
			if uri, ok := quoted(value[i+1:], quote); ok {
				return uri
			}
		}
	}
	return ""
}

// quoted reads up to the closing quote as Label Studio's expression
// (["'])(?P<uri>s3://[^\1=]*)\1 does. Inside brackets \1 is the character
// U+0001 and not what was captured, so the run is greedy: it ends at the last
// such quote before a '=' or U+0001.
func quoted(text string, quote byte) (string, bool) {
	if end := strings.IndexAny(text, "=\x01"); end >= 0 {
		text = text[:end]
	}
	end := strings.LastIndexByte(text, quote)
	if end < len(scheme) {
		return "", false
	}
	return text[:end], true
}

// stripped says what Python's str.strip takes off: Unicode's white space and
// the four separators of ASCII.
func stripped(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }
