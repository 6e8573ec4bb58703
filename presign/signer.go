package presign

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"strings"
	"time"
)

// Why Presign refuses. Each is a bug or an attack, but for ErrExpired, which
// is the end of a login's credentials.
var (
	// ErrMethod: the method is neither GET nor HEAD.
	ErrMethod = errors.New("only GET and HEAD are ever signed")
	// ErrBucket: the location is in another bucket than the address is of.
	ErrBucket = errors.New("the location is not in this bucket")
	// ErrLocation: the location was not made by ParseLocation.
	ErrLocation = errors.New("the location is not one that can be signed: read it with ParseLocation")
	// ErrIssuer: the credentials come from another token service than the
	// bucket's.
	ErrIssuer = errors.New("the credentials were issued by another token service than the bucket's")
	// ErrExpired: the credentials end too soon, or have ended.
	ErrExpired = errors.New("the credentials have expired or are about to: sign in again")
	// ErrIncomplete: the credentials lack a key.
	ErrIncomplete = errors.New("the credentials lack an access key or its secret")
)

// Limits and defaults of a Signer.
const (
	DefaultExpires = 60 * time.Second
	DefaultMargin  = 30 * time.Second
	// MaxExpires is S3's limit for X-Amz-Expires: seven days.
	MaxExpires = 7 * 24 * time.Hour
)

// Signer signs locations (AWS Signature Version 4): by query with Presign and
// PresignAs, by headers with Authorize. The zero Signer is ready for use, and
// safe for concurrent use like any other.
type Signer struct {
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Expires is how long a signed location is good for, in whole seconds,
	// never longer than its credentials and never longer than MaxExpires;
	// zero: DefaultExpires.
	Expires time.Duration
	// Margin is how long credentials must still be good for to be used at
	// all; zero: DefaultMargin.
	Margin time.Duration
}

// Presign signs one location for one method, GET or HEAD, the way that
// aws-sdk-go-v2 would: query authentication, the host as the only signed
// header (so that Range and If-None-Match may be sent freely), the payload
// unsigned, no parameter beyond those of the signature. The error is one of
// this package's Err values.
func (s *Signer) Presign(method string, b Bucket, l Location, c *Credentials) (Presigned, error) {
	return s.PresignAs(method, b, l, c, Response{})
}

// PresignAs is Presign, with some headers of S3's answer set under the same
// signature: for a location that goes to a browser, where nobody else can set
// them.
func (s *Signer) PresignAs(method string, b Bucket, l Location, c *Credentials, as Response) (Presigned, error) {
	now := s.now()
	seconds, err := s.check(method, b, l, c, now)
	if err != nil {
		return Presigned{}, err
	}
	query := c.signingKey(now, b.Region).query(c, now, seconds)

	var lineSpace, suffixSpace [256]byte // longer ones go to the heap
	line := append(append(lineSpace[:0], method...), '\n')
	line = append(appendPath(line, l), '\n')
	path := line[len(method)+1 : len(line)-1]
	suffix := as.appendQuery(suffixSpace[:0])

	// The canonical request goes into the hash piece by piece: the session
	// token alone is a kilobyte, and copying it together would cost as much as
	// half of hashing it.
	hash := sha256.New()
	hash.Write(line)
	hash.Write(query.text)
	hash.Write(suffix)
	var restSpace [128]byte
	hash.Write(append(append(append(restSpace[:0], "\nhost:"...), b.Host...), "\n\nhost\n"+unsignedPayload...))
	var digest [sha256.Size]byte
	var signature [64]byte

	const parameter = "&X-Amz-Signature="
	var target strings.Builder
	target.Grow(len(path) + len("?") + len(query.text) + len(suffix) + len(parameter) + len(signature))
	target.Write(path)
	target.WriteByte('?')
	target.Write(query.text)
	target.Write(suffix)
	target.WriteString(parameter)
	target.Write(query.key.sign(signature[:0], hash.Sum(digest[:0]), query.stamp[:]))
	return Presigned{b.Scheme, b.Host, target.String()}, nil
}

func (s *Signer) now() time.Time {
	if s.Now != nil {
		return s.Now().UTC()
	}
	return time.Now().UTC()
}

// check refuses what must not be signed, and says for how many seconds the
// rest may be.
func (s *Signer) check(method string, b Bucket, l Location, c *Credentials, now time.Time) (int64, error) {
	switch {
	case method != "GET" && method != "HEAD":
		return 0, ErrMethod
	case b.Name == "" || l.Bucket != b.Name:
		return 0, ErrBucket
	case checkKey(l.Key) != nil:
		return 0, ErrLocation
	case c == nil || c.AccessKeyID == "" || c.SecretAccessKey == "":
		return 0, ErrIncomplete
	case c.STS == "" || c.STS != b.STS:
		return 0, ErrIssuer
	}
	margin, expires := s.Margin, s.Expires
	if margin <= 0 {
		margin = DefaultMargin
	}
	if expires <= 0 {
		expires = DefaultExpires
	}
	left := c.Expires.Sub(now)
	if left < margin {
		return 0, ErrExpired
	}
	// X-Amz-Date has whole seconds, rounded down, and so has the life that
	// counts from it: the location never outlives its credentials.
	seconds := int64(min(expires, left, MaxExpires) / time.Second)
	if seconds < 1 {
		return 0, ErrExpired
	}
	return seconds, nil
}

// appendPath appends /BUCKET/KEY, escaped once and normalised not at all. A
// bucket's name has nothing to escape.
func appendPath(dst []byte, l Location) []byte {
	dst = append(dst, '/')
	dst = append(dst, l.Bucket...)
	dst = append(dst, '/')
	return appendEscaped(dst, l.Key, true)
}

// Presigned is a signed location: whoever has it can read the object until it
// ends. It shows itself to nobody but through URL and Target.
type Presigned struct{ scheme, host, target string }

// Target is the path and the query, escaped: what Envoy sends as :path to the
// bucket's host.
func (p Presigned) Target() string { return p.target }

// URL is the whole address, with scheme and host.
func (p Presigned) URL() string { return p.scheme + "://" + p.host + p.target }

func (Presigned) String() string               { return redacted }
func (Presigned) GoString() string             { return redacted }
func (Presigned) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Presigned) MarshalText() ([]byte, error) { return []byte(redacted), nil }
