package lint

import (
	"regexp"
	"slices"
	"strings"

	mutation "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extauthz "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	earlymutation "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/rolepass/rolepass/envoy/contract"
)

// requestRules are about what a client may say, and how it is read.
var requestRules = []Rule{
	{"RP401", "paths that Envoy folds", "Check judges another path than the client wrote, and than others in front recorded.", "Set normalize_path to false, and no merge_slashes.", onManager(func(m *manager) string {
		n := m.hcm.GetNormalizePath()
		return when(n == nil || n.GetValue() || m.hcm.GetMergeSlashes() || m.hcm.GetPathNormalizationOptions() != nil, "normalize_path is %v, merge_slashes is %v", n.GetValue() || n == nil, m.hcm.GetMergeSlashes())
	})},
	{"RP402", "escaped slashes in paths", "/tasks%2F7 is one segment to some parsers and two to others: what was judged is not what is served.", "Set path_with_escaped_slashes_action to REJECT_REQUEST.", onManager(func(m *manager) string {
		a := m.hcm.GetPathWithEscapedSlashesAction()
		return when(a != hcm.HttpConnectionManager_REJECT_REQUEST, "path_with_escaped_slashes_action is %s", a)
	})},
	{"RP403", "underscores in header names", "WSGI folds _ and - into one: X_Api_Key arrives as X-Api-Key.", "Set headers_with_underscores_action to DROP_HEADER or REJECT_REQUEST.", onManager(func(m *manager) string {
		a := m.hcm.GetCommonHttpProtocolOptions().GetHeadersWithUnderscoresAction()
		return when(a == core.HttpProtocolOptions_ALLOW, "headers_with_underscores_action is ALLOW")
	})},
	{"RP404", "the client's address from what it claims", "The audit names an address that the client chose.", "Set use_remote_address; behind a proxy also xff_num_trusted_hops.", onManager(func(m *manager) string {
		return when(!m.hcm.GetUseRemoteAddress().GetValue() || len(m.hcm.GetOriginalIpDetectionExtensions()) > 0, "use_remote_address is not set")
	})},
	{"RP405", "credentials of the browser that Check is not shown", "A token of the application's own works beside Rolepass, in another person's name.", "Remove authorization and x-api-key by early_header_mutation_extensions; where API clients may pass, show both to Check.", onManager(func(m *manager) string {
		var unseen []string
		for _, name := range contract.CredentialHeaders() {
			if !m.removesEarly(name) && !shown(m.authz, name) {
				unseen = append(unseen, name)
			}
		}
		return lacks("it lets through", unseen)
	})},
	{"RP406", "a way that the client describes", "The application believes X-Forwarded-Host, Envoy obeys X-Envoy-*: retries, timeouts, another path.", "Remove x-envoy- and x-forwarded- by early_header_mutation_extensions.", func(v *view) []problem {
		return append(notRemoved("x-envoy-original-path", "x-envoy-retry-on", "x-envoy-any", "x-forwarded-host", "x-forwarded-user", "x-forwarded-uri")(v), onManager(func(m *manager) string {
			return when(m.hcm.GetXffNumTrustedHops() == 0 && !m.removesEarly("x-forwarded-for"), "it lets x-forwarded-for through, and no proxy in front is trusted")
		})(v)...)
	}},
	{"RP407", "other paths, methods and parts of a signature from the client", "Frameworks obey X-Original-Url and X-HTTP-Method-Override; S3 obeys X-Amz-*.", "Remove them by early_header_mutation_extensions as generated.", notRemoved("x-amz-security-token", "x-amz-any", "x-original-url", "x-rewrite-url", "x-http-method-override", "forwarded")},
	{"RP408", "a host that is changed before it is judged", "label.example.com:6443 becomes label.example.com: pages answer under an address that is not theirs.", "Remove strip_matching_host_port, strip_any_host_port and strip_trailing_host_dot.", onManager(func(m *manager) string {
		return when(m.hcm.GetStripMatchingHostPort() || m.hcm.GetStripAnyHostPort() || m.hcm.GetStripTrailingHostDot(), "a part of the host is stripped")
	})},
	{"RP409", "a scheme that the connection decides", "Behind a proxy that ends TLS the application and Check take https for http: cookies lose Secure, redirects lead to http.", "Set scheme_header_transformation to the public scheme.", onManager(func(m *manager) string {
		return when(m.hcm.GetSchemeHeaderTransformation().GetSchemeToOverwrite() == "", "scheme_header_transformation is not set")
	})},
	{"RP410", "headers too small for a signed path", "A session token has up to 4 KiB and a key up to 3 KiB when escaped; with cookies beside them, fetches get 500.", "Set max_request_headers_kb to 96.", onManager(func(m *manager) string {
		kb := m.hcm.GetMaxRequestHeadersKb()
		return when(kb != nil && kb.GetValue() < 32, "max_request_headers_kb is %d", kb.GetValue())
	})},
	{"RP411", "HTTP/1.0", "A request without a host gets a default one, and is judged under it.", "Remove accept_http_10.", onManager(func(m *manager) string {
		return when(m.hcm.GetHttpProtocolOptions().GetAcceptHttp_10(), "accept_http_10 is true")
	})},
	{"RP412", "a length beside chunks", "Two parsers see two requests where Check saw one: smuggling.", "Remove allow_chunked_length.", onManager(func(m *manager) string {
		return when(m.hcm.GetHttpProtocolOptions().GetAllowChunkedLength(), "allow_chunked_length is true")
	})},
	{"RP413", "HTTP/3", "Translating it to HTTP/1.1 has been used for smuggling (CVE-2026-48743); nothing here was proved with it.", "Offer HTTP/1.1 and HTTP/2.", onManager(func(m *manager) string {
		return when(m.hcm.GetCodecType() == hcm.HttpConnectionManager_HTTP3 || m.hcm.GetHttp3ProtocolOptions() != nil || m.listener.GetUdpListenerConfig() != nil, "it speaks HTTP/3")
	})},
	{"RP414", "request ids that the client chooses", "Records of two requests become one, at the client's will.", "Remove preserve_external_request_id, and x-request-id by early_header_mutation_extensions.", onManager(func(m *manager) string {
		return when(m.hcm.GetPreserveExternalRequestId() || !m.removesEarly("x-request-id"), "a client's x-request-id is kept")
	})},
	{"RP415", "no end to a request that stands still", "A few clients that send one byte a minute hold all connections.", "Set request_headers_timeout, and leave stream_idle_timeout on.", onManager(func(m *manager) string {
		idle := m.hcm.GetStreamIdleTimeout()
		return when(m.hcm.GetRequestHeadersTimeout().AsDuration() == 0 || idle != nil && idle.AsDuration() == 0, "request_headers_timeout is %s", durationOr(m.hcm.GetRequestHeadersTimeout().AsDuration(), "not set"))
	})},
	{"RP416", "paths with bytes that Check is not shown", "Over HTTP/2 a path may hold any byte, and Check is shown another character in its place: it judges a path that nobody serves.", "Add the route odd-path as generated, before all others; or speak HTTP/1.1 only.", onHost(oddPaths)},
}

// oddPaths wants a refusal of them before the first route that leads somewhere.
func oddPaths(_ *view, m *manager, h *route.VirtualHost) string {
	if m.hcm.GetCodecType() == hcm.HttpConnectionManager_HTTP1 {
		return ""
	}
	for _, r := range h.GetRoutes() {
		if refusesOddPaths(r) {
			return ""
		}
		if r.GetRoute() != nil {
			return "route " + r.GetName() + " takes any byte"
		}
	}
	return ""
}

// refusesOddPaths says that a route refuses each path that is not visible ASCII.
func refusesOddPaths(r *route.Route) bool {
	match := r.GetMatch()
	if r.GetDirectResponse().GetStatus() < 400 || match.GetPrefix() != "/" || len(match.GetHeaders()) != 1 || len(match.GetQueryParameters())+len(match.GetDynamicMetadata()) != 0 {
		return false
	}
	h := match.GetHeaders()[0]
	return h.GetName() == ":path" && h.GetInvertMatch() && h.GetStringMatch().GetSafeRegex().GetRegex() == contract.VisiblePath
}

// notRemoved is a check for names that early mutation must remove.
func notRemoved(names ...string) func(*view) []problem {
	return onManager(func(m *manager) string {
		var kept []string
		for _, name := range names {
			if !m.removesEarly(name) {
				kept = append(kept, name)
			}
		}
		return lacks("it lets through", kept)
	})
}

// shown says whether Check is shown a header.
func shown(f *extauthz.ExtAuthz, name string) bool {
	return slices.ContainsFunc(f.GetAllowedHeaders().GetPatterns(), func(m *matcher.StringMatcher) bool { return matches(m, name) })
}

// removesEarly says whether a header is removed before routing.
func (m *manager) removesEarly(name string) bool {
	for _, e := range m.hcm.GetEarlyHeaderMutationExtensions() {
		if removes(open[*earlymutation.HeaderMutation](e.GetTypedConfig()).GetMutations(), name) {
			return true
		}
	}
	return false
}

// removes says whether one of these mutations removes a header.
func removes(mutations []*mutation.HeaderMutation, name string) bool {
	for _, m := range mutations {
		if strings.EqualFold(m.GetRemove(), name) || m.GetRemoveOnMatch() != nil && matches(m.GetRemoveOnMatch().GetKeyMatcher(), name) {
			return true
		}
	}
	return false
}

// matches is a string matcher. A regular expression is RE2's, as in Envoy, and
// has to match all of it.
func matches(m *matcher.StringMatcher, s string) bool {
	fold := func(t string) string { return t }
	if m.GetIgnoreCase() {
		fold = strings.ToLower
	}
	switch p := m.GetMatchPattern().(type) {
	case *matcher.StringMatcher_Exact:
		return fold(s) == fold(p.Exact)
	case *matcher.StringMatcher_Prefix:
		return strings.HasPrefix(fold(s), fold(p.Prefix))
	case *matcher.StringMatcher_Suffix:
		return strings.HasSuffix(fold(s), fold(p.Suffix))
	case *matcher.StringMatcher_Contains:
		return strings.Contains(fold(s), fold(p.Contains))
	case *matcher.StringMatcher_SafeRegex:
		expression, err := regexp.Compile("^(?:" + p.SafeRegex.GetRegex() + ")$")
		return err == nil && expression.MatchString(s)
	}
	return false
}
