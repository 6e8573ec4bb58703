package s3guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Record is one line of the log: who asked for what, and how it ended. It has
// names of headers and parameters, never their values: what signs or could be
// used again does not get there. Paths do: the objects of demonstrations and
// tests are made up.
type Record struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Host   string    `json:"host"`
	// Path is the path as it came, escapes included, without the query.
	Path   string `json:"path"`
	Bucket string `json:"bucket,omitempty"`
	// Key is the object key, decoded; "" for a request without one.
	Key string `json:"key,omitempty"`
	// Auth is how the request was signed: query, header, v2 or none.
	Auth string `json:"auth"`
	// AccessKeyID is the caller's access key id as claimed; "" without one.
	AccessKeyID string `json:"access_key_id,omitempty"`
	// Headers and Query are the names that the request had, sorted; those of
	// headers in lower case.
	Headers []string `json:"headers"`
	Query   []string `json:"query"`
	Status  int      `json:"status"`
	// Bytes is the length of the answer's body as announced; -1 if it was not.
	Bytes int64 `json:"bytes"`
	// Refused is the error code if the guard itself refused.
	Refused string `json:"refused,omitempty"`
}

// Carried says whether the request had a header, such as cookie.
func (r Record) Carried(header string) bool {
	return slices.Contains(r.Headers, strings.ToLower(header))
}

func (q *request) record(now time.Time, status int, length int64, refused string) Record {
	r := Record{
		Time: now.UTC(), Method: q.method, Host: q.host, Path: q.path, Bucket: q.bucket, Key: q.key,
		Auth: q.auth, AccessKeyID: q.accessKeyID(),
		Headers: []string{}, Query: []string{}, Status: status, Bytes: length, Refused: refused,
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
