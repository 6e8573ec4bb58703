package lint

import (
	"net/netip"
	"slices"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	upstreams "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
)

// clusterRules are about who is at the other end.
var clusterRules = []Rule{
	{"RP501", "S3 in plaintext beyond this machine", "Whoever is on the way reads the objects and uses the signed locations.", "Use TLS.", onCluster(func(v *view, c *cluster.Cluster) string {
		return when(v.markedClusters()[c.GetName()] && upstreamTLS(c) == nil && !onLoopback(c) && !v.fixedOnLoopback(c), "it has no TLS")
	})},
	{"RP502", "TLS to a server that proves no name", "Any server with any certificate of a trusted authority gets the signed locations, or the bearers.", "Set trusted_ca, and match_typed_subject_alt_names to the host, or auto_sni and auto_san_validation.", onCluster(func(v *view, c *cluster.Cluster) string {
		if v.isCheck(c) || upstreamTLS(c) == nil {
			return ""
		}
		return unproved(c)
	})},
	{"RP503", "Check beyond this machine without mutual TLS", "Who speaks in Rolepass's place says yes to everybody; who asks in Envoy's place gets signed locations.", "Ask by Unix socket or loopback, or set a certificate, trusted_ca and match_typed_subject_alt_names.", onCluster(func(v *view, c *cluster.Cluster) string {
		if !v.isCheck(c) || onLoopback(c) {
			return ""
		}
		context := upstreamTLS(c)
		if context == nil {
			return "it has no TLS"
		}
		common := context.GetCommonTlsContext()
		if len(common.GetTlsCertificates())+len(common.GetTlsCertificateSdsSecretConfigs()) == 0 {
			return "Envoy shows no certificate"
		}
		return unproved(c)
	})},
	{"RP504", "TLS before 1.2", "Old versions can be broken by who is on the way.", "Set tls_minimum_protocol_version to TLSv1_2.", oldTLS},
	{"RP505", "at most 1024 Checks at once", "The default circuit breaker answers 503 to the rest.", "Set circuit_breakers with max_requests and max_pending_requests of 16384.", onCluster(func(v *view, c *cluster.Cluster) string {
		if !v.isCheck(c) {
			return ""
		}
		enough := slices.ContainsFunc(c.GetCircuitBreakers().GetThresholds(), func(t *cluster.CircuitBreakers_Thresholds) bool {
			return t.GetPriority() == core.RoutingPriority_DEFAULT && t.GetMaxRequests().GetValue() > 1024 && t.GetMaxPendingRequests().GetValue() > 1024
		})
		return when(!enough, "circuit_breakers allow 1024 or fewer")
	})},
	{"RP506", "Check without HTTP/2", "gRPC needs it: every Check fails, and every request gets 503.", "Set explicit_http_config.http2_protocol_options.", onCluster(func(v *view, c *cluster.Cluster) string {
		//lint:ignore SA1019 Envoy still takes it
		old := c.GetHttp2ProtocolOptions() != nil
		return when(v.isCheck(c) && !old && http2Options(c) == nil, "it has no http2_protocol_options")
	})},
	{"RP507", "a connection to Rolepass that is never probed", "After its machine is gone, or a firewall forgot the connection, Checks wait for their timeout.", "Set connection_keepalive.", onCluster(func(v *view, c *cluster.Cluster) string {
		return when(v.isCheck(c) && http2Options(c) != nil && http2Options(c).GetConnectionKeepalive() == nil, "it has no connection_keepalive")
	})},
	{"RP508", "browsers in plaintext beyond this machine", "Whoever is on the way reads the session cookie.", "Give the listener a certificate; or set xff_num_trusted_hops where a proxy in front ends TLS.", onManager(func(m *manager) string {
		at := m.listener.GetAddress()
		plain := m.chain.GetTransportSocket() == nil && m.hcm.GetXffNumTrustedHops() == 0
		return when(plain && at.GetPipe() == nil && !loopback(at.GetSocketAddress().GetAddress()), "it listens on %s without TLS", at.GetSocketAddress().GetAddress())
	})},
}

func (v *view) isCheck(c *cluster.Cluster) bool {
	return slices.ContainsFunc(v.guarded(), func(m *manager) bool { return slices.Contains(checkClusters(m), c.GetName()) })
}

func upstreamTLS(c *cluster.Cluster) *tls.UpstreamTlsContext {
	return open[*tls.UpstreamTlsContext](c.GetTransportSocket().GetTypedConfig())
}

// unproved says what is missing for a server to prove its name.
func unproved(c *cluster.Cluster) string {
	context := upstreamTLS(c)
	common := context.GetCommonTlsContext()
	validation := common.GetValidationContext()
	if combined := common.GetCombinedValidationContext(); combined != nil {
		validation = combined.GetDefaultValidationContext()
	} else if validation.GetTrustedCa() == nil && validation.GetSystemRootCerts() == nil {
		return "it has no trusted_ca"
	}
	if validation.GetTrustChainVerification() != tls.CertificateValidationContext_VERIFY_TRUST_CHAIN || validation.GetAllowExpiredCertificate() {
		return "it accepts untrusted or expired certificates"
	}
	auto := protocolOptions(c).GetUpstreamHttpProtocolOptions()
	named := len(validation.GetMatchTypedSubjectAltNames()) > 0 || context.GetAutoSniSanValidation() || auto.GetAutoSni() && auto.GetAutoSanValidation()
	return when(!named, "it has no match_typed_subject_alt_names")
}

func oldTLS(v *view) (out []problem) {
	old := func(p *tls.TlsParameters) bool {
		return p.GetTlsMinimumProtocolVersion() == tls.TlsParameters_TLSv1_0 || p.GetTlsMinimumProtocolVersion() == tls.TlsParameters_TLSv1_1
	}
	out = onCluster(func(_ *view, c *cluster.Cluster) string {
		return when(old(upstreamTLS(c).GetCommonTlsContext().GetTlsParams()), "it allows TLS before 1.2")
	})(v)
	return append(out, onManager(func(m *manager) string {
		context := open[*tls.DownstreamTlsContext](m.chain.GetTransportSocket().GetTypedConfig())
		return when(old(context.GetCommonTlsContext().GetTlsParams()), "it allows TLS before 1.2")
	})(v)...)
}

func http2Options(c *cluster.Cluster) *core.Http2ProtocolOptions {
	return protocolOptions(c).GetExplicitHttpConfig().GetHttp2ProtocolOptions()
}

func protocolOptions(c *cluster.Cluster) *upstreams.HttpProtocolOptions {
	return open[*upstreams.HttpProtocolOptions](c.GetTypedExtensionProtocolOptions()["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"])
}

// addresses are the endpoints of a cluster: IP:PORT, NAME:PORT or a socket's
// path.
func addresses(c *cluster.Cluster) (out []*core.Address) {
	for _, group := range c.GetLoadAssignment().GetEndpoints() {
		for _, e := range group.GetLbEndpoints() {
			out = append(out, e.GetEndpoint().GetAddress())
		}
	}
	return out
}

// onLoopback says that all of a cluster is on this machine.
func onLoopback(c *cluster.Cluster) bool {
	all := addresses(c)
	for _, a := range all {
		if a.GetPipe() == nil && !loopback(a.GetSocketAddress().GetAddress()) {
			return false
		}
	}
	return len(all) > 0
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
