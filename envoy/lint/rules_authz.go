package lint

import (
	"regexp"
	"slices"
	"strings"
	"time"

	extauthz "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"

	"github.com/rolepass/rolepass/envoy/contract"
)

// authzRules are about the filter itself.
var authzRules = []Rule{
	{"RP110", "failure_mode_allow", "While Rolepass is down, or made to fail by an odd request, everything passes unjudged.", "Remove failure_mode_allow.", onAuthz(func(f *extauthz.ExtAuthz) string {
		return when(f.GetFailureModeAllow(), "failure_mode_allow is true")
	})},
	{"RP111", "shadow_mode", "Decisions are made and not enforced.", "Remove shadow_mode, unless this is a trial in which everybody may see everything.", onAuthz(func(f *extauthz.ExtAuthz) string {
		return when(f.GetShadowMode(), "shadow_mode is true")
	})},
	{"RP112", "ext_authz for a part of the requests only", "The others pass unjudged.", "Remove filter_enabled and filter_enabled_metadata.", onAuthz(func(f *extauthz.ExtAuthz) string {
		return when(f.GetFilterEnabled() != nil || f.GetFilterEnabledMetadata() != nil, "filter_enabled or filter_enabled_metadata is set")
	})},
	{"RP113", "Check asked by HTTP", "Rolepass answers gRPC only; and an HTTP answer carries no typed metadata.", "Use grpc_service with envoy_grpc.", onAuthz(func(f *extauthz.ExtAuthz) string {
		return when(f.GetGrpcService().GetEnvoyGrpc() == nil, "there is no grpc_service with envoy_grpc")
	})},
	{"RP114", "status_on_error that reads as an answer", "With Rolepass down people are told that they lack a right (403), or get an empty success.", "Set status_on_error to 503.", onAuthz(func(f *extauthz.ExtAuthz) string {
		code := f.GetStatusOnError().GetCode()
		return when(code < 500, "status_on_error is %s", firstOf(strings.TrimPrefix(code.String(), "Empty"), "not set (403)"))
	})},
	{"RP115", "a route cache that is not cleared", "The path that Check signed goes to the application, whose log keeps the signature.", "Set clear_route_cache and no clear_route_cache_headers.", onAuthz(func(f *extauthz.ExtAuthz) string {
		return when(!f.GetClearRouteCache() || len(f.GetClearRouteCacheHeaders()) > 0, "clear_route_cache is %v, with headers %v", f.GetClearRouteCache(), f.GetClearRouteCacheHeaders())
	})},
	{"RP116", "mutations that are not validated", "A line break in a header of Check's would reach the upstream as two.", "Set validate_mutations.", onAuthz(func(f *extauthz.ExtAuthz) string {
		return when(!f.GetValidateMutations(), "validate_mutations is false")
	})},
	{"RP117", "Check may change other headers than the contract names, or may not change those", "A bug, or who speaks in Rolepass's place, could change the method, the host or the user; or every answer fails.", "Set decoder_header_mutation_rules as generated.", onAuthz(wrongMutations)},
	{"RP118", "a forbidden change that is ignored", "Check's answer is applied in part: a request goes on with half of what was decided.", "Set disallow_is_error.", onAuthz(func(f *extauthz.ExtAuthz) string {
		return when(!f.GetDecoderHeaderMutationRules().GetDisallowIsError().GetValue(), "disallow_is_error is not set")
	})},
	{"RP119", "Check's metadata is not taken in", "No request is ever routed to S3: the signed path goes to the application.", "Set enable_dynamic_metadata_ingestion.", onAuthz(func(f *extauthz.ExtAuthz) string {
		e := f.GetEnableDynamicMetadataIngestion()
		return when(e != nil && !e.GetValue(), "enable_dynamic_metadata_ingestion is false")
	})},
	{"RP120", "Check is shown other headers than it reads", "Without Cookie or Sec-Fetch-Site it cannot tell who asks or from where; with more, it is handed secrets that it never reads.", "Set allowed_headers as generated, and no disallowed_headers.", onAuthz(wrongHeaders)},
	{"RP121", "headers as joined text", "Two Cookie lines become one with a comma, and bytes beyond UTF-8 are replaced: Check judges another request than the application gets.", "Set encode_raw_headers.", onAuthz(func(f *extauthz.ExtAuthz) string {
		return when(!f.GetEncodeRawHeaders(), "encode_raw_headers is false")
	})},
	{"RP122", "a wait for Check that is shorter than a decision", "A login takes up to 12 s; Envoy answers 503 before it ends.", "Set grpc_service.timeout above 12 s.", onAuthz(func(f *extauthz.ExtAuthz) string {
		t := f.GetGrpcService().GetTimeout()
		return when(t.AsDuration() <= contract.LongestDecision, "the timeout is %s", durationOr(t.AsDuration(), "not set (200 ms)"))
	})},
	{"RP123", "a retry of Check that waits too long or cuts off too soon", "Without a back-off of its own a retry waits a second; and Envoy ends each try after max_interval.", "Set retry_back_off with a base_interval of 10 ms and max_interval equal to the timeout.", onAuthz(wrongRetry)},
	{"RP124", "pages of Rolepass are cut", "A page that says what is wrong ends in its middle.", "Leave max_denied_response_body_bytes at 0, or set at least 65536.", onAuthz(func(f *extauthz.ExtAuthz) string {
		n := f.GetMaxDeniedResponseBodyBytes()
		return when(n != 0 && n < contract.MaxPage, "max_denied_response_body_bytes is %d", n)
	})},
}

// never are headers that a CheckResponse may not touch.
var never = []string{":method", ":scheme", ":authority", "host", "x-forwarded-proto", "x-envoy-retry-on", "x-user", "cookie2"}

func wrongMutations(f *extauthz.ExtAuthz) string {
	rules := f.GetDecoderHeaderMutationRules()
	if !rules.GetDisallowAll().GetValue() {
		return "disallow_all is not set"
	}
	allowed, err := regexp.Compile("^(?:" + rules.GetAllowExpression().GetRegex() + ")$")
	if err != nil {
		return "allow_expression is no regular expression"
	}
	for _, name := range never {
		if allowed.MatchString(name) {
			return "Check may change " + name
		}
	}
	for _, name := range contract.MutableHeaders() {
		if !allowed.MatchString(name) {
			return "Check may not change " + name
		}
	}
	return ""
}

func wrongHeaders(f *extauthz.ExtAuthz) string {
	if f.GetAllowedHeaders() == nil {
		return "it is shown all headers"
	}
	var shown []string
	for _, p := range f.GetAllowedHeaders().GetPatterns() {
		if p.GetExact() == "" {
			return "it is shown headers by a pattern"
		}
		shown = append(shown, strings.ToLower(p.GetExact()))
	}
	for _, name := range contract.ForwardedHeaders() {
		if !slices.Contains(shown, name) {
			return "it is not shown " + name
		}
	}
	for _, name := range shown {
		if !slices.Contains(append(contract.ForwardedHeaders(), contract.CredentialHeaders()...), name) {
			return "it is shown " + name
		}
	}
	return when(f.GetDisallowedHeaders() != nil, "disallowed_headers is set")
}

func wrongRetry(f *extauthz.ExtAuthz) string {
	service := f.GetGrpcService()
	policy := service.GetRetryPolicy()
	if policy == nil {
		return ""
	}
	back := policy.GetRetryBackOff()
	if back == nil || back.GetBaseInterval().AsDuration() > 100*time.Millisecond {
		return "the back-off is " + durationOr(back.GetBaseInterval().AsDuration(), "not set (1 s)")
	}
	longest := back.GetMaxInterval().AsDuration()
	return when(longest < service.GetTimeout().AsDuration(), "a try ends after %s, the timeout is %s", durationOr(longest, "ten base intervals"), service.GetTimeout().AsDuration())
}

func durationOr(d time.Duration, otherwise string) string {
	if d == 0 {
		return otherwise
	}
	return d.String()
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
