package envoy

import (
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	dynamiccluster "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/dynamic_forward_proxy/v3"
	dynamic "github.com/envoyproxy/go-control-plane/envoy/extensions/common/dynamic_forward_proxy/v3"
	dynamicfilter "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/dynamic_forward_proxy/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	upstreams "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// A dynamic forward proxy connects wherever a request's host says. Here the
// routes are the list of the hosts that are allowed: each is chosen by Check's
// metadata, as without it, and says its own host. Nothing of a request does.

const dynamicForwardProxyFilter = "envoy.filters.http.dynamic_forward_proxy"

// dynamicName is the cluster of all S3 servers of one scheme.
func dynamicName(scheme string) string { return "dynamic-s3-" + scheme }

// s3Cluster is the cluster that one S3 server is reached by.
func (b *builder) s3Cluster(e S3Endpoint) string {
	if b.DynamicForwardProxy {
		return dynamicName(e.Scheme)
	}
	return s3Name(e.Host)
}

// s3Clusters are all of them.
func (b *builder) s3Clusters() (all []*cluster.Cluster) {
	if !b.DynamicForwardProxy {
		for _, e := range b.S3 {
			all = append(all, b.s3(e))
		}
		return all
	}
	used := map[string]bool{}
	for _, e := range b.S3 {
		if !used[e.Scheme] {
			used[e.Scheme] = true
			all = append(all, b.dynamic(e.Scheme))
		}
	}
	return all
}

func (b *builder) dynamic(scheme string) *cluster.Cluster {
	c := b.httpCluster(dynamicName(scheme), 4*time.Second, &upstreams.HttpProtocolOptions{
		UpstreamHttpProtocolOptions: &core.UpstreamHttpProtocolOptions{AutoSni: true, AutoSanValidation: true},
	})
	c.LbPolicy = cluster.Cluster_CLUSTER_PROVIDED
	c.ClusterDiscoveryType = &cluster.Cluster_ClusterType{ClusterType: &cluster.Cluster_CustomClusterType{
		Name: "envoy.clusters.dynamic_forward_proxy",
		TypedConfig: b.any(&dynamiccluster.ClusterConfig{
			ClusterImplementationSpecifier: &dynamiccluster.ClusterConfig_DnsCacheConfig{DnsCacheConfig: b.dnsCache()}}),
	}}
	if scheme == "https" {
		c.TransportSocket = b.transportSocket(&tls.UpstreamTlsContext{CommonTlsContext: &tls.CommonTlsContext{
			TlsParams: &tls.TlsParameters{TlsMinimumProtocolVersion: tls.TlsParameters_TLSv1_2},
			ValidationContextType: &tls.CommonTlsContext_ValidationContext{ValidationContext: &tls.CertificateValidationContext{
				TrustedCa: file(b.CAFile)}},
			AlpnProtocols: []string{"http/1.1"},
		}})
	}
	return c
}

// dnsCache is the same for the filter and the clusters, as Envoy wants it. It
// holds no more hosts than there are.
func (b *builder) dnsCache() *dynamic.DnsCacheConfig {
	return &dynamic.DnsCacheConfig{
		Name:              "s3",
		DnsLookupFamily:   cluster.Cluster_V4_PREFERRED,
		MaxHosts:          wrapperspb.UInt32(uint32(len(b.S3))),
		DnsQueryTimeout:   durationpb.New(5 * time.Second),
		DnsMinRefreshRate: durationpb.New(5 * time.Second),
	}
}

// dynamicFilters looks names up, behind ext_authz: before it, whoever asks
// would have names looked up.
func (b *builder) dynamicFilters() []*hcm.HttpFilter {
	if !b.DynamicForwardProxy {
		return nil
	}
	return []*hcm.HttpFilter{{Name: dynamicForwardProxyFilter, ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: b.any(&dynamicfilter.FilterConfig{
		ImplementationSpecifier: &dynamicfilter.FilterConfig_DnsCacheConfig{DnsCacheConfig: b.dnsCache()}})}}}
}

// fixHost names the host that the route leads to, for the filter.
func (b *builder) fixHost(config map[string]*anypb.Any, e S3Endpoint) {
	if b.DynamicForwardProxy {
		config[dynamicForwardProxyFilter] = b.any(&dynamicfilter.PerRouteConfig{
			HostRewriteSpecifier: &dynamicfilter.PerRouteConfig_HostRewriteLiteral{HostRewriteLiteral: e.Host}})
	}
}
