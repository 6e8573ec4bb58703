// Package contract holds the names that the two halves of the Envoy contract
// share: package envoy writes them into Envoy's configuration, package
// extauthz speaks them on the wire. A name that only one half knew would be
// a hole, so it stands here or nowhere.
package contract

import "time"

// FilterName is the name of the ext_authz filter, which is also the dynamic
// metadata namespace in which Envoy files what a CheckResponse carries.
const FilterName = "envoy.filters.http.ext_authz"

// RouteKey is the key in FilterName's namespace that selects the S3 route.
// Clients cannot write dynamic metadata, so they cannot forge it.
const RouteKey = "rolepass_route"

// VisiblePath is the regular expression of what Envoy shows to Check as it is:
// ASCII without blanks and controls.
const VisiblePath = "[!-~]*"

// AccessKeys of dynamic metadata that the access log may print.
const (
	// SessionKey is a short public handle of the session, for joining logs.
	SessionKey = "rolepass_session"
	// CodeKey is the refusal code, or "pass", "stream", "page", "redirect",
	// "header".
	CodeKey = "rolepass_code"
)

// S3Route is the value under RouteKey that sends a request to the S3 endpoint
// with this host (as in presign.Bucket.Host).
func S3Route(host string) string { return "s3:" + host }

// Request headers that Rolepass reads. Envoy forwards exactly these
// (allowed_headers is generated from ForwardedHeaders); method, path, host and
// scheme travel in fields of their own.
const (
	Cookie        = "cookie"
	Origin        = "origin"
	Accept        = "accept"
	ContentType   = "content-type"
	RequestID     = "x-request-id"
	SecFetchSite  = "sec-fetch-site"
	SecFetchMode  = "sec-fetch-mode"
	SecFetchDest  = "sec-fetch-dest"
	Range         = "range"
	Authorization = "authorization"
	APIKey        = "x-api-key"
)

// ForwardedHeaders are the request headers that Envoy shows to Rolepass.
// Authorization and X-Api-Key are not among them: what the browser sends
// there is removed unread, unless CredentialHeaders are shown, too.
func ForwardedHeaders() []string {
	return []string{Cookie, Origin, Accept, ContentType, RequestID, SecFetchSite, SecFetchMode, SecFetchDest, Range}
}

// ClientAddress is the gRPC metadata of a Check by which Envoy says what address
// a request came from, where it believes proxies in front: the source of a
// CheckRequest is always the peer of the connection, which is then a proxy. No
// header of a request becomes gRPC metadata, so no client can write it.
const ClientAddress = "x-rolepass-client"

// CredentialHeaders are those by which API clients say who they are to the
// application. Envoy keeps and shows them only where such clients pass.
func CredentialHeaders() []string { return []string{Authorization, APIKey} }

// MaxACSBody bounds the body that Envoy hands over on the ACS, in bytes: STS
// takes at most 100,000 characters of base64, which form encoding can triple.
const MaxACSBody = 320 << 10

// SLOPath is where the IdP's logout messages arrive: beside the ACS, the one
// page whose body Envoy hands over.
const SLOPath = "/rolepass/saml/slo"

// MaxPage bounds the body of a page that Rolepass answers with, in bytes.
// Envoy cuts what is longer.
const MaxPage = 64 << 10

// MutableHeaders are the request headers that a CheckResponse may set or
// remove. Envoy answers 500 to an attempt at any other: what a bug would do to
// :authority, :method or x-forwarded-proto then shows at once, and safely.
// Where S3 is signed by headers, SignedHeaders are among them, and where the
// application is told locations, the header for that.
func MutableHeaders() []string {
	return []string{":path", Cookie, Authorization, APIKey, Origin, "referer", "x-csrftoken"}
}

// SignedHeaders are the headers of a request to S3 that is signed by headers,
// beside Host.
func SignedHeaders() []string {
	return []string{Authorization, "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"}
}

// LongestDecision is how long a decision may take: that of a login, which asks
// STS. Envoy waits longer, so that its answer wins.
const LongestDecision = 12 * time.Second
