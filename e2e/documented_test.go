//go:build mesh || gateway

package e2e_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/rolepass/rolepass/e2e/stack"
)

// documented is a page about a gateway, as it is written: its settings of envoy
// and its commands.
type documented struct {
	settings, commands string
}

func readsPage(t *testing.T, name string) documented {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	var d documented
	for _, block := range regexp.MustCompile("(?s)```(yaml|sh)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		switch {
		case block[1] == "yaml" && strings.HasPrefix(block[2], "envoy:"):
			d.settings += block[2]
		case block[1] == "sh" && strings.HasPrefix(block[2], "rolepass generate"):
			d.commands += block[2]
		}
	}
	if d.settings == "" || strings.Count(d.commands, "\n") < 4 {
		t.Fatalf("%s has other blocks than it had: %+v", name, d)
	}
	return d
}

// kubectl stands in for the one of a cluster: what is applied is given to the test,
// which says when it has taken effect; ports are forwarded from here to here, and
// what is got is nothing.
const kubectl = `#!/bin/sh
case "$*" in
"apply -f "*) cp "$3" applied.partial && mv applied.partial applied
	until [ -e effective ]; do sleep 0.05; done ;;
*port-forward* | *" get "*) ;;
*) echo "what is kubectl $*?" >&2; exit 1 ;;
esac
`

// runs runs the commands in one shell, and calls apply with what they apply.
func (d documented) runs(t *testing.T, dir string, apply func(manifest []byte) error) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "kubectl"), []byte(kubectl), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(running(t).Dir, "bin", "rolepass"), filepath.Join(dir, "rolepass")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-e", "-c", d.commands)
	shell.Dir = dir
	shell.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	ended := make(chan error, 1)
	var said []byte
	go func() {
		var err error
		said, err = shell.CombinedOutput()
		ended <- err
	}()
	withinMinutes(t, func() error {
		select {
		case err := <-ended:
			t.Fatalf("the commands ended before anything was applied: %v\n%s", err, said)
		default:
		}
		_, err := os.Stat(filepath.Join(dir, "applied"))
		return err
	})
	manifest, err := os.ReadFile(filepath.Join(dir, "applied"))
	if err := errors.Join(err, apply(manifest), os.WriteFile(filepath.Join(dir, "effective"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatalf("the commands: %v\n%s", err, said)
	}
}

// attach runs a page's commands with a rolepass.yaml of a hospital's, in which the
// page's settings stand, for a gateway that apply makes of what they apply; then it
// asks that gateway for a page. Addresses and directories are ours. Check is asked
// over mutual TLS with the files that the page mounts.
func (d documented) attach(t *testing.T, g *stack.Gateway, public, adminPort string, apply func(manifest []byte, certificate, key string) error) {
	t.Helper()
	a, dir := newAround(t), t.TempDir()
	a.check.overTLS(t, dir)
	certificate, key, roots := certificateFor(t, "label.example.com")
	settings := strings.NewReplacer("0.0.0.0:8443", g.Listen, "rolepass.rolepass.svc.cluster.local:9001", "localhost:"+portOf(t, a.check.address), "/etc/rolepass-check", dir).Replace(d.settings)
	config := fmt.Sprintf(`public_url: %s
listen: 0.0.0.0:9001
check_tls: {certificate: check.crt, private_key: check.key, name: rolepass.internal, ca: check-ca.crt, envoy_name: envoy.internal}
keys: keys
idps:
  - {name: corp, metadata: https://idp.example.com/metadata, audience: ["urn:amazon:webservices"], providers: ["arn:aws:iam::111122223333:saml-provider/corp"]}
sts:
  - {name: aws, region: eu-west-1}
buckets:
  - {name: imaging, region: eu-west-1, sts: aws, endpoint: "https://%s"}
grants:
  - {role: "arn:aws:iam::111122223333:role/radiology", read: [s3://imaging/radiology/], anywhere: true}
label_studio: {url: "http://%s", secret_key_file: label-studio.key, owner_id: 1}
%s`, public, a.s3Host, a.app.address, settings)
	if err := os.WriteFile(filepath.Join(dir, "rolepass.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	d.commands = strings.ReplaceAll(d.commands, adminPort, portOf(t, g.Admin))
	d.runs(t, dir, func(manifest []byte) error { return apply(manifest, certificate, key) })

	client := &http.Client{Timeout: rawPatience, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{ServerName: "label.example.com", RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, g.Listen)
		},
	}}
	response, err := client.Get(public + "/projects")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK || a.check.asked.Load() != 1 || a.app.count() != 1 {
		t.Errorf("answered %s; Check was asked %d times, and the application %d", response.Status, a.check.asked.Load(), a.app.count())
	}
}

// overTLS serves Check behind mutual TLS, and writes Envoy's end of it into dir.
func (y *yes) overTLS(t *testing.T, dir string) {
	t.Helper()
	server, serverKey, _ := certificateFor(t, "rolepass.internal")
	client, clientKey, clients := certificateFor(t, "envoy.internal")
	for from, to := range map[string]string{client: "tls.crt", clientKey: "tls.key", server: "ca.crt"} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.LoadX509KeyPair(server, serverKey)
	if err != nil {
		t.Fatal(err)
	}
	y.serve(t, credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert,
		VerifyPeerCertificate: func(_ [][]byte, chains [][]*x509.Certificate) error {
			return chains[0][0].VerifyHostname("envoy.internal")
		},
	}))
}
