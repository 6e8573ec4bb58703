// Package canary looks for secrets in what was written: as they are, and in
// the encodings in which programs write things down.
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
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
	for what, secret := range secrets {
		if len(secret) < shortest {
			found = append(found, fmt.Sprintf("%s is too short to be looked for", what))
			continue
		}
		for _, piece := range pieces(secret) {
			for encoding, form := range forms(piece) {
				for where, text := range texts {
					if bytes.Contains(text, []byte(form)) {
						found = append(found, fmt.Sprintf("%s is in %s (%s)", what, where, encoding))
					}
				}
			}
		}
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

// forms are the ways in which a secret may be written.
func forms(secret string) map[string]string {
	quoted, err := json.Marshal(secret)
	if err != nil {
		panic(err) // a string always marshals
	}
	all := map[string]string{
		"plain": secret, "JSON": strings.Trim(string(quoted), `"`),
		"query": url.QueryEscape(secret), "path": url.PathEscape(secret),
		"percent": percent(secret, "%%%02X"), "percent, lower case": percent(secret, "%%%02x"),
		"hex": hex.EncodeToString([]byte(secret)), "hex, upper case": strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	for shift := range 3 {
		all[fmt.Sprintf("base64, shifted by %d", shift)] = within(base64.RawStdEncoding, secret, shift)
		all[fmt.Sprintf("base64url, shifted by %d", shift)] = within(base64.RawURLEncoding, secret, shift)
	}
	for encoding, form := range all {
		if form == secret && encoding != "plain" {
			delete(all, encoding)
		}
	}
	return all
}

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
