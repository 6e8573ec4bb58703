package main

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
)

const namespace = "istio-ingress"

// objects are what Kubernetes would hold: the gateway's Service, whose
// targetPort is where Envoy listens, and the Secret of its certificate.
func (o options) objects() (string, error) {
	_, target, err := net.SplitHostPort(o.listen)
	if err != nil {
		return "", err
	}
	out := fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: %[1]s, labels: {istio: ingressgateway}}
spec:
  clusterIP: 10.0.0.10
  selector: {istio: ingressgateway}
  ports:
  - {name: edge, port: %[2]d, targetPort: %[3]s, protocol: TCP}
---
apiVersion: v1
kind: Pod
metadata: {name: istio-ingressgateway-1, namespace: %[1]s, labels: {istio: ingressgateway}}
spec: {serviceAccountName: istio-ingressgateway}
status: {podIP: 10.0.0.9, phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: istio-ingressgateway-1, namespace: %[1]s, labels: {kubernetes.io/service-name: istio-ingressgateway}}
addressType: IPv4
endpoints:
- addresses: ["10.0.0.9"]
  conditions: {ready: true}
  targetRef: {kind: Pod, name: istio-ingressgateway-1, namespace: %[1]s}
ports:
- {name: edge, port: %[3]s, protocol: TCP}
`, namespace, o.port, target)
	if o.certificate == "" {
		return out, nil
	}
	certificate, err := os.ReadFile(o.certificate)
	if err != nil {
		return "", err
	}
	key, err := os.ReadFile(o.key)
	if err != nil {
		return "", err
	}
	return out + fmt.Sprintf(`---
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata: {name: label-tls, namespace: %s}
data:
  tls.crt: %s
  tls.key: %s
`, namespace, base64.StdEncoding.EncodeToString(certificate), base64.StdEncoding.EncodeToString(key)), nil
}

// envoy is the bootstrap of a gateway's Envoy, as far as one needs istio-agent
// for nothing.
func (o options) envoy() []byte {
	adminHost, adminPort, _ := net.SplitHostPort(o.admin)
	adsHost, adsPort, _ := net.SplitHostPort(o.ads)
	return fmt.Appendf(nil, `node:
  id: router~10.0.0.9~istio-ingressgateway-1.%[1]s~%[1]s.svc.cluster.local
  cluster: istio-ingressgateway.%[1]s
  metadata:
    NAMESPACE: %[1]s
    NAME: istio-ingressgateway-1
    LABELS: {istio: ingressgateway}
    SERVICE_ACCOUNT: istio-ingressgateway
    ISTIO_VERSION: 1.31.0
    CLUSTER_ID: Kubernetes
admin:
  address: {socket_address: {address: %[2]s, port_value: %[3]s}}
dynamic_resources:
  lds_config: {ads: {}, resource_api_version: V3}
  cds_config: {ads: {}, resource_api_version: V3}
  ads_config:
    api_type: GRPC
    transport_api_version: V3
    grpc_services: [{envoy_grpc: {cluster_name: xds-grpc}}]
static_resources:
  clusters:
  - name: xds-grpc
    type: STATIC
    connect_timeout: 1s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
    load_assignment:
      cluster_name: xds-grpc
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %[4]s, port_value: %[5]s}}}}]}]
`, namespace, adminHost, adminPort, adsHost, adsPort)
}
