package presign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"sync/atomic"
	"time"
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
	day    int64 // since 1970
	region string
	// scope is DAY/REGION/s3/aws4_request.
	scope string
	// credential is ACCESS-KEY/SCOPE, escaped for a query.
	credential string
	key        [sha256.Size]byte
	// latest is the query that was used last: the same for every location
	// that is signed within a second.
	latest atomic.Pointer[query]
	// next is the key of another region on the same day.
	next *signingKey
}

// query is the part of a presigned query that names no object: what is signed
// in one second for one length of time. The token makes it a kilobyte.
type query struct {
	key     *signingKey
	second  int64 // of the Unix clock
	seconds int64 // of X-Amz-Expires
	stamp   [len(timeLayout)]byte
	text    []byte
}

// query gives the parameters in the order in which SigV4 sorts them.
func (k *signingKey) query(c *Credentials, now time.Time, seconds int64) *query {
	if q := k.latest.Load(); q != nil && q.second == now.Unix() && q.seconds == seconds {
		return q
	}
	q := &query{key: k, second: now.Unix(), seconds: seconds}
	now.AppendFormat(q.stamp[:0], timeLayout)
	q.text = make([]byte, 0, len(k.credential)+escapedLen(c.SessionToken.Reveal())+192)
	q.text = append(q.text, "X-Amz-Algorithm="+algorithm+"&X-Amz-Credential="...)
	q.text = append(q.text, k.credential...)
	q.text = append(q.text, "&X-Amz-Date="...)
	q.text = append(q.text, q.stamp[:]...)
	q.text = append(q.text, "&X-Amz-Expires="...)
	q.text = strconv.AppendInt(q.text, seconds, 10)
	if token := c.SessionToken.Reveal(); token != "" {
		q.text = appendEscaped(append(q.text, "&X-Amz-Security-Token="...), token, false)
	}
	q.text = append(q.text, "&X-Amz-SignedHeaders=host"...)
	k.latest.Store(q)
	return q
}

func deriveSigningKey(c *Credentials, now time.Time, region string) *signingKey {
	day := now.Format(dayLayout)
	key := []byte("AWS4" + c.SecretAccessKey.Reveal())
	for _, part := range []string{day, region, service, terminator} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	scope := day + "/" + region + "/" + service + "/" + terminator
	return &signingKey{
		day:        daysSince1970(now),
		region:     region,
		scope:      scope,
		credential: string(appendEscaped(nil, c.AccessKeyID+"/"+scope, false)),
		key:        [sha256.Size]byte(key),
	}
}

// sign appends the signature of a canonical request with this SHA-256, in
// hexadecimal, to dst.
//
// This is HMAC (RFC 2104) written out: a key of 32 bytes is padded to a block of
// 64. Package hmac would either be made anew each time, or be kept in a pool for
// each key; hashing two blocks again costs less than fetching a hash's state
// from memory that thousands of other sessions have pushed out of the cache, and
// a session needs no pool.
func (k *signingKey) sign(dst, digest, stamp []byte) []byte {
	var space [sha256.BlockSize + 192]byte // longer regions go to the heap
	text := append(append(space[:sha256.BlockSize], algorithm+"\n"...), stamp...)
	text = append(append(append(text, '\n'), k.scope...), '\n')
	text = hex.AppendEncode(text, digest)
	pad(text, k.key, innerPad)
	inner := sha256.Sum256(text)
	var outer [sha256.BlockSize + sha256.Size]byte
	pad(outer[:], k.key, outerPad)
	copy(outer[sha256.BlockSize:], inner[:])
	sum := sha256.Sum256(outer[:])
	return hex.AppendEncode(dst, sum[:])
}

const innerPad, outerPad = 0x36, 0x5c

// pad fills the first block of text.
func pad(text []byte, key [sha256.Size]byte, with byte) {
	for i := range text[:sha256.BlockSize] {
		text[i] = with
	}
	for i, b := range key {
		text[i] ^= b
	}
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

// escapedLen is how many bytes appendEscaped appends, slashes escaped.
func escapedLen(s string) int {
	n := len(s)
	for i := range len(s) {
		if !plain[s[i]] {
			n += 2
		}
	}
	return n
}

// plain are the unreserved characters of RFC 3986 §2.3.
var plain = func() (table [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
		table[c] = true
	}
	return table
}()
