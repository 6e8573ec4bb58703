package envoy

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	commondns "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/common/dns/v3"
	dnscluster "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/dns/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	upstreams "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	checkCluster = "rolepass_check"
	appCluster   = "app"

	httpProtocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
)

// s3Name is the name of the cluster, and of the routes, of one S3 host.
func s3Name(host string) string {
	return "s3-" + strings.NewReplacer(":", "-", "[", "", "]", "").Replace(host)
}

// rolepass is the cluster that Check calls go to. It has no health check: with
// one local process a failed connection says the same sooner, and a health
// check would add seconds of 503 after Rolepass is back.
func (b *builder) rolepass() *cluster.Cluster {
	at, _ := parseCheckAddress(b.CheckAddress)
	c := &cluster.Cluster{
		Name:           checkCluster,
		ConnectTimeout: durationpb.New(time.Second),
		CircuitBreakers: &cluster.CircuitBreakers{Thresholds: []*cluster.CircuitBreakers_Thresholds{{
			MaxConnections: wrapperspb.UInt32(64), MaxPendingRequests: wrapperspb.UInt32(16384),
			MaxRequests: wrapperspb.UInt32(16384), MaxRetries: wrapperspb.UInt32(64),
		}}},
		TypedExtensionProtocolOptions: b.protocol(&upstreams.HttpProtocolOptions{
			UpstreamProtocolOptions: &upstreams.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: &upstreams.HttpProtocolOptions_ExplicitHttpConfig{
				ProtocolConfig: &upstreams.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{Http2ProtocolOptions: &core.Http2ProtocolOptions{
					ConnectionKeepalive: &core.KeepaliveSettings{Interval: durationpb.New(30 * time.Second), Timeout: durationpb.New(5 * time.Second)},
				}}}}}),
	}
	if at.pipe != "" {
		static(c, &core.Address{Address: &core.Address_Pipe{Pipe: &core.Pipe{Path: at.pipe}}})
	} else {
		b.locate(c, at.hostPort, "", false)
	}
	if t := b.CheckTLS; t != nil {
		context := verifying(t.ServerName, t.CAFile)
		context.CommonTlsContext.TlsCertificates = []*tls.TlsCertificate{{CertificateChain: file(t.CertFile), PrivateKey: file(t.KeyFile)}}
		context.CommonTlsContext.AlpnProtocols = []string{"h2"}
		c.TransportSocket = b.transportSocket(context)
	}
	return c
}

// app is the application's cluster. Idle connections are closed after a
// second: Python servers close theirs after two or so, and a POST that meets
// the closing cannot be repeated.
func (b *builder) app() *cluster.Cluster {
	return b.upstream(appCluster, b.AppURL.Scheme, b.AppURL.Host, b.AppCAFile, false, time.Second)
}

// s3 is the cluster of one S3 endpoint. One address at a time is used out of
// the many that S3's name servers rotate through.
func (b *builder) s3(e S3Endpoint) *cluster.Cluster {
	return b.upstream(s3Name(e.Host), e.Scheme, e.Host, b.CAFile, true, 4*time.Second)
}

// upstream is an HTTP/1.1 cluster for scheme://host, whose certificate the
// authorities in caFile have signed.
func (b *builder) upstream(name, scheme, host, caFile string, rotating bool, idle time.Duration) *cluster.Cluster {
	c := b.httpCluster(name, idle, &upstreams.HttpProtocolOptions{})
	b.locate(c, host, scheme, rotating)
	if scheme == "https" {
		context := verifying(hostOf(host), caFile)
		context.CommonTlsContext.AlpnProtocols = []string{"http/1.1"}
		c.TransportSocket = b.transportSocket(context)
	}
	return c
}

// httpCluster is one that speaks HTTP/1.1, without its place.
func (b *builder) httpCluster(name string, idle time.Duration, options *upstreams.HttpProtocolOptions) *cluster.Cluster {
	options.CommonHttpProtocolOptions = &core.HttpProtocolOptions{IdleTimeout: durationpb.New(idle)}
	options.UpstreamProtocolOptions = &upstreams.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: &upstreams.HttpProtocolOptions_ExplicitHttpConfig{
		ProtocolConfig: &upstreams.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{}}}
	return &cluster.Cluster{
		Name:           name,
		ConnectTimeout: durationpb.New(5 * time.Second),
		CircuitBreakers: &cluster.CircuitBreakers{Thresholds: []*cluster.CircuitBreakers_Thresholds{{
			MaxConnections: wrapperspb.UInt32(4096), MaxPendingRequests: wrapperspb.UInt32(4096),
			MaxRequests: wrapperspb.UInt32(4096), MaxRetries: wrapperspb.UInt32(64),
		}}},
		TypedExtensionProtocolOptions: b.protocol(options),
	}
}

// locate says where the cluster's one endpoint is: an IP as it stands, a name
// by DNS, IPv4 first (a name with AAAA records on a host without IPv6 would
// otherwise be "no healthy upstream").
func (b *builder) locate(c *cluster.Cluster, hostPort, scheme string, rotating bool) {
	host, port := hostOf(hostPort), portNumber(hostPort, scheme)
	if _, err := netip.ParseAddr(host); err == nil {
		static(c, address(host, port))
		return
	}
	c.ClusterDiscoveryType = &cluster.Cluster_ClusterType{ClusterType: &cluster.Cluster_CustomClusterType{
		Name: "envoy.clusters.dns",
		TypedConfig: b.any(&dnscluster.DnsCluster{
			DnsLookupFamily: commondns.DnsLookupFamily_V4_PREFERRED, RespectDnsTtl: true, AllAddressesInSingleEndpoint: rotating,
		})}}
	c.LoadAssignment = assignment(c.Name, address(host, port))
}

func static(c *cluster.Cluster, at *core.Address) {
	c.ClusterDiscoveryType = &cluster.Cluster_Type{Type: cluster.Cluster_STATIC}
	c.LoadAssignment = assignment(c.Name, at)
}

func assignment(name string, at *core.Address) *endpoint.ClusterLoadAssignment {
	return &endpoint.ClusterLoadAssignment{ClusterName: name, Endpoints: []*endpoint.LocalityLbEndpoints{{
		LbEndpoints: []*endpoint.LbEndpoint{{HostIdentifier: &endpoint.LbEndpoint_Endpoint{
			Endpoint: &endpoint.Endpoint{Address: at}}}}}}}
}

// verifying is TLS to a server that must prove to be host: Envoy sends the
// name and checks the certificate for it. A trusted authority alone is not
// enough, since any server with a public certificate would do.
func verifying(host, caFile string) *tls.UpstreamTlsContext {
	context := &tls.UpstreamTlsContext{Sni: host}
	kind := tls.SubjectAltNameMatcher_DNS
	if _, err := netip.ParseAddr(host); err == nil {
		context.Sni, kind = "", tls.SubjectAltNameMatcher_IP_ADDRESS
	}
	context.CommonTlsContext = &tls.CommonTlsContext{
		TlsParams: &tls.TlsParameters{TlsMinimumProtocolVersion: tls.TlsParameters_TLSv1_2},
		ValidationContextType: &tls.CommonTlsContext_ValidationContext{ValidationContext: &tls.CertificateValidationContext{
			TrustedCa:                 file(caFile),
			MatchTypedSubjectAltNames: []*tls.SubjectAltNameMatcher{{SanType: kind, Matcher: exact(host)}},
		}},
	}
	return context
}

func (b *builder) protocol(options *upstreams.HttpProtocolOptions) map[string]*anypb.Any {
	return map[string]*anypb.Any{httpProtocolOptions: b.any(options)}
}

func (b *builder) transportSocket(context proto.Message) *core.TransportSocket {
	return &core.TransportSocket{Name: "envoy.transport_sockets.tls",
		ConfigType: &core.TransportSocket_TypedConfig{TypedConfig: b.any(context)}}
}

func file(name string) *core.DataSource {
	return &core.DataSource{Specifier: &core.DataSource_Filename{Filename: name}}
}

// socketAddress is the address of an IP and port that check has parsed.
func socketAddress(hostPort string) *core.Address {
	return address(hostOf(hostPort), portNumber(hostPort, ""))
}

func address(host string, port uint32) *core.Address {
	return &core.Address{Address: &core.Address_SocketAddress{SocketAddress: &core.SocketAddress{
		Address: host, PortSpecifier: &core.SocketAddress_PortValue{PortValue: port}}}}
}

func portOf(hostPort string) string {
	u, err := url.Parse("//" + hostPort)
	if err != nil {
		return ""
	}
	return u.Port()
}

// portNumber is the port of hostPort, or else the scheme's own.
func portNumber(hostPort, scheme string) uint32 {
	port := portOf(hostPort)
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	n, _ := strconv.ParseUint(port, 10, 16)
	return uint32(n)
}
