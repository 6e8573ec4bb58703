package envoy

import (
	"strings"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	headermutation "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rolepass/rolepass/envoy/contract"
)

// Route names appear in the access log.
const (
	routeOddPath    = "odd-path"    // bytes that Check was not shown as they are
	routeOddMethod  = "odd-method"  // Check chose S3 for a method other than GET and HEAD
	routeLostFetch  = "lost-fetch"  // Check chose an S3 route that does not exist
	routeLostQuery  = "lost-query"  // a signed location without a chosen route
	routeLostHeader = "lost-header" // a signature in Authorization without a chosen route
	routeACS        = "acs"
	routeSLO        = "slo"
	routeObserved   = "observed-acs"
	routeApp        = "app"
	routeElsewhere  = "elsewhere" // a host that is not ours
)

// streamIdle ends a request on which nothing has moved for this long.
const streamIdle = 5 * time.Minute

// Envoy picks a route twice: before ext_authz, which then runs whatever the
// route is, and again after it. The order below is the order of matching.
func (b *builder) routes() *route.RouteConfiguration {
	return &route.RouteConfiguration{
		Name: "edge",
		VirtualHosts: []*route.VirtualHost{
			{
				Name:                 "public",
				Domains:              publicDomains(b.PublicScheme, b.PublicHost),
				TypedPerFilterConfig: b.noBody(),
				Routes:               b.publicRoutes(),
			},
			{
				// Every request needs a route before ext_authz, or Envoy skips
				// the filter: hence a virtual host for all other hosts too.
				Name:                 routeElsewhere,
				Domains:              []string{"*"},
				TypedPerFilterConfig: b.noBody(),
				Routes:               []*route.Route{refusing(routeElsewhere, anyPath(), 421)},
			},
		},
		ValidateClusters:               wrapperspb.Bool(true),
		MaxDirectResponseBodySizeBytes: wrapperspb.UInt32(4096),
	}
}

func (b *builder) publicRoutes() []*route.Route {
	routes := []*route.Route{oddPath(), oddMethod()}
	for _, e := range b.S3 {
		routes = append(routes, b.s3Route(e))
	}
	routes = append(append(routes, deadEnds()...), b.bodyRoute(routeACS, b.ACSPath), b.bodyRoute(routeSLO, contract.SLOPath))
	for _, acs := range b.ObservedACS {
		routes = append(routes, b.observedRoute(acs))
	}
	return append(routes, b.appRoute())
}

// oddPath ends what is not visible ASCII. Over HTTP/2 Envoy takes any byte in a
// path and shows Check another character in its place (protobuf has UTF-8 only):
// Check would judge what nobody serves. The pattern says what is right, and so
// refuses what it cannot match: bytes that are no UTF-8 match nothing.
func oddPath() *route.Route {
	match := anyPath()
	match.Headers = []*route.HeaderMatcher{{
		Name:        ":path",
		InvertMatch: true,
		HeaderMatchSpecifier: &route.HeaderMatcher_StringMatch{StringMatch: &matcher.StringMatcher{
			MatchPattern: &matcher.StringMatcher_SafeRegex{SafeRegex: &matcher.RegexMatcher{Regex: contract.VisiblePath}}}},
	}}
	return refusing(routeOddPath, match, 400)
}

// oddMethod keeps all but GET and HEAD from S3, whatever Check says.
func oddMethod() *route.Route {
	match := fetch(present())
	for _, method := range []string{"GET", "HEAD"} {
		match.Headers = append(match.Headers, &route.HeaderMatcher{
			Name:                 ":method",
			InvertMatch:          true,
			HeaderMatchSpecifier: &route.HeaderMatcher_StringMatch{StringMatch: exact(method)},
		})
	}
	return refusing(routeOddMethod, match, 500)
}

// s3Route streams one object. Only Check can choose it, by dynamic metadata:
// a client cannot write that. The path is the one that Check signed.
func (b *builder) s3Route(e S3Endpoint) *route.Route {
	s3 := &route.Route{
		Name: s3Name(e.Host),
		Match: fetch(&matcher.ValueMatcher{MatchPattern: &matcher.ValueMatcher_StringMatch{
			StringMatch: exact(contract.S3Route(e.Host))}}),
		Action: &route.Route_Route{Route: &route.RouteAction{
			ClusterSpecifier:     &route.RouteAction_Cluster{Cluster: b.s3Cluster(e)},
			HostRewriteSpecifier: &route.RouteAction_HostRewriteLiteral{HostRewriteLiteral: e.Host},
			Timeout:              durationpb.New(0),
			IdleTimeout:          durationpb.New(streamIdle),
			RetryPolicy:          retryUnsent(),
		}},
		RequestHeadersToRemove:  b.strippedToS3(),
		ResponseHeadersToRemove: strippedFromS3,
		TypedPerFilterConfig: map[string]*anypb.Any{
			headerMutationFilter: b.any(&headermutation.HeaderMutationPerRoute{Mutations: &headermutation.Mutations{
				RequestMutations:  b.strippedToS3Prefixes(),
				ResponseMutations: removals(strippedFromS3Prefixes),
			}}),
			customResponseFilter:   b.any(b.replacing()),
			headerToMetadataFilter: b.any(b.noted()),
		},
	}
	b.fixHost(s3.TypedPerFilterConfig, e)
	return s3
}

// deadEnds follow the S3 routes: what was meant for S3 and found no route
// there must not reach the application, whose logs would keep the signature.
func deadEnds() []*route.Route {
	lostQuery := anyPath()
	lostQuery.QueryParameters = []*route.QueryParameterMatcher{{
		Name:                         "X-Amz-Signature",
		QueryParameterMatchSpecifier: &route.QueryParameterMatcher_PresentMatch{PresentMatch: true},
	}}
	lostHeader := anyPath()
	lostHeader.Headers = []*route.HeaderMatcher{{
		Name: contract.Authorization,
		HeaderMatchSpecifier: &route.HeaderMatcher_StringMatch{StringMatch: &matcher.StringMatcher{
			MatchPattern: &matcher.StringMatcher_Prefix{Prefix: "AWS4-"}, IgnoreCase: true}},
	}}
	return []*route.Route{
		refusing(routeLostFetch, fetch(present()), 500),
		refusing(routeLostQuery, lostQuery, 421),
		refusing(routeLostHeader, lostHeader, 421),
	}
}

// bodyRoute hands the body of the IdP's POST to Check, which always answers
// itself; the route leads nowhere.
func (b *builder) bodyRoute(name, path string) *route.Route {
	r := refusing(name, &route.RouteMatch{PathSpecifier: &route.RouteMatch_Path{Path: path}}, 421)
	r.TypedPerFilterConfig = b.withBody()
	return r
}

// observedRoute shows the body of the POST to the application's own consumer
// service to Check, and sends it on as it came, once: an assertion counts once.
func (b *builder) observedRoute(acs string) *route.Route {
	observed := b.appRoute()
	observed.Name = routeObserved
	observed.Match = &route.RouteMatch{PathSpecifier: &route.RouteMatch_Path{Path: acs}}
	observed.GetRoute().RetryPolicy = nil
	observed.TypedPerFilterConfig = b.withBody()
	return observed
}

// appRoute is the last route of the public host: the application.
func (b *builder) appRoute() *route.Route {
	return &route.Route{
		Name:  routeApp,
		Match: anyPath(),
		Action: &route.Route_Route{Route: &route.RouteAction{
			ClusterSpecifier: &route.RouteAction_Cluster{Cluster: appCluster},
			Timeout:          durationpb.New(0),
			IdleTimeout:      durationpb.New(streamIdle),
			RetryPolicy:      retryUnsent(),
		}},
		RequestHeadersToAdd: []*core.HeaderValueOption{{
			Header:       &core.HeaderValue{Key: "x-forwarded-proto", Value: b.PublicScheme},
			AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
		}},
		RequestHeadersToRemove:  []string{"x-envoy-external-address"},
		ResponseHeadersToRemove: []string{"server"},
	}
}

// retryUnsent tries once more when nothing of the request was processed.
func retryUnsent() *route.RetryPolicy {
	return &route.RetryPolicy{
		RetryOn:    "connect-failure,refused-stream",
		NumRetries: wrapperspb.UInt32(1),
		RetryBackOff: &route.RetryPolicy_RetryBackOff{
			BaseInterval: durationpb.New(25 * time.Millisecond), MaxInterval: durationpb.New(250 * time.Millisecond),
		},
	}
}

// refusing answers from Envoy itself. ext_authz has run by then.
func refusing(name string, match *route.RouteMatch, status uint32) *route.Route {
	return &route.Route{
		Name:  name,
		Match: match,
		Action: &route.Route_DirectResponse{DirectResponse: &route.DirectResponseAction{
			Status: status,
			Body: &core.DataSource{Specifier: &core.DataSource_InlineString{
				InlineString: "Nothing is served at this address.\n"}},
		}},
	}
}

func anyPath() *route.RouteMatch {
	return &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/"}}
}

// fetch matches requests for which Check chose an S3 route with this value.
func fetch(value *matcher.ValueMatcher) *route.RouteMatch {
	match := anyPath()
	match.DynamicMetadata = []*matcher.MetadataMatcher{{
		Filter: contract.FilterName,
		Path: []*matcher.MetadataMatcher_PathSegment{{
			Segment: &matcher.MetadataMatcher_PathSegment_Key{Key: contract.RouteKey}}},
		Value: value,
	}}
	return match
}

func present() *matcher.ValueMatcher {
	return &matcher.ValueMatcher{MatchPattern: &matcher.ValueMatcher_PresentMatch{PresentMatch: true}}
}

func exact(s string) *matcher.StringMatcher {
	return &matcher.StringMatcher{MatchPattern: &matcher.StringMatcher_Exact{Exact: s}}
}

// publicDomains are the Host values that are ours: with the scheme's own port
// a browser leaves it out, other clients may write it.
func publicDomains(scheme, host string) []string {
	suffix := map[string]string{"http": ":80", "https": ":443"}[scheme]
	bare, has := strings.CutSuffix(host, suffix)
	switch {
	case has:
		return []string{bare, host}
	case portOf(host) != "":
		return []string{host}
	}
	return []string{host, host + suffix}
}
