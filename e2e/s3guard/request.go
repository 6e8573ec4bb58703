package s3guard

import (
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// request is what the guard reads of a request.
type request struct {
	method  string
	host    string
	path    string // as it came
	bucket  string
	key     string // decoded
	headers http.Header
	query   url.Values
	auth    string // "query", "header", "v2" or "none"

	credential    string // ID/DATE/REGION/SERVICE/aws4_request
	signedHeaders []string
}

// scheme is how SigV4 calls itself.
const scheme = "AWS4-HMAC-SHA256"

// queryParameters are what a presigned location has, each exactly once.
var queryParameters = []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"}

// sessionToken is what temporary credentials add, at most once.
const sessionToken = "X-Amz-Security-Token"

// read takes a request apart. What it could read is there even when it refuses.
func read(r *http.Request) (*request, *refusal) {
	path, rawQuery, _ := strings.Cut(r.RequestURI, "?")
	q := &request{method: r.Method, host: r.Host, path: path, headers: r.Header, auth: "none"}
	query, err := url.ParseQuery(rawQuery)
	q.query = query
	if err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return q, malformedURI
	}
	bucket, key, _ := strings.Cut(path[1:], "/")
	q.bucket = bucket
	if q.key, err = url.PathUnescape(key); err != nil || !utf8.ValidString(q.key) || strings.Contains(bucket, "%") {
		return q, malformedURI
	}
	return q, q.readAuthorization()
}

// readAuthorization finds out how the request says who sends it.
func (q *request) readAuthorization() *refusal {
	header := q.headers.Values("Authorization")
	switch {
	case q.presigned() && len(header) > 0, len(header) > 1:
		return twoMechanisms
	case q.presigned():
		q.auth = "query"
		q.credential = q.query.Get("X-Amz-Credential")
		q.signedHeaders = strings.Split(q.query.Get("X-Amz-SignedHeaders"), ";")
	case q.query.Has("Signature") || q.query.Has("AWSAccessKeyId") || len(header) == 1 && strings.HasPrefix(header[0], "AWS "):
		q.auth = "v2"
	case len(header) == 1:
		q.auth = "header"
		return q.readHeader(header[0])
	}
	return nil
}

// presigned reports whether anything in the query is of SigV4.
func (q *request) presigned() bool {
	for _, name := range queryParameters {
		if q.query.Has(name) {
			return true
		}
	}
	return false
}

// readHeader reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…".
func (q *request) readHeader(value string) *refusal {
	rest, ok := strings.CutPrefix(value, scheme+" ")
	if !ok {
		return unsupportedAuthorization
	}
	for _, part := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			q.credential = value
		case "SignedHeaders":
			q.signedHeaders = strings.Split(value, ";")
		}
	}
	return nil
}

// accessKeyID is the public half of who sends the request.
func (q *request) accessKeyID() string {
	id, _, _ := strings.Cut(q.credential, "/")
	return id
}

// date is the moment of signing; the zero time when it cannot be read.
func (q *request) date() time.Time {
	text := q.headers.Get("X-Amz-Date")
	if q.auth == "query" {
		text = q.query.Get("X-Amz-Date")
	}
	date, err := time.Parse("20060102T150405Z", text)
	if err != nil {
		return time.Time{}
	}
	return date
}
