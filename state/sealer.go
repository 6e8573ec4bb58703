package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// ErrNotFound says that there is no such record, or none that opens: expired,
// evicted, sealed under another key, moved from another place, or damaged.
// A caller treats all of these alike: as if it had never been.
var ErrNotFound = errors.New("no such record")

// recordVersion is the first byte of every sealed record.
const recordVersion = 1

// Sealer turns values into sealed records and back (AES-256-GCM). A record is
// bound to its kind, its name and its end, so a record that was moved, swapped
// or kept too long does not open.
type Sealer struct {
	Keys *Keyring
	Now  func() time.Time
	Rand io.Reader

	// newer is what took the place of Keys since.
	newer atomic.Pointer[Keyring]
}

// Rekey lets another keyring seal and open from now on. What was sealed before
// opens as long as its key is in the new one, too.
func (s *Sealer) Rekey(ring *Keyring) { s.newer.Store(ring) }

func (s *Sealer) ring() *Keyring {
	if newer := s.newer.Load(); newer != nil {
		return newer
	}
	return s.Keys
}

// Seal gives the record of a value. Half is the part of the key that the
// server does not keep (the cookie's half); nil where there is none.
func (s *Sealer) Seal(kind, name string, half, value []byte, expires time.Time) ([]byte, error) {
	key := s.ring().keys[0]
	gcm := aead(key, half, kind)
	// As long as the record becomes, so that it does not grow on the way.
	head := make([]byte, 0, 2+len(key.id)+8+gcm.NonceSize()+len(value)+gcm.Overhead())
	head = append(append(head, recordVersion, byte(len(key.id))), key.id...)
	head = binary.BigEndian.AppendUint64(head, uint64(expires.UnixMilli()))
	record := head[:len(head)+gcm.NonceSize()]
	nonce := record[len(head):]
	if _, err := io.ReadFull(s.Rand, nonce); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	return gcm.Seal(record, nonce, value, additional(head, kind, name)), nil
}

// Open gives the value of a record and its end, or ErrNotFound.
func (s *Sealer) Open(kind, name string, half, record []byte) ([]byte, time.Time, error) {
	if len(record) < 2 || record[0] != recordVersion || len(record) < 2+int(record[1])+8 {
		return nil, time.Time{}, ErrNotFound
	}
	idEnd := 2 + int(record[1])
	head, rest := record[:idEnd+8], record[idEnd+8:]
	expires := time.UnixMilli(int64(binary.BigEndian.Uint64(record[idEnd : idEnd+8])))
	key, ok := s.ring().find(string(record[2:idEnd]))
	if !ok || !s.Now().Before(expires) {
		return nil, time.Time{}, ErrNotFound
	}
	gcm := aead(key, half, kind)
	if len(rest) < gcm.NonceSize() {
		return nil, time.Time{}, ErrNotFound
	}
	value, err := gcm.Open(nil, rest[:gcm.NonceSize()], rest[gcm.NonceSize():], additional(head, kind, name))
	if err != nil {
		return nil, time.Time{}, ErrNotFound
	}
	return value, expires, nil
}

// additional is what a record is bound to, each part with its length.
func additional(head []byte, kind, name string) []byte {
	out := append([]byte{}, head...)
	for _, part := range []string{kind, name} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return out
}
