package envoy

import (
	"bytes"
	"encoding/json"
	"net/url"
	"testing"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/encoding/protojson"
)

// A comment whose field was renamed would vanish without a word. Between them,
// these two settings have every field that is explained.
func TestEveryCommentHasItsField(t *testing.T) {
	explained := map[string]bool{}
	for _, dynamic := range []bool{false, true} {
		b, err := Bootstrap(Settings{
			PublicScheme: "https", PublicHost: "label.example.com", Listen: "0.0.0.0:443", CertFile: "/c", KeyFile: "/k", Admin: "127.0.0.1:9901",
			CheckAddress: "rolepass:9001", CheckTLS: &MutualTLS{CertFile: "/c", KeyFile: "/k", CAFile: "/ca", ServerName: "rolepass"},
			AppURL: &url.URL{Scheme: "https", Host: "app.example.com"}, S3: []S3Endpoint{{Host: "s3.eu-west-1.amazonaws.com", Scheme: "https"}},
			ACSPath: "/rolepass/saml/acs", DynamicForwardProxy: dynamic, TrustedHops: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		positions := commented(t, b)
		for _, path := range positions {
			explained[path] = true
		}
		if out, err := YAML(b); err != nil || bytes.Count(out, []byte("#")) < len(positions) {
			t.Errorf("%d comments, fewer than the %d that have a field (%v)", bytes.Count(out, []byte("#")), len(positions), err)
		}
	}
	for _, c := range comments {
		if !explained[c.path] {
			t.Errorf("no field at %s", c.path)
		}
	}
}

// commented are the places of the comments in a bootstrap.
func commented(t *testing.T, b *bootstrap.Bootstrap) map[string]string {
	t.Helper()
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := ordered(json.NewDecoder(bytes.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	positions := map[string]string{}
	for _, c := range comments {
		at, ok := find(tree, "$", c.path)
		if !ok {
			continue
		}
		if other, taken := positions[at]; taken {
			t.Errorf("%s and %s explain the same field", c.path, other)
		}
		positions[at] = c.path
	}
	if _, ok := find(tree, "$", "static_resources.clusters[nothing]"); ok {
		t.Error("a field was found that is not there")
	}
	return positions
}
