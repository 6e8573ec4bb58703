package envoy

import (
	"regexp"
	"slices"
	"strings"
	"time"

	mutationrules "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extauthz "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rolepass/rolepass/envoy/contract"
)

// authz is the ext_authz filter. Fields that stay at zero on purpose:
// failure_mode_allow, shadow_mode, filter_enabled (each of them would let
// requests by), disallowed_headers, every metadata_context_namespaces.
func (b *builder) authz() *extauthz.ExtAuthz {
	return &extauthz.ExtAuthz{
		Services:                       &extauthz.ExtAuthz_GrpcService{GrpcService: b.checkService(true)},
		TransportApiVersion:            core.ApiVersion_V3,
		WithRequestBody:                acsBody(),
		ClearRouteCache:                true,
		StatusOnError:                  &typev3.HttpStatus{Code: typev3.StatusCode_ServiceUnavailable},
		StatPrefix:                     "rolepass",
		AllowedHeaders:                 exactly(b.forwarded()),
		EncodeRawHeaders:               true,
		ValidateMutations:              true,
		DecoderHeaderMutationRules:     mutable(b.mutableHeaders()),
		EnableDynamicMetadataIngestion: wrapperspb.Bool(true),
		MaxDeniedResponseBodyBytes:     contract.MaxPage,
		EmitFilterStateStats:           true,
		ChargeClusterResponseStats:     wrapperspb.Bool(false),
	}
}

// forwarded are the headers that Check is shown: those by which API clients say
// who they are only where they are not removed anyway.
func (b *builder) forwarded() []string {
	if b.KeepCredentials {
		return append(contract.ForwardedHeaders(), contract.CredentialHeaders()...)
	}
	return contract.ForwardedHeaders()
}

// checkTimeout is how long Envoy waits for Check: longer than any decision may take
// (contract.LongestDecision), so that Rolepass's answer wins.
const checkTimeout = 15 * time.Second

// checkService is how Envoy calls Check. A retry sends the same CheckRequest
// again, which for the ACS would post one assertion twice; elsewhere a Check
// changes nothing and may be asked again while Rolepass restarts.
//
// Envoy turns this policy's longest back-off into the timeout of one try
// (Http::Utility::convertCoreToRouteRetryPolicy), so it is checkTimeout here:
// anything shorter would cut off every decision that has to ask somebody.
func (b *builder) checkService(retry bool) *core.GrpcService {
	service := &core.GrpcService{
		TargetSpecifier: &core.GrpcService_EnvoyGrpc_{EnvoyGrpc: &core.GrpcService_EnvoyGrpc{
			ClusterName: checkCluster, Authority: "rolepass", SkipEnvoyHeaders: true,
		}},
		Timeout: durationpb.New(checkTimeout),
	}
	if b.TrustedHops > 0 {
		service.InitialMetadata = []*core.HeaderValue{{Key: contract.ClientAddress, Value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}}
	}
	if retry {
		service.RetryPolicy = &core.RetryPolicy{
			RetryOn:    "connect-failure,refused-stream,unavailable",
			NumRetries: wrapperspb.UInt32(2),
			RetryBackOff: &core.BackoffStrategy{
				BaseInterval: durationpb.New(10 * time.Millisecond), MaxInterval: durationpb.New(checkTimeout),
			},
		}
	}
	return service
}

// acsBody is how much of the ACS POST goes to Check. Envoy reads
// pack_as_bytes from the filter only, never from a route, so the filter states
// it for all and the virtual hosts take it back (see noBody).
func acsBody() *extauthz.BufferSettings {
	return &extauthz.BufferSettings{MaxRequestBytes: contract.MaxACSBody, PackAsBytes: true}
}

// noBody is the setting of every virtual host: Check sees no body, and
// uploads to the application stream through unbuffered.
func (b *builder) noBody() map[string]*anypb.Any {
	return b.perRoute(&extauthz.CheckSettings{DisableRequestBodyBuffering: true})
}

// withBody is the setting of the ACS route: the body goes to Check, whole or
// not at all, and exactly once.
func (b *builder) withBody() map[string]*anypb.Any {
	return b.perRoute(&extauthz.CheckSettings{
		WithRequestBody: acsBody(),
		ServiceOverride: &extauthz.CheckSettings_GrpcService{GrpcService: b.checkService(false)},
	})
}

func (b *builder) perRoute(settings *extauthz.CheckSettings) map[string]*anypb.Any {
	return map[string]*anypb.Any{contract.FilterName: b.any(&extauthz.ExtAuthzPerRoute{
		Override: &extauthz.ExtAuthzPerRoute_CheckSettings{CheckSettings: settings}})}
}

// exactly matches these names and no others.
func exactly(names []string) *matcher.ListStringMatcher {
	list := &matcher.ListStringMatcher{}
	for _, name := range names {
		list.Patterns = append(list.Patterns, &matcher.StringMatcher{
			MatchPattern: &matcher.StringMatcher_Exact{Exact: name}, IgnoreCase: true})
	}
	return list
}

// mutableHeaders are what Check may change in this deployment.
func (b *builder) mutableHeaders() []string {
	names := contract.MutableHeaders()
	if b.S3SignedHeaders {
		names = append(names, contract.SignedHeaders()...)
	}
	if b.LocationHeader != "" {
		names = append(names, b.LocationHeader)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// mutable lets a CheckResponse change these headers; anything else is a 500.
func mutable(names []string) *mutationrules.HeaderMutationRules {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	return &mutationrules.HeaderMutationRules{
		DisallowAll:     wrapperspb.Bool(true),
		AllowExpression: &matcher.RegexMatcher{Regex: "(" + strings.Join(quoted, "|") + ")"},
		DisallowIsError: wrapperspb.Bool(true),
	}
}
