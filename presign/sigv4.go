package presign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// The words of Signature Version 4 (AWS, "Authenticating Requests: Using
// Query Parameters (AWS Signature Version 4)").
const (
	algorithm       = "AWS4-HMAC-SHA256"
	terminator      = "aws4_request"
	service         = "s3"
	unsignedPayload = "UNSIGNED-PAYLOAD"
	dayLayout       = "20060102"
	timeLayout      = "20060102T150405Z"
)

// signingKey is everything of a signature that does not change within a day
// and a region.
type signingKey struct {
	day, region string
	// scope is DAY/REGION/s3/aws4_request.
	scope string
	// credential is ACCESS-KEY/SCOPE, and token the session token, both
	// escaped for a query.
	credential, token string
	mac               mac
}

func deriveSigningKey(c *Credentials, day, region string) *signingKey {
	key := []byte("AWS4" + c.SecretAccessKey.Reveal())
	for _, part := range []string{day, region, service, terminator} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	scope := day + "/" + region + "/" + service + "/" + terminator
	return &signingKey{
		day:        day,
		region:     region,
		scope:      scope,
		credential: string(appendEscaped(nil, c.AccessKeyID+"/"+scope, false)),
		token:      string(appendEscaped(nil, c.SessionToken.Reveal(), false)),
		mac:        newMAC(key),
	}
}

// sign appends the signature of a canonical request, in hexadecimal, to dst.
func (k *signingKey) sign(dst, canonical, stamp []byte) []byte {
	digest := sha256.Sum256(canonical)
	var space [192]byte
	text := append(space[:0], algorithm+"\n"...)
	text = append(text, stamp...)
	text = append(text, '\n')
	text = append(text, k.scope...)
	text = append(text, '\n')
	text = hex.AppendEncode(text, digest[:])
	sum := k.mac.sum(text)
	return hex.AppendEncode(dst, sum[:])
}

// mac is HMAC-SHA256 (RFC 2104) under one key of at most 64 bytes. Unlike
// crypto/hmac's it has no state, so goroutines share it, and it allocates
// nothing.
type mac struct{ inner, outer [sha256.BlockSize]byte }

func newMAC(key []byte) mac {
	var m mac
	copy(m.inner[:], key)
	copy(m.outer[:], key)
	for i := range m.inner {
		m.inner[i] ^= 0x36
		m.outer[i] ^= 0x5c
	}
	return m
}

func (m *mac) sum(text []byte) [sha256.Size]byte {
	var space [sha256.BlockSize + 192]byte
	inner := sha256.Sum256(append(append(space[:0], m.inner[:]...), text...))
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(outer[:], m.outer[:])
	copy(outer[sha256.BlockSize:], inner[:])
	return sha256.Sum256(outer[:])
}

const upperHex = "0123456789ABCDEF"

// appendEscaped appends s percent-encoded as SigV4 wants it: RFC 3986's
// unreserved characters stay, and slashes where keepSlash says so; all other
// bytes become %XX in upper case.
func appendEscaped(dst []byte, s string, keepSlash bool) []byte {
	for i := range len(s) {
		if c := s[i]; plain[c] || keepSlash && c == '/' {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// plain are the unreserved characters of RFC 3986 §2.3.
var plain = func() (table [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
		table[c] = true
	}
	return table
}()
