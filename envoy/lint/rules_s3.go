package lint

import (
	"regexp"
	"slices"
	"strings"

	mutation "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	customresponse "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/custom_response/v3"
	headermutation "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"

	"github.com/rolepass/rolepass/envoy/contract"
)

// s3Rules are about the way to S3 and back.
var s3Rules = []Rule{
	{"RP301", "a route to S3 that Check did not choose", "The client's path and host choose it: S3 is reached without a decision.", "Match on Check's metadata as generated.", onS3(func(r *route.Route) string {
		return when(marker(r) == "", "it does not ask for Check's metadata %s", contract.RouteKey)
	})},
	{"RP302", "a route to an upstream before the routes to S3", "A signed path that it matches goes to that upstream, whose log keeps the signature.", "Put the routes to S3 first.", onHost(func(_ *view, _ *manager, h *route.VirtualHost) string {
		early := slices.ContainsFunc(h.GetRoutes()[:afterS3(h)], func(r *route.Route) bool { return r.GetRoute() != nil && marker(r) == "" })
		return when(early, "a route to S3 stands behind another")
	})},
	{"RP303", "no end for a fetch whose S3 route is not here", "After a bucket was added, its signed paths go to the application.", "Add the route lost-fetch as generated.", deadEnd(func(r *route.Route) bool { return marker(r) == "*" && len(r.GetMatch().GetHeaders()) == 0 })},
	{"RP304", "no end for a signed location without metadata", "A signed path goes to the application, whose log keeps the signature.", "Add the route lost-query as generated.", deadEnd(func(r *route.Route) bool {
		return slices.ContainsFunc(r.GetMatch().GetQueryParameters(), func(q *route.QueryParameterMatcher) bool {
			return q.GetName() == "X-Amz-Signature" && q.GetPresentMatch()
		})
	})},
	{"RP305", "no end for a signature in Authorization without metadata", "A signature in a header goes to the application.", "Add the route lost-header as generated.", deadEnd(func(r *route.Route) bool {
		return slices.ContainsFunc(r.GetMatch().GetHeaders(), func(h *route.HeaderMatcher) bool {
			return strings.EqualFold(h.GetName(), contract.Authorization) && h.GetStringMatch().GetPrefix() == "AWS4-"
		})
	})},
	{"RP306", "methods other than GET and HEAD to S3", "A mistake in a decision becomes a write.", "Add the route odd-method as generated, before the routes to S3.", onHost(oddMethods)},
	{"RP307", "a host for S3 that the route does not fix", "Where the signed host is not the one that is sent, S3 refuses; where the request chooses it, it gets the signed location.", "Set host_rewrite_literal to the host in the route's metadata value.", onS3(func(r *route.Route) string {
		host, chosen := r.GetRoute().GetHostRewriteLiteral(), marker(r)
		return when(chosen != "" && chosen != contract.S3Route(host), "it is chosen by %s and sends the host %q", chosen, host)
	})},
	{"RP308", "cookies, credentials and addresses of the application sent to S3", "Their owner's logs get sessions and tokens; AWS refuses an Authorization beside a signed query.", "Remove them on the route, as generated.", onRoute(func(v *view, r *route.Route) string {
		if !v.toS3(r) {
			return ""
		}
		names := []string{"cookie", "referer", "origin"}
		if !v.signsByHeader() {
			names = append(names, contract.Authorization)
		}
		return lacks("it sends", kept(r, names...))
	})},
	{"RP309", "headers of the browser sent to S3", "X- and Sec- headers are nothing to S3: addresses, request ids, what extensions add.", "Remove x- and sec- by header_mutation on the route.", onS3(func(r *route.Route) string {
		return lacks("it sends headers that begin with", kept(r, "x-", "sec-"))
	})},
	{"RP310", "an object that speaks for the application's origin", "Whoever may write an object sets cookies, policies or redirects for everybody.", "Remove these response headers on the route, as generated.", onS3(func(r *route.Route) string {
		return lacks("it hands on", keptBack(r, "set-cookie", "location", "refresh", "clear-site-data", "service-worker-allowed", "content-security-policy", "strict-transport-security"))
	})},
	{"RP311", "S3's own headers in the answer", "x-amz-meta-* is user data; CORS headers of a bucket open the application's origin.", "Remove x-, access-control- and cross-origin- by header_mutation on the route.", onS3(func(r *route.Route) string {
		return lacks("it hands on headers that begin with", keptBack(r, "x-", "access-control-", "cross-origin-"))
	})},
	{"RP312", "S3's error documents in the answer", "They repeat the access key, the string that was signed and the session token.", "Set custom_response on the route, as generated.", onS3(func(r *route.Route) string {
		c := open[*customresponse.CustomResponse](r.GetTypedPerFilterConfig()["envoy.filters.http.custom_response"])
		return when(len(c.GetCustomResponseMatcher().GetMatcherList().GetMatchers()) == 0, "what S3 says instead of an object is handed on")
	})},
	{"RP313", "a dynamic forward proxy without a list of hosts", "Envoy connects to any host that a request names: signed locations go to somebody else, and whoever asks reaches into the network.", "Have one route per host, chosen by Check's metadata, with host_rewrite_literal of dynamic_forward_proxy, as generated.", onRoute(openHost)},
}

// signsByHeader says that Check may set the headers of a signature: then an
// Authorization to S3 is the signature.
func (v *view) signsByHeader() bool {
	return slices.ContainsFunc(v.guarded(), func(m *manager) bool {
		allowed, err := regexp.Compile("^(?:" + m.authz.GetDecoderHeaderMutationRules().GetAllowExpression().GetRegex() + ")$")
		return err == nil && allowed.MatchString("x-amz-security-token")
	})
}

// deadEnd is a check that an ending route stands between the routes to S3 and
// each one that leads elsewhere. Those before S3's are the business of RP302.
func deadEnd(ends func(*route.Route) bool) func(*view) []problem {
	return onHost(func(v *view, _ *manager, h *route.VirtualHost) string {
		ended := false
		for _, r := range h.GetRoutes()[afterS3(h):] {
			ended = ended || r.GetDirectResponse().GetStatus() >= 400 && r.GetMatch().GetPrefix() == "/" && ends(r)
			if r.GetRoute() != nil && !v.toS3(r) && !ended {
				return "route " + r.GetName() + " gets it"
			}
		}
		return ""
	})
}

// afterS3 is the place behind the last route that Check's metadata chooses.
func afterS3(h *route.VirtualHost) int {
	after := 0
	for i, r := range h.GetRoutes() {
		if r.GetRoute() != nil && marker(r) != "" {
			after = i + 1
		}
	}
	return after
}

// oddMethods wants a refusal of other methods before the first route to S3.
func oddMethods(_ *view, _ *manager, h *route.VirtualHost) string {
	for _, r := range h.GetRoutes() {
		if r.GetDirectResponse().GetStatus() >= 400 && marker(r) == "*" {
			var but []string
			for _, m := range r.GetMatch().GetHeaders() {
				if m.GetName() == ":method" && m.GetInvertMatch() {
					but = append(but, m.GetStringMatch().GetExact())
				}
			}
			slices.Sort(but)
			if slices.Equal(but, []string{"GET", "HEAD"}) && len(r.GetMatch().GetHeaders()) == 2 {
				return ""
			}
		}
		if r.GetRoute() != nil && marker(r) != "" {
			return "route " + r.GetName() + " takes any method"
		}
	}
	return ""
}

// kept are those request headers that a route does not remove. A name that
// ends in "-" stands for all that begin with it.
func kept(r *route.Route, names ...string) []string {
	return left(r.GetRequestHeadersToRemove(), headerMutations(r).GetRequestMutations(), names)
}

// keptBack are those response headers that it does not remove.
func keptBack(r *route.Route, names ...string) []string {
	return left(r.GetResponseHeadersToRemove(), headerMutations(r).GetResponseMutations(), names)
}

func headerMutations(r *route.Route) *headermutation.Mutations {
	return open[*headermutation.HeaderMutationPerRoute](r.GetTypedPerFilterConfig()["envoy.filters.http.header_mutation"]).GetMutations()
}

func left(removed []string, mutations []*mutation.HeaderMutation, names []string) (out []string) {
	for _, name := range names {
		example := name
		if strings.HasSuffix(name, "-") {
			example += "any"
		}
		gone := slices.ContainsFunc(removed, func(r string) bool { return strings.EqualFold(r, example) })
		if !gone && !removes(mutations, example) {
			out = append(out, name)
		}
	}
	return out
}
