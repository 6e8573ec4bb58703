package valkey

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// key is where a name stands on the server: PREFIX KIND ":" and 64 hexadecimal
// digits. A name has its kind before its first colon; what comes after is kept
// where it is a hash already, as a session's ID, and hashed where it is not: the
// name of a role, or of an assertion, is nothing for others.
func (s *Server) key(name string) string {
	kind, rest, _ := strings.Cut(name, ":")
	if !isHash(rest) {
		sum := sha256.Sum256([]byte(rest))
		rest = hex.EncodeToString(sum[:])
	}
	return s.prefix + kind + ":" + rest
}

func (s *Server) keys(names []string) []string {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = s.key(name)
	}
	return keys
}

// name is the other way, for names that end in a hash.
func (s *Server) name(key string) (string, bool) {
	name, ok := strings.CutPrefix(key, s.prefix)
	_, rest, _ := strings.Cut(name, ":")
	return name, ok && isHash(rest)
}

func isHash(text string) bool {
	return len(text) == 2*sha256.Size && strings.Trim(text, "0123456789abcdef") == ""
}
