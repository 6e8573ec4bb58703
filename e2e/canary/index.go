package canary

import (
	"bytes"
	"encoding/binary"
)

// needle is one form of one secret.
type needle struct {
	text           string
	kind, encoding string
}

// index has the needles by their first bytes: a suite keeps thousands of
// secrets, and reads its logs once.
type index map[uint64][]needle

// add adds every form of a secret, which has at least shortest bytes. So has
// every form.
func (x index) add(kind, secret string) {
	for _, piece := range pieces(secret) {
		for _, form := range forms(piece) {
			begins := binary.LittleEndian.Uint64([]byte(form.text[:shortest]))
			x[begins] = append(x[begins], needle{form.text, kind, form.encoding})
		}
	}
}

// in calls found for each needle that is in a text, with where it begins.
func (x index) in(text []byte, found func(n needle, at int)) {
	may := x.filter()
	for at := 0; at+shortest <= len(text); at++ {
		begins := binary.LittleEndian.Uint64(text[at:])
		if !may[folded(begins)] {
			continue
		}
		for _, n := range x[begins] {
			if bytes.HasPrefix(text[at:], []byte(n.text)) {
				found(n, at)
			}
		}
	}
}

// filter says quickly of most beginnings that no needle has them.
func (x index) filter() []bool {
	may := make([]bool, 1<<16)
	for begins := range x {
		may[folded(begins)] = true
	}
	return may
}

// folded is sixteen bits that depend on all of a beginning.
func folded(begins uint64) uint16 { return uint16(begins * 0x9e3779b97f4a7c15 >> 48) }
