package presign

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// The first byte of a record says how the session token stands in it: as it is,
// or as the bytes that it spells. AWS writes its tokens in base64 (RFC 4648 §4),
// and they are nearly all of a record: unspelled, a fourth less is kept.
const (
	recordPlain     = 1
	recordUnspelled = 2
)

var errRecord = errors.New("the record does not hold credentials in a form that this version writes")

// AppendRecord appends the credentials, in the open, to b: for a record that
// is sealed before it goes anywhere. CredentialsFromRecord reads it. A record
// is a version byte, the time of expiry (seconds and nanoseconds) and four
// strings, each after its length.
func (c *Credentials) AppendRecord(b []byte) []byte {
	version, token := unspell(c.SessionToken.Reveal())
	b = append(b, version)
	b = binary.BigEndian.AppendUint64(b, uint64(c.Expires.Unix()))
	b = binary.BigEndian.AppendUint32(b, uint32(c.Expires.Nanosecond()))
	for _, field := range []string{c.AccessKeyID, c.SecretAccessKey.Reveal(), token, c.STS} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
		b = append(b, field...)
	}
	return b
}

// unspell gives a token's bytes if it is their one spelling.
func unspell(token string) (version byte, text string) {
	bytes, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil || base64.StdEncoding.EncodeToString(bytes) != token { // it reads past line ends
		return recordPlain, token
	}
	return recordUnspelled, string(bytes)
}

// CredentialsFromRecord reads what AppendRecord wrote, to the last byte.
func CredentialsFromRecord(record []byte) (*Credentials, error) {
	const head = 1 + 8 + 4
	if len(record) < head || record[0] != recordPlain && record[0] != recordUnspelled {
		return nil, errRecord
	}
	seconds, nanos := binary.BigEndian.Uint64(record[1:]), binary.BigEndian.Uint32(record[9:])
	if nanos >= 1e9 {
		return nil, errRecord
	}
	var fields [4]string
	rest := record[head:]
	for i := range fields {
		if len(rest) < 4 {
			return nil, errRecord
		}
		n := uint64(binary.BigEndian.Uint32(rest))
		if rest = rest[4:]; uint64(len(rest)) < n {
			return nil, errRecord
		}
		fields[i], rest = string(rest[:n]), rest[n:]
	}
	if len(rest) != 0 || fields[0] == "" || fields[1] == "" || fields[3] == "" {
		return nil, errRecord
	}
	if record[0] == recordUnspelled {
		fields[2] = base64.StdEncoding.EncodeToString([]byte(fields[2]))
	}
	return &Credentials{
		AccessKeyID:     fields[0],
		SecretAccessKey: Secret(fields[1]),
		SessionToken:    Secret(fields[2]),
		Expires:         time.Unix(int64(seconds), int64(nanos)).UTC(),
		STS:             fields[3],
	}, nil
}
