package envoy

import (
	"time"

	accesslog "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	filterstate "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/set_filter_state/v3"
	customresponse "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/custom_response/v3"
	headermutation "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	headertometadata "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	router "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	setfilterstate "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_filter_state/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	earlymutation "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rolepass/rolepass/envoy/contract"
)

const (
	// connectionBuffer bounds what Envoy holds per connection, in bytes; it
	// must exceed the ACS body that is buffered for Check.
	connectionBuffer = 1 << 20

	filterStateFilter    = "envoy.filters.http.set_filter_state"
	headerMutationFilter = "envoy.filters.http.header_mutation"
	routerFilter         = "envoy.filters.http.router"
)

// edge is the one listener.
func (b *builder) edge() *listener.Listener {
	chain := &listener.FilterChain{Filters: []*listener.Filter{{
		Name:       "envoy.filters.network.http_connection_manager",
		ConfigType: &listener.Filter_TypedConfig{TypedConfig: b.any(b.connectionManager())},
	}}}
	edge := &listener.Listener{
		Name:                          "edge",
		Address:                       socketAddress(b.Listen),
		FilterChains:                  []*listener.FilterChain{chain},
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(connectionBuffer),
	}
	if b.CertFile != "" {
		chain.TransportSocket = b.downstreamTLS()
		chain.TransportSocketConnectTimeout = durationpb.New(10 * time.Second)
	}
	return edge
}

func (b *builder) connectionManager() *hcm.HttpConnectionManager {
	return &hcm.HttpConnectionManager{
		StatPrefix:     "edge",
		RouteSpecifier: &hcm.HttpConnectionManager_RouteConfig{RouteConfig: b.routes()},
		HttpFilters:    b.filters(),

		UseRemoteAddress:              wrapperspb.Bool(true),
		XffNumTrustedHops:             b.TrustedHops,
		EarlyHeaderMutationExtensions: b.earlyRemovals(),
		SchemeHeaderTransformation: &core.SchemeHeaderTransformation{
			Transformation: &core.SchemeHeaderTransformation_SchemeToOverwrite{SchemeToOverwrite: b.PublicScheme}},

		NormalizePath:                wrapperspb.Bool(false),
		MergeSlashes:                 false,
		PathWithEscapedSlashesAction: hcm.HttpConnectionManager_REJECT_REQUEST,

		CommonHttpProtocolOptions: &core.HttpProtocolOptions{
			IdleTimeout:                  durationpb.New(time.Hour),
			HeadersWithUnderscoresAction: core.HttpProtocolOptions_DROP_HEADER,
			MaxHeadersCount:              wrapperspb.UInt32(100),
		},
		Http2ProtocolOptions: &core.Http2ProtocolOptions{
			MaxConcurrentStreams:        wrapperspb.UInt32(100),
			InitialStreamWindowSize:     wrapperspb.UInt32(256 << 10),
			InitialConnectionWindowSize: wrapperspb.UInt32(1 << 20),
		},
		MaxRequestHeadersKb:   wrapperspb.UInt32(96),
		StreamIdleTimeout:     durationpb.New(streamIdle),
		RequestTimeout:        durationpb.New(time.Hour),
		RequestHeadersTimeout: durationpb.New(10 * time.Second),
		DrainTimeout:          durationpb.New(5 * time.Second),

		ServerHeaderTransformation: hcm.HttpConnectionManager_PASS_THROUGH,
		LocalReplyConfig:           localReplies(),
		AccessLog:                  []*accesslog.AccessLog{b.accessLog()},
	}
}

// filters are few. Before ext_authz, where nobody has judged the request yet,
// only its id is noted: the S3 route removes the header that the access log
// would read it from.
func (b *builder) filters() []*hcm.HttpFilter {
	before := []*hcm.HttpFilter{
		{Name: filterStateFilter, ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: b.any(noteRequestID())}},
		{Name: contract.FilterName, ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: b.any(b.authz())}},
		{Name: headerMutationFilter, ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: b.any(&headermutation.HeaderMutation{})}},
		{Name: customResponseFilter, ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: b.any(&customresponse.CustomResponse{})}},
		{Name: headerToMetadataFilter, ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: b.any(&headertometadata.Config{})}},
	}
	return append(append(before, b.dynamicFilters()...),
		&hcm.HttpFilter{Name: routerFilter, ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: b.any(&router.Router{SuppressEnvoyHeaders: true})}})
}

func noteRequestID() *setfilterstate.Config {
	return &setfilterstate.Config{OnRequestHeaders: []*filterstate.FilterStateValue{{
		Key:        &filterstate.FilterStateValue_ObjectKey{ObjectKey: requestIDState},
		FactoryKey: "envoy.string",
		Value: &filterstate.FilterStateValue_FormatString{FormatString: &core.SubstitutionFormatString{
			Format: &core.SubstitutionFormatString_TextFormatSource{TextFormatSource: &core.DataSource{
				Specifier: &core.DataSource_InlineString{InlineString: "%REQ(" + contract.RequestID + ")%"}}}}},
	}}}
}

// earlyRemovals run before any routing, tracing or filter.
func (b *builder) earlyRemovals() []*core.TypedExtensionConfig {
	return []*core.TypedExtensionConfig{{
		Name: "envoy.http.early_header_mutation.header_mutation",
		TypedConfig: b.any(&earlymutation.HeaderMutation{
			Mutations: removals(spoofable(b.Settings))}),
	}}
}

func (b *builder) downstreamTLS() *core.TransportSocket {
	return b.transportSocket(&tls.DownstreamTlsContext{CommonTlsContext: &tls.CommonTlsContext{
		TlsParams: &tls.TlsParameters{TlsMinimumProtocolVersion: tls.TlsParameters_TLSv1_2},
		TlsCertificates: []*tls.TlsCertificate{
			{CertificateChain: file(b.CertFile), PrivateKey: file(b.KeyFile)}},
		AlpnProtocols: []string{"h2", "http/1.1"},
	}})
}

// upstreamTrouble are the response flags of replies that Envoy writes itself
// because something behind it failed. Its own texts name addresses and
// certificates. Refusals of ours carry UAEX and stay as they are.
var upstreamTrouble = []string{"LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "URX", "SI", "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF", "DO", "DR"}

func localReplies() *hcm.LocalReplyConfig {
	return &hcm.LocalReplyConfig{Mappers: []*hcm.ResponseMapper{{
		Filter: &accesslog.AccessLogFilter{FilterSpecifier: &accesslog.AccessLogFilter_ResponseFlagFilter{
			ResponseFlagFilter: &accesslog.ResponseFlagFilter{Flags: upstreamTrouble}}},
		Body: &core.DataSource{Specifier: &core.DataSource_InlineString{
			InlineString: "This request could not be served. Try again; if it happens again, tell the operator the time.\n"}},
	}}}
}
