// Meshd is an Istio control plane for one ingress gateway, without a cluster:
// istiod's own generators, fed from files, behind ADS.
//
//	meshd -manifest istio.yaml -listen 127.0.0.1:8443 -port 443 -ads 127.0.0.1:15010 \
//	      -admin 127.0.0.1:15000 -bootstrap envoy.yaml -ready 127.0.0.1:15011
//
// It writes the bootstrap of an Envoy that asks it, answers /ready, and serves
// until it is ended. Manifests are validated as istiod's webhook does.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/security"
	"istio.io/istio/pkg/test"
)

type options struct {
	manifest, listen, ads, admin, bootstrap, ready string
	certificate, key                               string
	port                                           int
}

func main() {
	var o options
	flag.StringVar(&o.manifest, "manifest", "", "what kubectl would apply")
	flag.StringVar(&o.listen, "listen", "", "where the gateway's pod listens")
	flag.IntVar(&o.port, "port", 0, "the port of the gateway's Service")
	flag.StringVar(&o.ads, "ads", "", "where to answer Envoy")
	flag.StringVar(&o.admin, "admin", "", "Envoy's administration address")
	flag.StringVar(&o.bootstrap, "bootstrap", "", "where to write Envoy's bootstrap")
	flag.StringVar(&o.ready, "ready", "", "where to answer /ready")
	flag.StringVar(&o.certificate, "certificate", "", "PEM for the Secret label-tls")
	flag.StringVar(&o.key, "key", "", "PEM of its key")
	flag.Parse()
	if err := test.Wrap(func(t test.Failer) { serve(t, o) }); err != nil {
		log.Fatal(err)
	}
}

// gateway is who Envoy is to istiod. Secrets are given to whom istiod knows.
type gateway struct{}

const serviceAccount = "spiffe://cluster.local/ns/" + namespace + "/sa/istio-ingressgateway"

func (gateway) AuthenticatorType() string { return "fixed" }

func (gateway) Authenticate(security.AuthContext) (*security.Caller, error) {
	return &security.Caller{Identities: []string{serviceAccount}}, nil
}

func serve(t test.Failer, o options) {
	text, err := os.ReadFile(o.manifest)
	must(err)
	m, err := readManifest(string(text))
	must(err)
	objects, err := o.objects()
	must(err)
	// Without mutual TLS between pods, which an agent beside Envoy has the keys for.
	config, err := mesh.ApplyMeshConfigDefaults("enableAutoMtls: false\n" + m.mesh)
	must(err)
	s := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
		ConfigString:               m.istio,
		KubernetesObjectString:     objects + m.kubernetes,
		MeshConfig:                 config,
		DisableSecretAuthorization: true,
		ListenerBuilder:            func() (net.Listener, error) { return net.Listen("tcp", o.ads) },
	})
	s.Discovery.Authenticators = []security.Authenticator{gateway{}}
	must(os.WriteFile(o.bootstrap, o.envoy(), 0o600))
	server := &http.Server{Addr: o.ready, ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })}
	must(server.ListenAndServe())
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
