package envoy

import (
	mutation "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/rolepass/rolepass/envoy/contract"
)

// spoofable are request headers that a client may not bring along: removed
// before routing and before ext_authz. Names that end in "-" are prefixes.
// What Envoy itself sets among them, it sets afterwards.
func spoofable(s Settings) []string {
	names := []string{
		"x-rolepass-", // ours, should we ever have one
		"x-envoy-",    // Envoy's own steering: retries, timeouts, original path
		"x-amz-",      // parts of a signature
		"x-minio-",
		"x-original-url", "x-original-uri", "x-rewrite-url", // other paths than the one we judged
		"x-http-method", "x-http-method-override", "x-method-override",
		"forwarded", "x-real-ip", "x-client-ip", "true-client-ip",
		"x-request-id", // ours are unique; a client's need not be
		"proxy",        // CGI's HTTP_PROXY
		// A tracer would do as the client says: join its trace, record or not.
		"traceparent", "tracestate", "x-client-trace-id", "b3", "x-b3-",
		"proxy-authorization",
	}
	if s.TrustedHops == 0 {
		names = append(names, "x-forwarded-")
	} else {
		names = append(names, "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "x-forwarded-scheme",
			"x-forwarded-server", "x-forwarded-ssl", "x-forwarded-uri", "x-forwarded-method", "x-forwarded-user",
			"x-forwarded-email", "x-forwarded-groups", "x-forwarded-access-token", "x-forwarded-client-cert")
	}
	if s.LocationHeader != "" {
		names = append(names, s.LocationHeader)
	}
	if !s.KeepCredentials {
		names = append(names, contract.Authorization, contract.APIKey)
	}
	return names
}

// strippedToS3 are request headers that S3 never sees. These are removed by
// the route, after routing: x-forwarded-proto must survive until then, or
// Envoy answers 404 (it cannot route without it). Authorization goes with them,
// unless a signature stands there.
var strippedToS3 = []string{
	contract.Cookie, "cookie2", "referer", contract.Origin,
	"x-csrftoken", contract.APIKey, contract.RequestID,
	"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "forwarded", "via",
	"x-envoy-external-address", "x-envoy-internal", "x-envoy-attempt-count", "x-envoy-expected-rq-timeout-ms",
	"accept-language", "dnt", "upgrade-insecure-requests", "priority", "traceparent", "tracestate", "baggage",
}

func (b *builder) strippedToS3() []string {
	if b.S3SignedHeaders {
		return strippedToS3
	}
	return append([]string{contract.Authorization}, strippedToS3...)
}

// strippedToS3Prefixes are removed by the header_mutation filter, since a
// route can name headers only exactly. S3 needs no X- header of a browser. Where
// Check signs by headers, x-amz- stays: a client's have gone before Check ran,
// and Check sets only those that the contract names.
func (b *builder) strippedToS3Prefixes() []*mutation.HeaderMutation {
	if !b.S3SignedHeaders {
		return removals([]string{"x-", "sec-"})
	}
	return append(removals([]string{"sec-"}), removal(&matcher.StringMatcher{MatchPattern: &matcher.StringMatcher_SafeRegex{
		SafeRegex: &matcher.RegexMatcher{Regex: exceptAmz}}}))
}

// exceptAmz is every name that begins with x- but not with x-amz-. RE2 has no
// way to say "not", hence the letters.
const exceptAmz = "x-([^a].*|a([^m].*|m([^z].*|z([^-].*)?)?)?)?"

// strippedFromS3 are response headers by which an object, or whoever may write
// one, would speak for the application's origin.
var strippedFromS3 = []string{
	"set-cookie", "set-cookie2", "server", "via", "vary", "location", "refresh", "link", "www-authenticate",
	"strict-transport-security", "public-key-pins", "expect-ct", "alt-svc", "clear-site-data", "service-worker-allowed",
	"sourcemap", "timing-allow-origin", "report-to", "nel", "reporting-endpoints", "permissions-policy", "feature-policy",
	"content-security-policy", "content-security-policy-report-only", "origin-agent-cluster", "referrer-policy",
	"p3p", "age", "expires", "pragma",
}

// strippedFromS3Prefixes go with them: x-amz-meta-* is user data.
var strippedFromS3Prefixes = []string{"x-", "access-control-", "cross-origin-"}

// removals turns names, or prefixes that end in "-", into mutations.
func removals(names []string) []*mutation.HeaderMutation {
	var out []*mutation.HeaderMutation
	for _, name := range names {
		if name[len(name)-1] != '-' {
			out = append(out, &mutation.HeaderMutation{Action: &mutation.HeaderMutation_Remove{Remove: name}})
			continue
		}
		out = append(out, removal(&matcher.StringMatcher{MatchPattern: &matcher.StringMatcher_Prefix{Prefix: name}, IgnoreCase: true}))
	}
	return out
}

// removal removes the headers whose names match.
func removal(names *matcher.StringMatcher) *mutation.HeaderMutation {
	return &mutation.HeaderMutation{Action: &mutation.HeaderMutation_RemoveOnMatch_{
		RemoveOnMatch: &mutation.HeaderMutation_RemoveOnMatch{KeyMatcher: names}}}
}
