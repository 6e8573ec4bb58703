package telemetry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"sync"
)

// objects hashes objects under one key, so that audit and traces name an object
// alike.
type objects struct {
	macs sync.Pool // of HMAC-SHA-256 under the key
}

func newObjects(key []byte) *objects {
	return &objects{macs: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// hash is the first half of an HMAC-SHA-256, in hexadecimal: enough to compare
// objects by, and useless without the key.
func (o *objects) hash(object string) string {
	mac := o.macs.Get().(hash.Hash)
	defer o.macs.Put(mac)
	mac.Reset()
	_, _ = io.WriteString(mac, object)
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// ObjectHash is what an audit under this key has for an object, for looking one up.
func ObjectHash(key []byte, uri string) string { return newObjects(key).hash(uri) }
