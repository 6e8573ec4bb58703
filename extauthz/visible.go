package extauthz

import (
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/rolepass/rolepass/login"
)

// visible says that a header may have this value on any wire: visible ASCII
// and blanks (RFC 9110 §5.5, without obs-text). A line break in one would be a
// second header, a byte beyond ASCII is read differently by every parser, and
// what is no UTF-8 cannot be written at all.
//
// It looks at eight bytes at a time: a signed location has a kilobyte. In each
// byte of the sum the highest bit says that the byte is beyond '~', and in the
// difference that it is below the blank; a carry or a borrow can only come from
// a byte that is such itself.
func visible(value string) bool {
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	for ; len(value) >= 8; value = value[8:] {
		w := uint64(value[0]) | uint64(value[1])<<8 | uint64(value[2])<<16 | uint64(value[3])<<24 |
			uint64(value[4])<<32 | uint64(value[5])<<40 | uint64(value[6])<<48 | uint64(value[7])<<56
		if (w|(w+ones)|(w-' '*ones))&highest != 0 {
			return false
		}
	}
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return true
}

func visibleHeaders(headers []login.Header) bool {
	for _, h := range headers {
		if h.Name == "" || !visible(h.Name) || !visible(h.Value) {
			return false
		}
	}
	return true
}

func visibleOptions(options []*corev3.HeaderValueOption) bool {
	for _, o := range options {
		if h := o.GetHeader(); h.GetKey() == "" || !visible(h.GetKey()) || !visible(h.GetValue()) || len(h.GetRawValue()) > 0 {
			return false
		}
	}
	return true
}

// visibleCookies leaves out of a Cookie header what has other bytes: a cookie
// of a neighbouring site must not shut anybody out. Nothing is taken off a cookie
// but blanks: with another character less it would be one that nobody has judged.
func visibleCookies(line string) string {
	if visible(line) {
		return line
	}
	var kept []string
	for pair := range strings.SplitSeq(line, ";") {
		if pair = strings.Trim(pair, " \t"); pair != "" && visible(pair) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "; ")
}
