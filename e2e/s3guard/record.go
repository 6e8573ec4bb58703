package s3guard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Record is one line of the log: who asked for what, and how it ended. It has
// names of headers and parameters, never their values, and a hash in place of
// the key.
type Record struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	// Auth is how the request was signed: query, header, v2 or none.
	Auth string `json:"auth"`
	// AccessKeyID is the caller's access key id as claimed; "" without one.
	AccessKeyID string `json:"access_key_id,omitempty"`
	Bucket      string `json:"bucket,omitempty"`
	// Key is [KeyHash] of the object key; "" for a request without one.
	Key string `json:"key_sha256,omitempty"`
	// Headers and Query are the names that the request had, sorted; those of
	// headers in lower case.
	Headers []string `json:"headers"`
	Query   []string `json:"query"`
	Status  int      `json:"status"`
	// Refused is the error code if the guard itself refused.
	Refused string `json:"refused,omitempty"`
}

// KeyHash is the hexadecimal SHA-256 of an object key, as logs have it.
func KeyHash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func (q *request) record(now time.Time, status int, refused string) Record {
	r := Record{
		Time: now.UTC(), Method: q.method, Auth: q.auth, AccessKeyID: q.accessKeyID(), Bucket: q.bucket,
		Headers: []string{}, Query: []string{}, Status: status, Refused: refused,
	}
	if q.key != "" {
		r.Key = KeyHash(q.key)
	}
	for name := range q.headers {
		r.Headers = append(r.Headers, strings.ToLower(name))
	}
	for name := range q.query {
		r.Query = append(r.Query, name)
	}
	slices.Sort(r.Headers)
	slices.Sort(r.Query)
	return r
}

// ReadLog reads the records of a log file, oldest first. A line that is still
// being written is left out.
func ReadLog(file string) ([]Record, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the log of S3 requests: %w", err)
	}
	var records []Record
	for line := range bytes.Lines(text) {
		if line[len(line)-1] != '\n' {
			break
		}
		var record Record
		if err := json.Unmarshal(line, &record); err != nil {
			return nil, fmt.Errorf("reading the log of S3 requests: %w", err)
		}
		records = append(records, record)
	}
	return records, nil
}
