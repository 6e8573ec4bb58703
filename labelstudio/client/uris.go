package client

import (
	"slices"
	"strings"
	"unicode"
)

const scheme = "s3://"

// maxDepth is how deep a value may lie in a task's data and still be one. No
// labelling configuration reaches deeper than a few levels.
const maxDepth = 100

// collect gives the URIs that the values of a task's data name, in order and each
// once. Keys of objects are no values.
func collect(data any) (uris []string) {
	var walk func(any, int)
	walk = func(value any, depth int) {
		if depth > maxDepth {
			return
		}
		switch v := value.(type) {
		case string:
			if uri := uriIn(v); strings.HasPrefix(uri, scheme) {
				if len(uri) < len(v) {
					uri = strings.Clone(uri) // it is kept, and not what is around it
				}
				uris = append(uris, uri)
			}
		case []any:
			for _, item := range v {
				walk(item, depth+1)
			}
		case map[string]any:
			for _, item := range v {
				walk(item, depth+1)
			}
		}
	}
	walk(data, 0)
	slices.Sort(uris)
	return slices.Clip(slices.Compact(uris))
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
