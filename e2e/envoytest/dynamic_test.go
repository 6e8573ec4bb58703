package envoytest_test

import (
	"net"
	"testing"

	"github.com/rolepass/rolepass/envoy"
	"github.com/rolepass/rolepass/envoy/contract"
)

func byDynamicForwardProxy(more ...envoy.S3Endpoint) func(*rig) {
	return func(r *rig) {
		r.settings.DynamicForwardProxy = true
		r.settings.S3 = append(r.settings.S3, more...)
	}
}

// One cluster for many servers: each fetch reaches the one that Check chose,
// under its own host, and no other.
func TestADynamicForwardProxyReachesWhatCheckChose(t *testing.T) {
	servers := []*recorder{newRecorder(t, "first"), newRecorder(t, "second"), newRecorder(t, "third")}
	var more []envoy.S3Endpoint
	for _, s := range servers {
		more = append(more, envoy.S3Endpoint{Host: s.host(), Scheme: "http"})
	}
	r := newRig(t, byDynamicForwardProxy(more...))
	for _, s := range append(servers, r.s3) {
		r.check.answers(stream(s.host(), "/imaging/x"+signature))
		if got := r.send("GET /tasks/7/resolve/?fileuri=x"); got.body != "from "+s.name {
			t.Errorf("%s: %d %q", s.name, got.StatusCode, got.body)
		}
		if seen := s.only(t); seen.Host != s.host() || seen.RequestURI != "/imaging/x"+signature {
			t.Errorf("%s saw %s at %s", s.name, seen.RequestURI, seen.Host)
		}
	}
	if len(r.app.requests()) != 0 {
		t.Error("the application was contacted")
	}
}

// Whatever a client says, Envoy connects to no host beside those of the routes.
func TestADynamicForwardProxyReachesNothingElse(t *testing.T) {
	elsewhere := newRecorder(t, "elsewhere")
	r := newRig(t, byDynamicForwardProxy())
	words := []string{"S3-Host: ", "X-Host: ", "X-Forwarded-Host: ", "X-Envoy-Original-Dst-Host: ", "X-Rolepass-Host: ", "Forwarded: host=", "X-Original-Host: "}
	for i, word := range words {
		words[i] = word + elsewhere.host()
	}
	r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
	if got := r.send("GET /tasks/7/resolve/?fileuri=x", words...); got.body != "from s3" {
		t.Errorf("a fetch that names another host: %d %q", got.StatusCode, got.body)
	}
	for _, request := range []string{
		"GET /tasks/7/resolve/?fileuri=x HTTP/1.1\r\nHost: " + elsewhere.host(),
		"GET http://" + elsewhere.host() + "/tasks/7/resolve/?fileuri=x HTTP/1.1\r\nHost: " + publicHost,
	} {
		if got := r.raw(request + "\r\nConnection: close\r\n\r\n"); got.StatusCode != 421 {
			t.Errorf("%.30s: %d, want 421", request, got.StatusCode)
		}
	}
	r.check.answers(stream(elsewhere.host(), "/imaging/x"+signature)) // even Check
	if got := r.send("GET /tasks/7/resolve/?fileuri=x"); got.StatusCode != 500 {
		t.Errorf("a host that no route has: %d, want 500", got.StatusCode)
	}
	if got := elsewhere.requests(); len(got) != 0 {
		t.Errorf("another host was contacted: %s", got[0].RequestURI)
	}
	r.s3.only(t)
}

// Behind the one cluster, too, each server proves the name that its route has.
func TestServersOfADynamicForwardProxyProveTheirNames(t *testing.T) {
	trusted, other := newAuthority(t), newAuthority(t)
	local := startTLS(t, trusted, "localhost")
	address := startTLS(t, trusted, "127.0.0.1")
	renamed := startTLS(t, trusted, "evil.test")
	unknown := startTLS(t, other, "localhost")
	at := func(host string, s *recorder) string {
		_, port, _ := net.SplitHostPort(s.host())
		return net.JoinHostPort(host, port)
	}
	cases := []struct {
		name, host string
		server     *recorder
		proved     bool
	}{
		{"by name", at("localhost", local), local, true},
		{"by address", at("127.0.0.1", address), address, true},
		{"another name", at("localhost", renamed), renamed, false},
		{"another authority", at("localhost", unknown), unknown, false},
	}
	r := newRig(t, byDynamicForwardProxy(), func(r *rig) {
		r.settings.CAFile = trusted.file
		for _, c := range cases {
			r.settings.S3 = append(r.settings.S3, envoy.S3Endpoint{Host: c.host, Scheme: "https"})
		}
	})
	for range 2 { // once more, with connections that are open
		for _, c := range cases {
			before := len(c.server.requests())
			r.check.answers(stream(c.host, "/imaging/x"+signature))
			got := r.send("GET /tasks/7/resolve/?fileuri=x")
			reached := len(c.server.requests()) > before
			if reached != c.proved || (got.StatusCode == 200) != c.proved {
				t.Errorf("%s: %d, and the server got the signed location: %v", c.name, got.StatusCode, reached)
			}
		}
	}
	if codes := r.lint(); len(codes) != 0 {
		t.Errorf("lint finds %v", codes)
	}
	if contract.S3Route(cases[0].host) == contract.S3Route(cases[2].host) {
		t.Error("two servers have one route: this test proves nothing")
	}
}
