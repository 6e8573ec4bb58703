package presign

import (
	"encoding/binary"
	"errors"
	"time"
)

// recordVersion is the first byte of a record.
const recordVersion = 1

var errRecord = errors.New("the record does not hold credentials in a form that this version writes")

// AppendRecord appends the credentials, in the open, to b: for a record that
// is sealed before it goes anywhere. CredentialsFromRecord reads it. A record
// is a version byte, the time of expiry (seconds and nanoseconds) and four
// strings, each after its length.
func (c *Credentials) AppendRecord(b []byte) []byte {
	b = append(b, recordVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(c.Expires.Unix()))
	b = binary.BigEndian.AppendUint32(b, uint32(c.Expires.Nanosecond()))
	for _, field := range []string{c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal(), c.STS} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
		b = append(b, field...)
	}
	return b
}

// CredentialsFromRecord reads what AppendRecord wrote, to the last byte.
func CredentialsFromRecord(record []byte) (*Credentials, error) {
	const head = 1 + 8 + 4
	if len(record) < head || record[0] != recordVersion {
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
	return &Credentials{
		AccessKeyID:     fields[0],
		SecretAccessKey: Secret(fields[1]),
		SessionToken:    Secret(fields[2]),
		Expires:         time.Unix(int64(seconds), int64(nanos)).UTC(),
		STS:             fields[3],
	}, nil
}
