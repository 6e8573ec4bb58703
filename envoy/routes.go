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
	routeLostFetch  = "lost-fetch"  // Check chose an S3 route that does not exist
	routeLostQuery  = "lost-query"  // a signed location without a chosen route
	routeLostHeader = "lost-header" // a signature in Authorization without a chosen route
	routeACS        = "acs"
	routeApp        = "app"
	routeElsewhere  = "elsewhere" // a host that is not ours
)

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
	var routes []*route.Route
	for _, e := range b.S3 {
		routes = append(routes, b.s3Route(e, "GET"), b.s3Route(e, "HEAD"))
	}
	return append(routes, b.deadEnds()...)
}

// deadEnds follow the S3 routes: they make sure that what was meant for S3
// never reaches the application, whose logs would keep the signature.
func (b *builder) deadEnds() []*route.Route {
	lostFetch := anyPath()
	lostFetch.DynamicMetadata = []*matcher.MetadataMatcher{chosenRoute(&matcher.ValueMatcher{
		MatchPattern: &matcher.ValueMatcher_PresentMatch{PresentMatch: true}})}

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

	acs := &route.RouteMatch{PathSpecifier: &route.RouteMatch_Path{Path: b.ACSPath}}
	acsRoute := refusing(routeACS, acs, 421)
	acsRoute.TypedPerFilterConfig = b.withBody()

	return []*route.Route{
		refusing(routeLostFetch, lostFetch, 500),
		refusing(routeLostQuery, lostQuery, 421),
		refusing(routeLostHeader, lostHeader, 421),
		acsRoute,
		b.appRoute(),
	}
}

// s3Route streams one object. Only Check can choose it, by dynamic metadata:
// a client cannot write that. The path is the one that Check signed.
func (b *builder) s3Route(e S3Endpoint, method string) *route.Route {
	match := anyPath()
	match.Headers = []*route.HeaderMatcher{{
		Name:                 ":method",
		HeaderMatchSpecifier: &route.HeaderMatcher_StringMatch{StringMatch: exact(method)},
	}}
	match.DynamicMetadata = []*matcher.MetadataMatcher{chosenRoute(&matcher.ValueMatcher{
		MatchPattern: &matcher.ValueMatcher_StringMatch{StringMatch: exact(contract.S3Route(e.Host))}})}
	return &route.Route{
		Name:  s3Name(e.Host) + "-" + strings.ToLower(method),
		Match: match,
		Action: &route.Route_Route{Route: &route.RouteAction{
			ClusterSpecifier:     &route.RouteAction_Cluster{Cluster: s3Name(e.Host)},
			HostRewriteSpecifier: &route.RouteAction_HostRewriteLiteral{HostRewriteLiteral: e.Host},
			Timeout:              durationpb.New(0),
			IdleTimeout:          durationpb.New(5 * time.Minute),
			RetryPolicy:          retryUnsent(),
		}},
		RequestHeadersToRemove:  strippedToS3,
		ResponseHeadersToRemove: strippedFromS3,
		TypedPerFilterConfig: map[string]*anypb.Any{headerMutationFilter: b.any(&headermutation.HeaderMutationPerRoute{
			Mutations: &headermutation.Mutations{
				RequestMutations:  removals(strippedToS3Prefixes),
				ResponseMutations: removals(strippedFromS3Prefixes),
			}})},
	}
}

// appRoute is the last route of the public host: the application.
func (b *builder) appRoute() *route.Route {
	return &route.Route{
		Name:  routeApp,
		Match: anyPath(),
		Action: &route.Route_Route{Route: &route.RouteAction{
			ClusterSpecifier: &route.RouteAction_Cluster{Cluster: appCluster},
			Timeout:          durationpb.New(0),
			IdleTimeout:      durationpb.New(5 * time.Minute),
			RetryPolicy:      retryUnsent(),
		}},
		RequestHeadersToAdd: []*core.HeaderValueOption{{
			Header:       &core.HeaderValue{Key: "x-forwarded-proto", Value: b.PublicScheme},
			AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
		}},
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

func chosenRoute(value *matcher.ValueMatcher) *matcher.MetadataMatcher {
	return &matcher.MetadataMatcher{
		Filter: contract.FilterName,
		Path: []*matcher.MetadataMatcher_PathSegment{{
			Segment: &matcher.MetadataMatcher_PathSegment_Key{Key: contract.RouteKey}}},
		Value: value,
	}
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
