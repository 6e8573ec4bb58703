package presign

import "log/slog"

// Location is one object: a bucket's name and a key, byte for byte as asked.
type Location struct {
	Bucket string
	Key    string
}

// Bucket is the address of one bucket.
type Bucket struct {
	// Name is the bucket's name, as in s3://NAME/.
	Name string
	// Region is the region that signatures name, such as eu-west-1.
	Region string
	// STS names the token service whose credentials may sign for the bucket.
	STS string
	// Scheme is https; http only for a loopback address.
	Scheme string
	// Host is what is signed and what Envoy sends as Host: a host name, with
	// a port when that is not the scheme's own.
	Host string
}

// Secret is a string that no log, error or JSON document shows.
type Secret string

const redacted = "[redacted]"

func (Secret) String() string               { return redacted }
func (Secret) GoString() string             { return redacted }
func (Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reveal gives the secret itself. Every call is a place to review.
func (s Secret) Reveal() string { return string(s) }
