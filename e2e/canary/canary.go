// Package canary looks for secrets in what was written: as they are, and in
// the encodings in which programs write things down.
//
// A suite of tests keeps what nobody may read (Suite.Keep), says where Rolepass
// and Envoy write (Suite.Writer, Suite.Logs), and its TestMain searches all of
// that when the last test has ended (Suite.After).
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// shortest is the shortest secret that is looked for: a shorter one would be
// found by chance in one of its encodings.
const shortest = 8

// pieceSize and pieceEvery cut a long secret into pieces: a log may have cut
// it, too.
const (
	pieceSize  = 40
	pieceEvery = 400
)

// Found says of each secret where it is and in which encoding. Secrets and
// texts are by their names; what it gives names no secret.
func Found(secrets map[string]string, texts map[string][]byte) []string {
	var found []string
	needles := index{}
	for what, secret := range secrets {
		if len(secret) < shortest {
			found = append(found, fmt.Sprintf("%s is too short to be looked for", what))
			continue
		}
		needles.add(what, secret)
	}
	for where, text := range texts {
		needles.in(text, func(n needle, _ int) {
			found = append(found, fmt.Sprintf("%s is in %s (%s)", n.kind, where, n.encoding))
		})
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func pieces(secret string) []string {
	if len(secret) <= 2*pieceSize {
		return []string{secret}
	}
	var all []string
	for at := 0; at+pieceSize <= len(secret); at += pieceEvery {
		all = append(all, secret[at:at+pieceSize])
	}
	return all
}

// form is a secret as some program writes it.
type form struct{ encoding, text string }

// forms are the ways in which a secret may be written, each once.
func forms(secret string) []form {
	all := []form{
		{"plain", secret}, {"JSON", quoted(secret, true)}, {"JSON for no page", quoted(secret, false)}, {"JSON within JSON", quoted(quoted(secret, true), true)},
		{"Go", unquoted(strconv.Quote(secret))}, {"Go, ASCII", unquoted(strconv.QuoteToASCII(secret))},
		{"HTML", html.EscapeString(secret)}, {"HTML of an attribute", strings.ReplaceAll(html.EscapeString(secret), "+", "&#43;")},
		{"query", url.QueryEscape(secret)}, {"path", url.PathEscape(secret)},
		{"percent", percent(secret, "%%%02X")}, {"percent, lower case", percent(secret, "%%%02x")},
		{"hex", hex.EncodeToString([]byte(secret))}, {"hex, upper case", strings.ToUpper(hex.EncodeToString([]byte(secret)))},
	}
	for shift := range 3 {
		all = append(all, form{fmt.Sprintf("base64, shifted by %d", shift), within(base64.RawStdEncoding, secret, shift)},
			form{fmt.Sprintf("base64url, shifted by %d", shift), within(base64.RawURLEncoding, secret, shift)})
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(f form) bool {
		before := seen[f.text]
		seen[f.text] = true
		return before
	})
}

// quoted is a secret inside of a JSON string, with or without what encoding/json
// escapes for pages.
func quoted(secret string, forPages bool) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(forPages)
	if err := encoder.Encode(secret); err != nil {
		panic(err) // a string always marshals
	}
	return unquoted(strings.TrimSuffix(text.String(), "\n"))
}

func unquoted(literal string) string { return literal[1 : len(literal)-1] }

func percent(secret, format string) string {
	var b strings.Builder
	for i := range len(secret) {
		fmt.Fprintf(&b, format, secret[i])
	}
	return b.String()
}

// within is what of a longer base64 depends on the secret alone, which begins
// so many bytes after the start of a group.
func within(encoding *base64.Encoding, secret string, shift int) string {
	encoded := encoding.EncodeToString(append(make([]byte, shift), secret...))
	first := (shift*8 + 5) / 6
	return encoded[first : (shift+len(secret))*8/6]
}
