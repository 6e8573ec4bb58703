package state

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// Blind gives the keyed hashes of a text (HMAC-SHA-256, in hexadecimal) for a
// purpose: one for each key, the newest first. By these names records are found
// that whoever holds them must not look for.
func (s *Sealer) Blind(purpose, text string) []string {
	var all []string
	for _, key := range s.ring().Derive("blind " + purpose) {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		all = append(all, hex.EncodeToString(h.Sum(nil)))
	}
	return all
}
