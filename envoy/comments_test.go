package envoy

import (
	"bytes"
	"encoding/json"
	"net/url"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
)

// A comment whose field was renamed would vanish without a word.
func TestEveryCommentHasItsField(t *testing.T) {
	b, err := Bootstrap(Settings{
		PublicScheme: "https", PublicHost: "label.example.com", Listen: "0.0.0.0:443", CertFile: "/c", KeyFile: "/k", Admin: "127.0.0.1:9901",
		CheckAddress: "rolepass:9001", CheckTLS: &MutualTLS{CertFile: "/c", KeyFile: "/k", CAFile: "/ca", ServerName: "rolepass"},
		AppURL: &url.URL{Scheme: "https", Host: "app.example.com"}, S3: []S3Endpoint{{Host: "s3.eu-west-1.amazonaws.com", Scheme: "https"}},
		ACSPath: "/rolepass/saml/acs",
	})
	if err != nil {
		t.Fatal(err)
	}
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
			t.Errorf("no field at %s", c.path)
		}
		if other, taken := positions[at]; taken {
			t.Errorf("%s and %s explain the same field", c.path, other)
		}
		positions[at] = c.path
	}
	if _, ok := find(tree, "$", "static_resources.clusters[nothing]"); ok {
		t.Error("a field was found that is not there")
	}
	if out, err := YAML(b); err != nil || bytes.Count(out, []byte("#")) < len(comments) {
		t.Errorf("%d comments, fewer than the table's %d (%v)", bytes.Count(out, []byte("#")), len(comments), err)
	}
}
