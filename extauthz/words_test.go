package extauthz

import (
	"bytes"
	"testing"
)

// Eight bytes are looked at together: each byte counts at each place, whatever
// stands beside it.
func TestVisibleLooksAtEveryByte(t *testing.T) {
	for _, beside := range []byte{' ', '~', 'a'} {
		for at := range 19 {
			for b := range 256 {
				value := bytes.Repeat([]byte{beside}, 19)
				value[at] = byte(b)
				if got, want := visible(string(value)), b >= ' ' && b <= '~'; got != want {
					t.Fatalf("byte %#x at %d beside %q: visible is %v", b, at, beside, got)
				}
			}
		}
	}
}
