package envoytest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var update = flag.Bool("update", false, "write the CheckRequests that Envoy sends to extauthz/testdata")

// T-EXT-07: the reader of CheckRequests is tested with what is stored here; this test
// says whether a real Envoy still sends that.
func TestCheckRequestOfARealEnvoy(t *testing.T) {
	r := newRig(t)

	r.send("GET /tasks/7/resolve/?fileuri=czM6Ly9pbWFnaW5nL3JhZGlvbG9neS9sdW5nLnBuZw==",
		"User-Agent: Mozilla/5.0", "Accept: image/avif,image/webp,*/*", "Cookie: csrftoken=abc; sessionid=def", "Cookie: __Host-rolepass=ghi",
		"Origin: http://label.test", "Referer: http://label.test/projects/1", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image",
		"Authorization: Token client", "X-Api-Key: client", "Range: bytes=0-3")
	golden(t, "checkrequest-get.json", r.check.last())

	r.post(acsPath, "SAMLResponse=PHNhbWxwOlJlc3BvbnNl%2BAA%3D%3D&RelayState=rs_1",
		"User-Agent: Mozilla/5.0", "Accept: text/html", "Origin: https://idp.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
	golden(t, "checkrequest-acs.json", r.check.last())
}

// golden compares a CheckRequest with the stored one, apart from what differs
// from run to run.
func golden(t *testing.T, name string, request *auth.CheckRequest) {
	t.Helper()
	file := filepath.Join("..", "..", "extauthz", "testdata", name)
	got := steady(t, request)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("Envoy's CheckRequest is no longer %s; look, then run with -update:\n%s", name, got)
	}
}

func steady(t *testing.T, request *auth.CheckRequest) []byte {
	t.Helper()
	request = proto.Clone(request).(*auth.CheckRequest)
	attributes := request.GetAttributes()
	attributes.GetSource().GetAddress().GetSocketAddress().PortSpecifier = &core.SocketAddress_PortValue{PortValue: 50000}
	attributes.GetDestination().GetAddress().GetSocketAddress().PortSpecifier = &core.SocketAddress_PortValue{PortValue: 8080}
	attributes.GetRequest().Time = &timestamppb.Timestamp{Seconds: 1_800_000_000}
	attributes.GetRequest().GetHttp().Id = "1234567890123456789"
	for _, h := range attributes.GetRequest().GetHttp().GetHeaderMap().GetHeaders() {
		if h.Key == "x-request-id" && len(h.RawValue) == 36 {
			h.RawValue = []byte("5f6cfe26-3f5b-4f6e-9d5a-0123456789ab")
		}
	}
	text, err := protojson.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	return []byte(strings.TrimSpace(out.String()) + "\n")
}
