package s3guard

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxKey     = 1024             // bytes, Amazon S3 User Guide, "Naming Amazon S3 objects"
	maxSkew    = 15 * time.Minute // Amazon S3 API Reference, RequestTimeTooSkewed
	maxExpires = 604800           // seconds, Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters"
)

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodOptions}

// check holds a request against what AWS accepts.
func (g *Guard) check(q *request) *refusal {
	for _, rule := range []func(*request) *refusal{checkTarget, g.checkQuery, g.checkHeader, g.checkScope, checkSignedHeaders} {
		if refused := rule(q); refused != nil {
			return refused
		}
	}
	return nil
}

// checkTarget refuses what no S3 endpoint has: other methods, the server's own
// pages beside the buckets, and keys out of range.
func checkTarget(q *request) *refusal {
	switch {
	case !slices.Contains(methods, q.method), q.bucket == "" && q.method != http.MethodGet && q.method != http.MethodHead:
		return methodNotAllowed
	case q.bucket == "minio":
		return accessDenied("Access Denied")
	case len(q.key) > maxKey:
		return keyTooLong
	case q.auth == "v2":
		return unsupportedAuthorization
	}
	return nil
}

// checkQuery is about presigned locations.
func (g *Guard) checkQuery(q *request) *refusal {
	if q.auth != "query" {
		return nil
	}
	for _, name := range queryParameters {
		if len(q.query[name]) != 1 || q.query.Get(name) == "" {
			return badParameters("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
		}
	}
	if token, came := q.query[sessionToken]; came && (len(token) != 1 || token[0] == "") {
		return badParameters(sessionToken + " must be there once, with a value")
	}
	if q.query.Get("X-Amz-Algorithm") != scheme {
		return badParameters("X-Amz-Algorithm only supports \"" + scheme + "\"")
	}
	date := q.date()
	if date.IsZero() {
		return badParameters("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
	}
	seconds, err := strconv.Atoi(q.query.Get("X-Amz-Expires"))
	switch {
	case err != nil:
		return badParameters("X-Amz-Expires should be a number")
	case seconds < 1:
		return badParameters("X-Amz-Expires must be non-negative")
	case seconds > maxExpires:
		return badParameters("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
	}
	now := g.now()
	switch {
	case date.After(now.Add(maxSkew)):
		return accessDenied("Request is not yet valid")
	case now.After(date.Add(time.Duration(seconds) * time.Second)):
		return accessDenied("Request has expired")
	}
	return nil
}

// checkHeader is about requests that are signed in a header.
func (g *Guard) checkHeader(q *request) *refusal {
	if q.auth != "header" {
		return nil
	}
	if len(q.headers.Values("X-Amz-Content-Sha256")) != 1 {
		return &refusal{http.StatusBadRequest, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256", nil}
	}
	// A request without X-Amz-Date is signed for its Date, which is the
	// server's to read.
	if date := q.date(); !date.IsZero() && date.Sub(g.now()).Abs() > maxSkew {
		return &refusal{http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", nil}
	}
	return nil
}

// checkScope wants the signing day, the region and the service that the
// signature is for: ID/20060102/REGION/s3/aws4_request.
func (g *Guard) checkScope(q *request) *refusal {
	if q.auth != "query" && q.auth != "header" {
		return nil
	}
	code, name := "AuthorizationHeaderMalformed", "authorization header"
	if q.auth == "query" {
		code, name = "AuthorizationQueryParametersError", "X-Amz-Credential parameter"
	}
	refuse := func(format string, args ...any) *refusal {
		return &refusal{http.StatusBadRequest, code, fmt.Sprintf("Error parsing the "+name+"; "+format, args...), nil}
	}
	scope := strings.Split(q.credential, "/")
	switch date := q.date(); {
	case len(scope) != 5 || scope[0] == "":
		return refuse("the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
	case !date.IsZero() && scope[1] != date.Format("20060102"):
		return refuse("the date of the Credential is not that of X-Amz-Date.")
	case scope[2] != g.region:
		return refuse("the region '%s' is wrong; expecting '%s'", scope[2], g.region)
	case scope[3] != "s3":
		return refuse("incorrect service \"%s\". This endpoint belongs to \"s3\".", scope[3])
	case scope[4] != "aws4_request":
		return refuse("incorrect terminal \"%s\". This endpoint uses \"aws4_request\".", scope[4])
	}
	return nil
}

// checkSignedHeaders wants Host and every x-amz- header to be signed.
func checkSignedHeaders(q *request) *refusal {
	if q.auth != "query" && q.auth != "header" {
		return nil
	}
	var missing []string
	if !slices.Contains(q.signedHeaders, "host") {
		missing = append(missing, "host")
	}
	for name := range q.headers {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(q.signedHeaders, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	refused := accessDenied("There were headers present in the request which were not signed")
	refused.more = map[string]string{"HeadersNotSigned": strings.Join(missing, ", ")}
	return refused
}
