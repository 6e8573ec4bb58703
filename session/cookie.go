package session

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"iter"
	"strings"
)

// CookieName is the session cookie. The __Host- prefix (RFC 6265bis §4.1.3)
// keeps other hosts of the domain from planting one.
const CookieName = "__Host-rolepass"

// tokenSize is the length of a cookie's secret, in bytes.
const tokenSize = 32

// SetCookie is the Set-Cookie value that hands a token to the browser. It has
// no Max-Age: the cookie goes with the browser, the session may end earlier.
func SetCookie(token string) string {
	return CookieName + "=" + token + "; Path=/; Secure; HttpOnly; SameSite=Lax"
}

// DropCookie is the Set-Cookie value that takes the cookie back.
func DropCookie() string {
	return CookieName + "=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
}

// Cookies reads Cookie header lines into names and values, in order. The values
// are taken as they stand: nothing is decoded. Blanks around a name are no part of
// it: no browser sends one before the "=", and to Django "sessionid =x" is another
// sessionid.
func Cookies(lines []string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, line := range lines {
			for part := range strings.SplitSeq(line, ";") {
				name, value, ok := strings.Cut(strings.Trim(part, " \t"), "=")
				if name = strings.TrimRight(name, " \t"); ok && name != "" && !yield(name, value) {
					return
				}
			}
		}
	}
}

// Cookie gives the value of the one cookie with a name. Two cookies of one
// name are as good as none: somebody else may have set either.
func Cookie(lines []string, name string) (value string, found bool) {
	for n, v := range Cookies(lines) {
		if n != name {
			continue
		}
		if found {
			return "", false
		}
		value, found = v, true
	}
	return value, found
}

// token is the cookie's secret, split into the two things it is for.
type token struct {
	id     string // names the session
	store  string // names its record
	secret [tokenSize]byte
}

// half opens the record, together with the server's key.
func (t token) half() [sha256.Size]byte {
	var buffer [len(halfLabel) + tokenSize]byte
	return sha256.Sum256(append(append(buffer[:0], halfLabel...), t.secret[:]...))
}

// encode gives the cookie's value.
func encode(secret []byte) string { return base64.RawURLEncoding.EncodeToString(secret) }

// strict refuses bits that stand for nothing.
var strict = base64.RawURLEncoding.Strict()

// parse reads a cookie's value; any form but the canonical one is refused. It
// is on the way of every request, and makes one string.
func parse(value string) (token, bool) {
	if base64.RawURLEncoding.DecodedLen(len(value)) != tokenSize {
		return token{}, false
	}
	var secret [tokenSize]byte
	var text [(tokenSize*8 + 5) / 6]byte
	n, err := strict.Decode(secret[:], append(text[:0], value...))
	if err != nil || n != tokenSize || string(base64.RawURLEncoding.AppendEncode(text[:0], secret[:])) != value {
		return token{}, false
	}
	var buffer [len(idLabel) + tokenSize]byte
	id := sha256.Sum256(append(append(buffer[:0], idLabel...), secret[:]...))
	var name [len(storePrefix) + 2*sha256.Size]byte
	store := string(hex.AppendEncode(append(name[:0], storePrefix...), id[:]))
	return token{id: store[len(storePrefix):], store: store, secret: secret}, true
}

const (
	idLabel   = "rolepass session id\x00"
	halfLabel = "rolepass session half\x00"
)
