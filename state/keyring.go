package state

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// keySize is the length of a key file's secret, in bytes (AES-256).
const keySize = 32

// keySuffix ends the name of every key file.
const keySuffix = ".key"

// Key is one secret of the keyring. It never prints itself.
type Key struct {
	id     string
	secret [keySize]byte
}

// String hides the secret and shows the identifier.
func (k Key) String() string { return "key " + k.id }

// Format hides the secret whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// Keyring holds the server's keys, newest first. The newest seals; all open,
// so that a key may be replaced without a logout: add the new one, wait until
// the longest session has ended, delete the old one.
type Keyring struct{ keys []Key }

// String names the keys and hides their secrets.
func (r Keyring) String() string {
	names := make([]string, len(r.keys))
	for i, key := range r.keys {
		names[i] = key.String()
	}
	return "keyring of " + strings.Join(names, ", ")
}

// Format is String, whatever the verb. Without it fmt would reach through the
// unexported field, past what Key says about itself.
func (r Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue hides the secrets too.
func (r Keyring) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Names are the keys' identifiers, which are their files' names, newest first.
func (r *Keyring) Names() []string {
	names := make([]string, len(r.keys))
	for i, key := range r.keys {
		names[i] = key.id
	}
	return names
}

// LoadKeyring reads every *.key file of a directory. A file that others may
// read, or that does not hold exactly 32 bytes in hexadecimal, is an error.
func LoadKeyring(dir string) (*Keyring, error) {
	// Not Glob: to it a directory that may not be listed is an empty one, and
	// whoever is told so makes a new key and loses the old.
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing keys: %w", err)
	}
	ring := &Keyring{}
	for _, entry := range slices.Backward(entries) { // sorted by name: the newest is the last
		if !strings.HasSuffix(entry.Name(), keySuffix) {
			continue
		}
		key, err := readKey(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		ring.keys = append(ring.keys, key)
	}
	if len(ring.keys) == 0 {
		return nil, fmt.Errorf("no *%s file in %s: run `rolepass keys new %s`", keySuffix, dir, dir)
	}
	return ring, nil
}

func readKey(name string) (Key, error) {
	info, err := os.Stat(name)
	if err != nil {
		return Key{}, fmt.Errorf("reading key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Key{}, fmt.Errorf("key %s may be read by others (mode %04o): run `chmod 600 %s`", name, info.Mode().Perm(), name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return Key{}, fmt.Errorf("reading key: %w", err)
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != keySize {
		return Key{}, fmt.Errorf("key %s does not hold %d bytes in hexadecimal: make a new one with `rolepass keys new %s`", name, keySize, filepath.Dir(name))
	}
	key := Key{id: strings.TrimSuffix(filepath.Base(name), keySuffix)}
	copy(key.secret[:], secret)
	return key, nil
}

// NewKey writes a new key file into a directory, which it makes if need be,
// and returns the file's name. Names sort by time, so the new key is the one
// that seals after the next start.
func NewKey(dir string, now time.Time, random io.Reader) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the key directory: %w", err)
	}
	var secret [keySize]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return "", fmt.Errorf("drawing a key: %w", err)
	}
	name := filepath.Join(dir, now.UTC().Format("20060102T150405.000000000Z")+keySuffix)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("writing key: %w", err)
	}
	_, werr := fmt.Fprintln(file, hex.EncodeToString(secret[:]))
	if err := errors.Join(werr, file.Close()); err != nil {
		return "", fmt.Errorf("writing key: %w", err)
	}
	return name, nil
}

// Derive gives one subkey per key, newest first, for a purpose of its own
// (HKDF-SHA-256, RFC 5869).
func (r *Keyring) Derive(purpose string) [][]byte {
	var subkeys [][]byte
	for _, key := range r.keys {
		subkeys = append(subkeys, derive(key, nil, purpose))
	}
	return subkeys
}

func derive(key Key, salt []byte, info string) []byte {
	subkey, err := hkdf.Key(sha256.New, key.secret[:], salt, "rolepass "+info, keySize)
	if err != nil {
		panic(err) // only for a length that HKDF cannot give; ours is fixed
	}
	return subkey
}

func aead(key Key, half []byte, info string) cipher.AEAD {
	block, err := aes.NewCipher(derive(key, salt(half), info))
	if err != nil {
		panic(err) // only for a wrong key length; ours is fixed
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return gcm
}

// salt is a half as HKDF takes it. HMAC fills a short salt with zeros, so two
// halves that differ in trailing zeros would be one: their hashes are not.
func salt(half []byte) []byte {
	if len(half) == 0 {
		return nil
	}
	sum := sha256.Sum256(half)
	return sum[:]
}

// find returns the key with an identifier.
func (r *Keyring) find(id string) (Key, bool) {
	for _, key := range r.keys {
		if key.id == id {
			return key, true
		}
	}
	return Key{}, false
}
