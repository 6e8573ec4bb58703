package grants

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rolepass/rolepass/presign"
)

// Prefix is a folder of a bucket, or the whole bucket.
type Prefix struct {
	Bucket string
	// Key is what the keys begin with: empty for the whole bucket, otherwise
	// ending in "/", so that team-a/ never covers team-ab/.
	Key string
}

// ParsePrefix reads s3://BUCKET/ or s3://BUCKET/FOLDER/, with the rules of
// presign.ParseLocation for the characters. Nothing in it is a pattern.
func ParsePrefix(uri string) (Prefix, error) {
	if !strings.HasPrefix(uri, "s3://") {
		return Prefix{}, errors.New("it does not begin with s3:// in lower case: write s3://bucket/folder/")
	}
	if !strings.HasSuffix(uri, "/") {
		return Prefix{}, errors.New(`it does not end with "/": write s3://bucket/folder/ so that it ends where the folder's name does`)
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	if !ok {
		return Prefix{}, errors.New("it names no bucket: write s3://bucket/folder/")
	}
	// The longest prefix leaves room for one byte of a name.
	if _, err := presign.ParseLocation("s3://" + bucket + "/" + key + "x"); err != nil {
		return Prefix{}, fmt.Errorf("no object can be under it: %w", err)
	}
	return Prefix{Bucket: bucket, Key: key}, nil
}

// Covers says whether an object is under the prefix.
func (p Prefix) Covers(l presign.Location) bool {
	return p.Bucket == l.Bucket && strings.HasPrefix(l.Key, p.Key)
}

// String is what ParsePrefix reads. Prefixes are configuration, not data of a
// patient, and are shown in the open.
func (p Prefix) String() string { return "s3://" + p.Bucket + "/" + p.Key }
