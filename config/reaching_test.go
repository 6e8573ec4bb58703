package config_test

import (
	"encoding/pem"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/config"
)

// authority is a certificate in PEM.
func authority(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func TestHowLabelStudioIsReached(t *testing.T) {
	dir := home(t)
	write(t, dir, "ca.pem", authority(t), 0o644)
	write(t, dir, "no.pem", "not a certificate", 0o644)
	https := strings.Replace(minimal, "http://127.0.0.1:9006", "https://127.0.0.1:9006", 1)
	for _, c := range []struct{ old, new, words string }{
		{"owner_id: 1", "owner_id: 1, path: label", "no path that an application can stand below"},
		{"owner_id: 1", "owner_id: 1, path: /label/", "without a slash at the end"},
		{"owner_id: 1", "owner_id: 1, path: /", "no path that an application"},
		{"owner_id: 1", "owner_id: 1, path: /a/../b", "no path that an application"},
		{"owner_id: 1", "owner_id: 1, path: //a", "no path that an application"},
		{"owner_id: 1", "owner_id: 1, path: /a%2fb", "no path that an application"},
		{"owner_id: 1", "owner_id: 1, path: '/a;b'", "no path that an application"},
		{"owner_id: 1", "owner_id: 1, path: /Rolepass", "Rolepass's own pages"},
		{"owner_id: 1", "owner_id: 1, ca: nowhere.pem", "nowhere.pem is not there"},
		{"owner_id: 1", "owner_id: 1, ca: no.pem", "no certificate in PEM"},
		{"owner_id: 1", "owner_id: 1, proxy: proxy", "not a web address"},
		{"owner_id: 1", "owner_id: 1, proxy: 'http://user:secret@proxy'", "more than scheme"},
	} {
		refused(t, dir, strings.Replace(https, c.old, c.new, 1), config.Everything, c.words)
	}
	refused(t, dir, strings.Replace(minimal, "owner_id: 1", "owner_id: 1, ca: ca.pem", 1), config.Everything, "plain http, which has no certificate")
	mounted := strings.Replace(https, "owner_id: 1", "owner_id: 1, path: /label", 1)
	refused(t, dir, mounted+"mode: shadow\n", config.Everything, "in shadow requests reach Label Studio as they came")
	refused(t, dir, mounted+"acs_path: /label/acs\n", config.Everything, "acs_path is below")
	got, err := load(t, dir, strings.Replace(https, "owner_id: 1", "owner_id: 1, path: /a/b-c.d, ca: ca.pem, proxy: http://proxy:3128", 1), config.Everything)
	if err != nil || got.LabelStudio.Path != "/a/b-c.d" || got.LabelStudio.Proxy.Host != "proxy:3128" || len(got.Warnings) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	plain, err := load(t, dir, strings.Replace(minimal, "owner_id: 1", "owner_id: 1, proxy: http://proxy:3128", 1), config.Everything)
	if err != nil || len(plain.Warnings) != 1 || !strings.Contains(plain.Warnings[0].Sentence, "the proxy reads the bearers") {
		t.Errorf("%+v, %v", plain, err)
	}
}
