package presign

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// Credentials are the temporary credentials of one role of one person. Fill
// the exported fields once and share the pointer: signing is safe from many
// goroutines, as long as nobody writes to it any more.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	// SessionToken is empty for long-lived keys only, which no token service
	// issues.
	SessionToken Secret
	// Expires is when the credentials end. The zero time is long past:
	// whoever signs with long-lived keys must say until when.
	Expires time.Time
	// STS is the configured name of the token service that issued them. They
	// sign for buckets of that service only.
	STS string

	// derived is the first of the signing keys of the current day, one per region.
	// Their number is bounded by the regions of the configured buckets.
	derived atomic.Pointer[signingKey]
}

func (*Credentials) String() string       { return "[credentials]" }
func (*Credentials) GoString() string     { return "[credentials]" }
func (*Credentials) LogValue() slog.Value { return slog.StringValue("[credentials]") }

// MarshalText is String; AppendRecord writes what can be read back.
func (*Credentials) MarshalText() ([]byte, error) { return []byte("[credentials]"), nil }

// Size is about how many bytes the credentials occupy, the signing key of one
// region included: for caches that are bounded in bytes.
func (c *Credentials) Size() int {
	const fixed = 512
	token := len(c.SessionToken) * 5 / 2 // itself, and escaped in the latest query
	return fixed + len(c.AccessKeyID)*2 + len(c.SecretAccessKey) + token + len(c.STS)
}

// signingKey gives the key for the day of a time (UTC) and a region, derived
// at the first use. Two goroutines that are first at once derive it twice.
func (c *Credentials) signingKey(now time.Time, region string) *signingKey {
	known, day := c.derived.Load(), daysSince1970(now)
	for k := known; k != nil; k = k.next {
		if k.day == day && k.region == region {
			return k
		}
	}
	fresh := deriveSigningKey(c, now, region)
	if known != nil && known.day == day { // else all of them are another day's
		fresh.next = known
	}
	c.derived.CompareAndSwap(known, fresh)
	return fresh
}

// daysSince1970 tells days apart without formatting them.
func daysSince1970(t time.Time) int64 {
	const day = 24 * 60 * 60
	seconds := t.Unix()
	if seconds < 0 {
		seconds -= day - 1
	}
	return seconds / day
}
