package lint

import (
	"slices"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extauthz "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"

	"github.com/rolepass/rolepass/envoy/contract"
)

// bodyRules are about the one body that Check sees, and the others.
var bodyRules = []Rule{
	{"RP130", "the body for Check as text", "Bytes beyond UTF-8 are replaced: the assertion is no longer what was posted. Envoy reads this setting from the filter only.", "Set with_request_body.pack_as_bytes on the filter.", onAuthz(func(f *extauthz.ExtAuthz) string {
		return when(!f.GetWithRequestBody().GetPackAsBytes(), "with_request_body.pack_as_bytes of the filter is not set")
	})},
	{"RP131", "a body for Check that may be cut", "Half an assertion is judged, and the rest is read by nobody.", "Remove allow_partial_message.", func(v *view) []problem {
		return append(onAuthz(func(f *extauthz.ExtAuthz) string {
			return when(f.GetWithRequestBody().GetAllowPartialMessage(), "allow_partial_message is true")
		})(v), onRoute(func(_ *view, r *route.Route) string {
			return when(acsBody(r).GetAllowPartialMessage(), "allow_partial_message is true")
		})(v)...)
	}},
	{"RP132", "an ACS that takes less than an assertion may have", "Large assertions get 413, and these people cannot sign in.", "Set with_request_body.max_request_bytes of the ACS as generated.", onRoute(func(_ *view, r *route.Route) string {
		b := acsBody(r)
		return when(b != nil && b.GetMaxRequestBytes() < contract.MaxACSBody, "max_request_bytes is %d", b.GetMaxRequestBytes())
	})},
	{"RP133", "uploads that are kept for Check", "Envoy holds each upload in memory and refuses those beyond the limit of the ACS.", "Set check_settings.disable_request_body_buffering on each virtual host, and on each route with settings of its own.", buffering},
	{"RP134", "no route that shows Check the body of the ACS", "Nobody can sign in: the assertion is not read.", "Add the route of the ACS as generated.", func(v *view) (out []problem) {
		for _, m := range v.guarded() {
			if m.routes != nil && len(acsRoutes(m)) == 0 {
				out = append(out, problem{m.place(), "no route has with_request_body"})
			}
		}
		return out
	}},
	{"RP135", "an ACS that is asked about twice", "One assertion is posted twice: the second is a replay, and the login fails.", "Give the ACS route a grpc_service without retry_policy.", onRoute(func(_ *view, r *route.Route) string {
		if acsBody(r) == nil {
			return ""
		}
		service := perRoute(r.GetTypedPerFilterConfig()).GetCheckSettings().GetGrpcService()
		return when(service == nil || service.GetRetryPolicy() != nil || service.GetEnvoyGrpc().GetRetryPolicy() != nil, "it has the retries of other requests")
	})},
	{"RP136", "an ACS that leads on", "The assertion reaches the application, and whoever reads its log.", "Make its action a direct_response. Only the consumer of an application that keeps its own login leads on.", onManager(func(m *manager) string {
		all := acsRoutes(m)
		ends := slices.ContainsFunc(all, func(r *route.Route) bool { return r.GetDirectResponse() != nil })
		return when(len(all) > 0 && !ends, "each route that shows Check a body leads on")
	})},
	{"RP137", "a connection buffer below the body of the ACS", "Large assertions get 413.", "Set per_connection_buffer_limit_bytes above max_request_bytes.", onManager(func(m *manager) string {
		limit := m.listener.GetPerConnectionBufferLimitBytes()
		return when(limit != nil && limit.GetValue() <= contract.MaxACSBody, "per_connection_buffer_limit_bytes is %d", limit.GetValue())
	})},
}

// acsBody is the body that a route shows to Check; nil for all but the ACS.
func acsBody(r *route.Route) *extauthz.BufferSettings {
	return perRoute(r.GetTypedPerFilterConfig()).GetCheckSettings().GetWithRequestBody()
}

func acsRoutes(m *manager) (out []*route.Route) {
	for _, h := range m.routes.GetVirtualHosts() {
		for _, r := range h.GetRoutes() {
			if acsBody(r) != nil && r.GetMatch().GetPath() != contract.SLOPath {
				out = append(out, r)
			}
		}
	}
	return out
}

func buffering(v *view) []problem {
	hosts := onHost(func(_ *view, m *manager, h *route.VirtualHost) string {
		unbuffered := perRoute(h.GetTypedPerFilterConfig()).GetCheckSettings().GetDisableRequestBodyBuffering()
		return when(m.authz.GetWithRequestBody() != nil && !unbuffered, "it buffers what is uploaded")
	})
	routes := onRoute(func(_ *view, r *route.Route) string {
		own := perRoute(r.GetTypedPerFilterConfig()).GetCheckSettings()
		return when(own != nil && acsBody(r) == nil && !own.GetDisableRequestBodyBuffering(), "it buffers what is uploaded")
	})
	return append(hosts(v), routes(v)...)
}
