package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rolepass/rolepass/envoy"
	"github.com/rolepass/rolepass/presign"
)

// proxy is one Envoy, and what is asked of it.
type proxy struct {
	name string
	// pids are Envoy, then Rolepass where there is one: the CPU of both counts.
	pids []int
	base string
	// request is for one object, by its number.
	request func(i int) *http.Request
	results []throughProxy
}

// get is a GET as a browser's page makes it.
func (p *proxy) get(target string, header ...string) *http.Request {
	r, err := http.NewRequest(http.MethodGet, p.base+target, nil)
	if err != nil {
		panic(err) // the targets are ours
	}
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// proxies starts the four: a bare route with a location that is signed already,
// Envoy's own signing with one credential for everybody, the bare route with a
// question to a server that decides nothing, and Rolepass.
func (l *lab) proxies() ([]*proxy, error) {
	location, bucket, credentials, err := l.signed()
	if err != nil {
		return nil, err
	}
	signer := &presign.Signer{Expires: time.Hour}
	bare := &proxy{name: "a bare route, the location signed already"}
	bare.request = func(i int) *http.Request {
		signed, err := signer.Presign("GET", bucket, location(i), credentials)
		if err != nil {
			panic(err) // none of this can end within the run
		}
		return bare.get(signed.Target())
	}
	own := &proxy{name: "aws_request_signing by query, one credential"}
	own.request = func(i int) *http.Request {
		signed, err := signer.Presign("GET", bucket, location(i), credentials)
		if err != nil {
			panic(err)
		}
		path, _, _ := strings.Cut(signed.Target(), "?")
		return own.get(path)
	}
	asking := &proxy{name: "the bare route, and Check asked of a server that reads nothing"}
	asking.request = func(i int) *http.Request {
		r := bare.request(i)
		r.URL.Host = strings.TrimPrefix(asking.base, "http://")
		return r
	}
	ours := &proxy{name: "Rolepass"}
	all, err := cookies(usual.sessions)
	if err != nil {
		return nil, err
	}
	ours.request = func(i int) *http.Request {
		return ours.get(fetching(i%objects), "cookie", all[i%len(all)], "sec-fetch-site", "same-origin", "sec-fetch-mode", "no-cors", "sec-fetch-dest", "image")
	}
	filter := fmt.Sprintf(signingFilter, credentials.AccessKeyID, credentials.SecretAccessKey.Reveal(), credentials.SessionToken.Reveal())
	return []*proxy{bare, own, asking, ours}, errors.Join(
		l.startPlain(bare, "bare", "", ""), l.startPlain(own, "signing", filter, ""), l.startAsking(asking), l.startOurs(ours))
}

// signed gives what signs a location at the lab's S3.
func (l *lab) signed() (func(int) presign.Location, presign.Bucket, *presign.Credentials, error) {
	bucket, err := presign.NewBucket("imaging", "eu-west-1", "aws", "http://"+l.s3)
	credentials := &presign.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret", SessionToken: presign.Secret(strings.Repeat("t", usual.token)), Expires: time.Now().Add(12 * time.Hour), STS: "aws"}
	return func(i int) presign.Location {
		location, err := presign.ParseLocation(uri(i % objects))
		if err != nil {
			panic(err) // uri's own
		}
		return location
	}, bucket, credentials, err
}

// startPlain starts an Envoy with one route to S3, and perhaps a filter and the
// cluster that it needs.
func (l *lab) startPlain(p *proxy, name, filter, cluster string) error {
	address, err := free()
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(address)
	_, s3, _ := net.SplitHostPort(l.s3)
	return l.startEnvoy(p, name, address, fmt.Sprintf(plainEnvoy, port, filter, s3)+cluster)
}

// startAsking starts a server that says yes to everything, and an Envoy that asks
// it: what Check costs whoever answers.
func (l *lab) startAsking(p *proxy) error {
	server, err := l.serve(contestant{name: "floor, an empty yes", asks: "fetch", size: usual})
	if err != nil {
		return err
	}
	if err := l.startPlain(p, "asking", askingFilter, fmt.Sprintf(askedCluster, strings.TrimPrefix(server.address, "unix://"))); err != nil {
		return err
	}
	p.pids = append(p.pids, server.cmd.Process.Pid)
	return nil
}

// serve starts a server of the comparison without a proxy, which ends with the
// lab.
func (l *lab) serve(c contestant, more ...string) (*running, error) {
	server, err := start(plan{}, c, more...)
	if err == nil {
		l.ends = append(l.ends, func() { _ = server.input.Close(); _ = server.cmd.Wait() })
	}
	return server, err
}

// startOurs starts Rolepass, and an Envoy with the product's own bootstrap.
func (l *lab) startOurs(p *proxy) error {
	server, err := l.serve(contestant{name: "rolepass fetch, audit and metrics", asks: "fetch", size: usual}, "-s3", l.s3)
	if err != nil {
		return err
	}
	address, err := free()
	if err != nil {
		return err
	}
	admin, err := free()
	if err != nil {
		return err
	}
	b, err := envoy.Bootstrap(envoy.Settings{
		PublicScheme: "http", PublicHost: host, Listen: address, Admin: admin, AccessLog: filepath.Join(l.dir, "access.log"),
		CheckAddress: server.address, AppURL: &url.URL{Scheme: "http", Host: l.s3}, S3: []envoy.S3Endpoint{{Host: l.s3, Scheme: "http"}}, ACSPath: "/rolepass/saml/acs",
	})
	if err != nil {
		return err
	}
	text, err := envoy.YAML(b)
	if err != nil {
		return err
	}
	if err := l.startEnvoy(p, "ours", address, string(text)); err != nil {
		return err
	}
	p.pids = append(p.pids, server.cmd.Process.Pid)
	return nil
}

// startEnvoy waits until an Envoy takes connections.
func (l *lab) startEnvoy(p *proxy, name, address, config string) error {
	binary := os.Getenv("ROLEPASS_ENVOY")
	if binary == "" {
		return errors.New("ROLEPASS_ENVOY does not name an Envoy binary: run make bench-envoy")
	}
	file := filepath.Join(l.dir, name+".yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(binary, "--config-path", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	l.ends = append(l.ends, func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	p.pids, p.base = append(p.pids, cmd.Process.Pid), "http://"+address
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for range 400 {
		if conn, err := net.Dial("tcp", address); err == nil {
			return conn.Close()
		}
		<-ticks.C
	}
	return fmt.Errorf("the Envoy for %s did not start", p.name)
}

// free is an address of loopback that nobody has.
func free() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

const plainEnvoy = `
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: %s}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: plain
          route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: s3, timeout: 0s}}]}]}
          http_filters:%s
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - name: s3
    type: STATIC
    load_assignment: {cluster_name: s3, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %s}}}}]}]}
`

const signingFilter = `
          - name: envoy.filters.http.aws_request_signing
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.aws_request_signing.v3.AwsRequestSigning
              service_name: s3
              region: eu-west-1
              use_unsigned_payload: true
              query_string: {expiration_time: 60s}
              credential_provider: {inline_credential: {access_key_id: %s, secret_access_key: %s, session_token: %s}}`

const askingFilter = `
          - name: envoy.filters.http.ext_authz
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
              transport_api_version: V3
              grpc_service: {envoy_grpc: {cluster_name: check}, timeout: 15s}`

const askedCluster = `  - name: check
    type: STATIC
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
    load_assignment: {cluster_name: check, endpoints: [{lb_endpoints: [{endpoint: {address: {pipe: {path: %s}}}}]}]}
`
