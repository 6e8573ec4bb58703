package lint

import (
	"slices"
	"strings"
	"time"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// routeRules are about what a route does beside leading somewhere.
var routeRules = []Rule{
	{"RP210", "a route that matches by pattern, by chance or without case", "What matches is hard to foresee, and header patterns have failed open before (CVE-2026-73552).", "Match by path, prefix or exact value.", onRoute(func(_ *view, r *route.Route) string {
		m := r.GetMatch()
		pattern := m.GetSafeRegex() != nil || m.GetPathMatchPolicy() != nil || m.GetRuntimeFraction() != nil || m.GetCaseSensitive() != nil && !m.GetCaseSensitive().GetValue()
		for _, h := range m.GetHeaders() {
			//lint:ignore SA1019 what is deprecated must not be used either
			pattern = pattern || h.GetStringMatch().GetSafeRegex() != nil || h.GetSafeRegexMatch() != nil
		}
		// The one pattern that is wanted is a refusal of what it does not match.
		return when(pattern && !refusesOddPaths(r), "it matches by pattern, by chance or without case")
	})},
	{"RP211", "upgrades or CONNECT", "After an upgrade bytes flow that nobody judges.", "Remove upgrade_configs and connect_matcher.", func(v *view) []problem {
		return append(onManager(func(m *manager) string {
			return when(len(m.hcm.GetUpgradeConfigs()) > 0, "the connection manager has upgrade_configs")
		})(v), onRoute(func(_ *view, r *route.Route) string {
			return when(len(r.GetRoute().GetUpgradeConfigs()) > 0 || r.GetMatch().GetConnectMatcher() != nil, "it allows upgrades or CONNECT")
		})(v)...)
	}},
	{"RP212", "redirects that Envoy follows", "Envoy sends the person's cookie and credential to wherever an upstream points.", "Remove internal_redirect_policy.", onRoute(func(_ *view, r *route.Route) string {
		//lint:ignore SA1019 what is deprecated must not be used either
		old := r.GetRoute().GetInternalRedirectAction() != route.RouteAction_PASS_THROUGH_INTERNAL_REDIRECT
		return when(r.GetRoute().GetInternalRedirectPolicy() != nil || old, "it has internal_redirect_policy")
	})},
	{"RP213", "copies of requests", "Whoever gets the copies gets cookies, bearers and signed locations.", "Remove request_mirror_policies.", func(v *view) []problem {
		return append(onHost(func(_ *view, _ *manager, h *route.VirtualHost) string {
			return when(len(h.GetRequestMirrorPolicies()) > 0, "it has request_mirror_policies")
		})(v), onRoute(func(_ *view, r *route.Route) string {
			return when(len(r.GetRoute().GetRequestMirrorPolicies()) > 0, "it has request_mirror_policies")
		})(v)...)
	}},
	{"RP214", "a header, a path or a plugin that chooses the upstream", "The client writes headers and paths: it chooses who gets the request.", "Name the cluster, and the host, in the route.", onRoute(func(_ *view, r *route.Route) string {
		a := r.GetRoute()
		return when(a.GetClusterHeader() != "" || a.GetHostRewriteHeader() != "" || a.GetHostRewritePathRegex() != nil || a.GetClusterSpecifierPlugin() != "" || a.GetInlineClusterSpecifierPlugin() != nil, "the upstream, or its host, is taken from the request")
	})},
	{"RP215", "requests to the application that are sent again after it saw them", "A POST is carried out twice.", "Retry on connect-failure and refused-stream only.", onRoute(func(v *view, r *route.Route) string {
		if r.GetRoute() == nil || v.toS3(r) {
			return ""
		}
		for cause := range strings.SplitSeq(r.GetRoute().GetRetryPolicy().GetRetryOn(), ",") {
			if !slices.Contains([]string{"", "connect-failure", "refused-stream", "reset-before-request"}, strings.TrimSpace(cause)) {
				return "it is retried on " + cause
			}
		}
		return ""
	})},
	{"RP216", "a limit on how long an answer may take", "Large downloads and uploads end in their middle; without timeout the limit is 15 s.", "Set timeout to 0s, and idle_timeout to end what stands still.", onRoute(func(_ *view, r *route.Route) string {
		a := r.GetRoute()
		if a == nil {
			return ""
		}
		if a.GetTimeout() == nil || a.GetTimeout().AsDuration() != 0 {
			return "the timeout is " + durationOr(a.GetTimeout().AsDuration(), "not set (15 s)")
		}
		return when(a.GetIdleTimeout() != nil && a.GetIdleTimeout().AsDuration() < time.Second, "idle_timeout is %s", a.GetIdleTimeout().AsDuration())
	})},
	{"RP217", "a path that is rewritten behind Check", "The upstream answers for another path than the one that was judged, or signed.", "Remove every rewrite of the path.", onRoute(func(_ *view, r *route.Route) string {
		a := r.GetRoute()
		return when(a.GetPrefixRewrite() != "" || a.GetRegexRewrite() != nil || a.GetPathRewritePolicy() != nil || a.GetPathRewrite() != "", "it rewrites the path")
	})},
}
