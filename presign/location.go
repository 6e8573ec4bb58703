package presign

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"
)

// maxKey is the longest key of S3, in bytes of UTF-8 (S3 user guide, "Naming
// Amazon S3 objects").
const maxKey = 1024

const uriScheme = "s3://"

// ErrQuestionMark is ParseLocation's answer to a key with a question mark.
// Label Studio takes such a URI for one with a query and cuts the key there,
// so that it would ask for another object than the one that is named.
var ErrQuestionMark = errors.New(`the key has a "?", at which Label Studio cuts it: copy the object to a key without one`)

// ParseLocation reads exactly s3://BUCKET/KEY. The bucket obeys S3's naming
// rules. The key is 1 to 1,024 bytes of UTF-8 without control characters; it
// is taken literally, so that "%2F" in it is three characters and "#" starts
// no fragment. Refused are keys that a server or a proxy could take for
// another one: with an empty segment ("//" or a leading "/"), with a segment
// "." or "..", and, as ErrQuestionMark, with a question mark.
//
// The errors quote nothing of the URI: keys are patient data.
func ParseLocation(uri string) (Location, error) {
	rest, ok := strings.CutPrefix(uri, uriScheme)
	if !ok {
		return Location{}, errors.New("the location does not begin with s3:// in lower case")
	}
	bucket, key, ok := strings.Cut(rest, "/")
	if !ok {
		return Location{}, errors.New("the location names no object: it must be s3://bucket/key")
	}
	if err := checkBucketName(bucket); err != nil {
		return Location{}, err
	}
	if err := checkKey(key); err != nil {
		return Location{}, err
	}
	return Location{Bucket: bucket, Key: key}, nil
}

func checkKey(key string) error {
	switch {
	case key == "":
		return errors.New("the key is empty: the location must be s3://bucket/key")
	case len(key) > maxKey:
		return fmt.Errorf("the key has %d bytes, and S3 allows %d", len(key), maxKey)
	case !utf8.ValidString(key):
		return errors.New("the key is not valid UTF-8")
	case hasControl(key):
		return errors.New("the key has a control character")
	case strings.Contains(key, "?"):
		return ErrQuestionMark
	}
	return checkSegments(key)
}

// hasControl says whether valid UTF-8 has a control character (category Cc):
// those of ASCII, or U+0080 to U+009F, which are encoded as C2 80 to C2 9F.
func hasControl(key string) bool {
	for i := range len(key) {
		if c := key[i]; c < ' ' || c == 0x7f || c == 0xc2 && key[i+1] < 0xa0 {
			return true
		}
	}
	return false
}

// checkSegments refuses what merge_slashes, normalize_path, path.Clean and
// RFC 3986 §5.2.4 fold away. A slash at the end is not among them.
func checkSegments(key string) error {
	for rest, more := key, true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		switch {
		case segment == "" && more:
			return errors.New(`the key has an empty segment ("//", or "/" at its beginning), which proxies fold away`)
		case segment == "." || segment == "..":
			return errors.New(`the key has a segment "." or "..", which proxies resolve`)
		}
	}
	return nil
}

// checkBucketName is S3's grammar for general purpose buckets (S3 user guide,
// "General purpose bucket naming rules"). It keeps out what only looks like a
// bucket: access point aliases, ARNs, hosts with ports or users.
func checkBucketName(name string) error {
	if len(name) < 3 || len(name) > 63 {
		return errors.New("the bucket's name has less than 3 or more than 63 characters")
	}
	for i := range len(name) {
		if c := name[i]; !isLowerAlnum(c) && c != '-' && c != '.' {
			return errors.New("the bucket's name has a character other than a-z, 0-9, - and .")
		}
	}
	switch {
	case !isLowerAlnum(name[0]) || !isLowerAlnum(name[len(name)-1]):
		return errors.New("the bucket's name begins or ends with a character other than a-z and 0-9")
	case strings.Contains(name, ".."):
		return errors.New("the bucket's name has two dots in a row")
	case looksLikeIPv4(name):
		return errors.New("the bucket's name is formatted as an IP address")
	}
	return checkReserved(name)
}

func checkReserved(name string) error {
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, prefix) {
			return fmt.Errorf("the bucket's name begins with %q, which S3 reserves", prefix)
		}
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, suffix) {
			return fmt.Errorf("the bucket's name ends with %q, which S3 reserves for what is no ordinary bucket", suffix)
		}
	}
	return nil
}

// looksLikeIPv4 says that a name is four numbers with dots between them, in
// range or not.
func looksLikeIPv4(name string) bool {
	return strings.Count(name, ".") == 3 && strings.Trim(name, "0123456789.") == ""
}

func isLowerAlnum(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// URI is s3://BUCKET/KEY: what ParseLocation reads, with the key in the open.
func (l Location) URI() string { return uriScheme + l.Bucket + "/" + l.Key }

// String shows the bucket and hides the key: keys are patient data. URI gives
// both.
func (l Location) String() string { return uriScheme + l.Bucket + "/" + redacted }

// GoString is String, so that %#v shows no more than %v.
func (l Location) GoString() string { return l.String() }

// LogValue is String.
func (l Location) LogValue() slog.Value { return slog.StringValue(l.String()) }

// MarshalText is String.
func (l Location) MarshalText() ([]byte, error) { return []byte(l.String()), nil }
