package application

import (
	"errors"
	"strings"
)

// match gives the variables of a path that fits, as they are written there.
func (f Fetch) match(path string) (map[string]string, bool) {
	parts := strings.Split(path[1:], "/")
	values := map[string]string{}
	for i, s := range f.segments {
		switch {
		case i >= len(parts):
			return nil, false
		case s.rest:
			values[s.variable] = strings.Join(parts[i:], "/")
			return values, values[s.variable] != ""
		case s.word != "" && s.word != parts[i] || s.word == "" && parts[i] == "":
			return nil, false
		case s.word == "":
			values[s.variable] = parts[i]
		}
	}
	return values, len(parts) == len(f.segments)
}

// resembles says that a server which is lenient in its own way could take a
// form of a path for this fetch: in any case, with a slash more or less, with
// the dots and spaces at the end of a segment that some drop.
func (f Fetch) resembles(form string) bool {
	var parts []string
	for part := range strings.SplitSeq(form, "/") {
		if part = strings.TrimRight(part, ". "); part != "" {
			parts = append(parts, part)
		}
	}
	for i, s := range f.segments {
		switch {
		case i >= len(parts), s.word != "" && !strings.EqualFold(s.word, parts[i]):
			return false
		case s.rest:
			return true
		}
	}
	return len(parts) == len(f.segments)
}

// meets says that some path could be taken for both.
func (f Fetch) meets(g Fetch) bool {
	for i := 0; ; i++ {
		fEnds, gEnds := i == len(f.segments), i == len(g.segments)
		switch {
		case fEnds || gEnds:
			return fEnds && gEnds
		case f.segments[i].rest || g.segments[i].rest:
			return true
		case f.segments[i].word != "" && g.segments[i].word != "" && !strings.EqualFold(f.segments[i].word, g.segments[i].word):
			return false
		}
	}
}

// asIs are the characters of a segment that browsers do not escape, without the
// semicolon, at which some servers cut (RFC 3986 §3.3; URL Standard, path
// percent-encode set).
const asIs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@"

// unreserved are those of them that nobody has a reason to escape.
const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

const upperHex = "0123456789ABCDEF"

var errSpelling = errors.New("it is not written as browsers write it (escapes in upper case, of nothing but what needs one, and of no slash, backslash or percent sign)")

// unescape decodes what stands in a variable's place, once. A slash in it is
// one that was written as such.
func unescape(raw string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '/' || strings.IndexByte(asIs, c) >= 0:
			out.WriteByte(c)
		case c == '%' && i+2 < len(raw):
			high, low := strings.IndexByte(upperHex, raw[i+1]), strings.IndexByte(upperHex, raw[i+2])
			c := byte(high<<4 | low)
			if high < 0 || low < 0 || c == '/' || c == '\\' || c == '%' || strings.IndexByte(unreserved, c) >= 0 {
				return "", errSpelling
			}
			out.WriteByte(c)
			i += 2
		default:
			return "", errSpelling
		}
	}
	return out.String(), nil
}
