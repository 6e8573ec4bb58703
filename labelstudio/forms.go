package labelstudio

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rolepass/rolepass/refusal"
)

// maxForms bounds how many forms one path may have, and maxFormBytes how long they
// are together. An honest path has one or two (escaped and not); one with dozens is
// a riddle, and anybody may ask it without being signed in.
const (
	maxForms     = 128
	maxFormBytes = 4 * maxPath
)

// rewrites are what servers do to a path before they match it: percent-decode
// it, take a backslash for a slash, drop parameters after ';' (Java's habit),
// end the path at a '?' or '#' that decoding brought to light, merge slashes
// and resolve dot segments. nginx does three of them, a WSGI server one or two,
// Django none; which, in what order and how often depends on the deployment.
var rewrites = []func(string) string{decodeOnce, backslashes, withoutParameters, withoutQuery, cleaned}

// Forms gives every form that any order and number of rewrites turns the path
// into, the path itself first.
func Forms(path string) ([]string, *refusal.Refusal) {
	forms := []string{path}
	if plain(path) {
		return forms, nil
	}
	bytes := len(path)
	for i := 0; i < len(forms); i++ {
		if !text(forms[i]) {
			return nil, malformed(CodePath, "The path does not decode to text; a browser's path does.")
		}
		for _, rewrite := range rewrites {
			if form := rewrite(forms[i]); !slices.Contains(forms, form) {
				forms, bytes = append(forms, form), bytes+len(form)
			}
		}
		if len(forms) > maxForms || bytes > maxFormBytes {
			return nil, malformed(CodePath, "The path can be read in too many ways; send it without nested escapes and dot segments.")
		}
	}
	return forms, nil
}

// plain says that no rewrite changes a segment of the path, as with nearly every
// request. (Merging slashes does not: door and page skip empty segments.)
func plain(path string) bool {
	for i := range len(path) {
		switch c := path[i]; {
		case c == '%', c == '\\', c == ';':
			return false
		case c == '.' && path[i-1] == '/':
			return false
		}
	}
	return true
}

// text says that the bytes are UTF-8 without control characters.
func text(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// decodeOnce resolves percent escapes as Python's unquote does: what is not an
// escape stays as it is.
func decodeOnce(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hex(s[i+1]) >= 0 && hex(s[i+2]) >= 0 {
			b.WriteByte(byte(hex(s[i+1])<<4 | hex(s[i+2])))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func backslashes(s string) string { return strings.ReplaceAll(s, `\`, "/") }

func withoutParameters(s string) string {
	if !strings.Contains(s, ";") {
		return s
	}
	segments := strings.Split(s, "/")
	for i, segment := range segments {
		segments[i], _, _ = strings.Cut(segment, ";")
	}
	return strings.Join(segments, "/")
}

func withoutQuery(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		return s[:i]
	}
	return s
}

// cleaned merges slashes and resolves dot segments; a slash at the end stays.
func cleaned(s string) string {
	var kept []string
	for segment := range strings.SplitSeq(s, "/") {
		switch segment {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, segment)
		}
	}
	out := "/" + strings.Join(kept, "/")
	if strings.HasSuffix(s, "/") && len(kept) > 0 {
		out += "/"
	}
	return out
}
