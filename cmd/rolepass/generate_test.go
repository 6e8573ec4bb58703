package main

import (
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/envoy"
	"github.com/rolepass/rolepass/envoy/lint"
)

// Envoy streams from each S3 server that a bucket is on, once, and asks where
// Rolepass listens.
func TestTheBootstrapFollowsTheConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rolepass.yaml")
	text := `public_url: https://label.test:8443
listen: unix:///run/rolepass/check.sock
acs_path: /saml/consume
keys: keys
idps:
  - {name: corp, metadata: idp.xml, audience: ["urn:amazon:webservices"], providers: ["arn:aws:iam::111122223333:saml-provider/corp"]}
sts:
  - {name: aws, region: eu-west-1}
grants:
  - {role: "arn:aws:iam::111122223333:role/radiology", read: ["s3://imaging/radiology/"], anywhere: true}
buckets:
  - {name: imaging, region: eu-west-1, sts: aws}
  - {name: dictations, region: eu-west-1, sts: aws}
  - {name: slides, region: eu-central-1, sts: aws}
  - {name: notes, region: us-east-1, sts: aws, endpoint: "http://127.0.0.1:9005"}
  - {name: films, region: us-east-1, sts: aws, endpoint: "https://s3.example.com:9000"}
  - {name: sounds, region: us-east-1, sts: aws, endpoint: "https://s3.example.com:9000"}
label_studio: {url: "http://label-studio:8080", secret_key_file: label-studio.key, owner_id: 1}
envoy: {listen: "10.0.0.1:443", admin: "127.0.0.1:9999", certificate: /etc/envoy/tls.crt, private_key: /etc/envoy/tls.key, access_log: /var/log/envoy.log, ca: /etc/envoy/ca.pem, dynamic_forward_proxy: true, trusted_hops: 1}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, config.ForEnvoy)
	if err != nil {
		t.Fatal(err)
	}
	want := envoy.Settings{
		PublicScheme: "https", PublicHost: "label.test:8443", ACSPath: "/saml/consume",
		Listen: "10.0.0.1:443", CertFile: "/etc/envoy/tls.crt", KeyFile: "/etc/envoy/tls.key",
		Admin: "127.0.0.1:9999", AccessLog: "/var/log/envoy.log", CAFile: "/etc/envoy/ca.pem",
		CheckAddress: "unix:///run/rolepass/check.sock", AppURL: &url.URL{Scheme: "http", Host: "label-studio:8080"},
		DynamicForwardProxy: true, TrustedHops: 1,
		S3: []envoy.S3Endpoint{
			{Host: "s3.eu-west-1.amazonaws.com", Scheme: "https"}, {Host: "s3.eu-west-1.amazonaws.com", Scheme: "https"}, {Host: "s3.eu-central-1.amazonaws.com", Scheme: "https"},
			{Host: "127.0.0.1:9005", Scheme: "http"}, {Host: "s3.example.com:9000", Scheme: "https"}, {Host: "s3.example.com:9000", Scheme: "https"},
		},
	}
	if got := settings(c); !reflect.DeepEqual(got, want) {
		t.Errorf("the settings are\n%+v, want\n%+v", got, want)
	}
}

// A load balancer that ends TLS has the certificate, and its word on the client is
// taken. Without it the same configuration would have browsers in plaintext.
func TestBehindALoadBalancerEnvoyNeedsNoCertificate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rolepass.yaml")
	text := `public_url: https://label.test
listen: unix:///run/rolepass/check.sock
keys: keys
idps:
  - {name: corp, metadata: idp.xml, audience: ["urn:amazon:webservices"], providers: ["arn:aws:iam::111122223333:saml-provider/corp"]}
sts:
  - {name: aws, region: eu-west-1}
grants:
  - {role: "arn:aws:iam::111122223333:role/radiology", read: ["s3://imaging/radiology/"], anywhere: true}
buckets:
  - {name: imaging, region: eu-west-1, sts: aws}
label_studio: {url: "http://127.0.0.1:8081", secret_key_file: label-studio.key, owner_id: 1}
envoy: {listen: "0.0.0.0:8080", trusted_hops: 1}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, config.ForEnvoy)
	if err != nil {
		t.Fatal(err)
	}
	for hops, broken := range map[uint32]bool{1: false, 0: true} {
		s := settings(c)
		s.TrustedHops = hops
		bootstrap, err := envoy.Bootstrap(s)
		if err != nil {
			t.Fatal(err)
		}
		text, err := envoy.YAML(bootstrap)
		if err != nil {
			t.Fatal(err)
		}
		subject, err := lint.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		if found := lint.Find(subject, nil); (len(found) > 0) != broken {
			t.Errorf("%d trusted hops: %v", hops, found)
		}
	}
}
