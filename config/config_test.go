package config_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// home is a directory with everything that a configuration may name.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "keys/2026-11-24.key", strings.Repeat("00", 32), 0o600)
	write(t, dir, "label-studio.secret", "secret", 0o640)
	write(t, dir, "saml-keys/2026-11-24.pem", samlKey(), 0o600)
	return dir
}

// samlKey is a key of ours; making one takes a moment, so it is done once.
var samlKey = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "saml-key-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	name, err := saml.NewSigningKey(dir, time.Now(), rand.Reader)
	if err != nil {
		panic(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(text)
})

func write(t *testing.T, dir, name, text string, mode os.FileMode) {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// load reads a text as rolepass.yaml in a directory.
func load(t *testing.T, dir, text string, needs config.Needs) (*config.Config, error) {
	t.Helper()
	write(t, dir, "rolepass.yaml", text, 0o644)
	return config.Load(filepath.Join(dir, "rolepass.yaml"), needs)
}

// example is the committed example, with the names of files replaced by ones
// that exist.
func example(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/rolepass.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("/etc/rolepass/keys", "keys", "/etc/rolepass/saml-keys", "saml-keys", "/run/secrets/label-studio", "label-studio.secret", "/etc/rolepass/label-studio-ca.pem", "label-studio-ca.pem", "/etc/rolepass/otel-ca.pem", "label-studio-ca.pem").Replace(string(text))
}

func TestTheExampleSaysWhatItLooksLike(t *testing.T) {
	dir := home(t)
	write(t, dir, "label-studio-ca.pem", authority(t), 0o644)
	c, err := load(t, dir, example(t), config.Everything)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range []struct {
		what      string
		got, want any
	}{
		{"public_url", c.PublicURL.String(), "https://label.example.com"},
		{"ACS", c.ACS(), "https://label.example.com/rolepass/saml/acs"},
		{"entity_id", c.EntityID, "urn:amazon:webservices"},
		{"listen", c.Listen, config.Listen{Network: "unix", Address: "/run/rolepass/check.sock"}},
		{"listen", c.Listen.String(), "unix:///run/rolepass/check.sock"},
		{"admin", c.Admin, "127.0.0.1:9002"},
		{"check_codec", c.CheckCodec, config.CodecPlain},
		{"admin_socket", c.AdminSocket, "/run/rolepass/admin.sock"},
		{"saml_keys", c.SAMLKeys, filepath.Join(dir, "saml-keys")},
		{"idps.domains", c.IdPs[0].Domains[0], "example.com"},
		{"idps.authn_context", c.IdPs[0].AuthnContext[0], "https://refeds.org/profile/mfa"},
		{"keys", c.Keys, filepath.Join(dir, "keys")},
		{"idps.metadata", c.IdPs[0].MetadataURL.String(), "https://idp.example.com/metadata"},
		{"idps.providers", c.IdPs[0].Providers[0], "arn:aws:iam::111122223333:saml-provider/corp"},
		{"idps.attributes", c.IdPs[0].FirstName[0], "givenName"},
		{"sts", c.STS[0], config.STS{Name: "aws", Region: "eu-west-1", Duration: time.Hour}},
		{"buckets", c.Buckets[1], config.Bucket{Bucket: presign.Bucket{Name: "pathology-slides", Region: "eu-central-1", STS: "aws", Scheme: "https", Host: "s3.eu-central-1.amazonaws.com"}, KMS: true}},
		{"role's sts", c.RoleSTS["arn:aws:iam::111122223333:role/research"], "aws"},
		{"secret_key_file", c.LabelStudio.SecretKeyFile, filepath.Join(dir, "label-studio.secret")},
		{"owner_id", c.LabelStudio.OwnerID, int64(1)},
		{"adopt", c.LabelStudio.Adopt, config.AdoptNone},
		{"ca", c.LabelStudio.CA, filepath.Join(dir, "label-studio-ca.pem")},
		{"proxy", c.LabelStudio.Proxy.String(), "http://proxy.example.com:3128"},
		{"confirm", c.LabelStudio.Confirm, config.ConfirmURI},
		{"session", c.Session, config.Session{Idle: 30 * time.Minute, Absolute: 8 * time.Hour, PerPerson: 20}},
		{"presign", c.Presign, config.Presign{Expires: time.Minute}},
		{"delivery", c.Delivery, grants.ByRoute},
		{"a grant's delivery", c.GrantList[1].Deliver, grants.ByRedirect},
		{"audit", c.Audit, "stdout"},
		{"traces.endpoint", c.Traces.Endpoint.String(), "https://otel.example.com:4317"},
		{"traces.ca", c.Traces.CA, filepath.Join(dir, "label-studio-ca.pem")},
		{"traces.ratio", c.Traces.Ratio, 0.01},
		{"traces.parent", c.Traces.FollowEnvoy, false},
		{"contact", c.Contact, "data-access@example.com"},
	} {
		if pair.got != pair.want {
			t.Errorf("%s is %v, want %v", pair.what, pair.got, pair.want)
		}
	}
	radiology := []string{"arn:aws:iam::111122223333:role/radiology"}
	if _, ok := c.Grants.Choose(radiology, presign.Location{Bucket: "imaging", Key: "radiology/a.png"}, grants.Place{Project: 14}); !ok {
		t.Error("radiology may not read in project 14")
	}
	policies, err := c.Grants.SessionPolicies("arn:aws:iam::111122223333:role/research")
	if err != nil || len(policies) != 1 || !strings.Contains(policies[0], "s3.eu-central-1.amazonaws.com") {
		t.Errorf("the policies of a role that reads a bucket with SSE-KMS are %q, %v", policies, err)
	}
	if _, err := config.Load("testdata/rolepass.yaml", config.ForEnvoy); err != nil {
		t.Errorf("the example as it is committed, for Envoy: %v", err)
	}
}

// minimal is the shortest configuration that serves.
const minimal = `public_url: http://localhost:8080
keys: keys
idps: [{name: corp, metadata: http://127.0.0.1:9003/metadata, audience: ["urn:amazon:webservices"], providers: ["arn:aws:iam::111122223333:saml-provider/corp"]}]
sts: [{name: local, region: us-east-1, endpoint: http://127.0.0.1:9004}]
buckets: [{name: imaging, region: us-east-1, sts: local, endpoint: http://127.0.0.1:9005}]
grants: [{role: "arn:aws:iam::111122223333:role/radiology", read: [s3://imaging/], anywhere: true}]
label_studio: {url: http://127.0.0.1:9006, secret_key_file: label-studio.secret, owner_id: 1}
`

func TestDefaults(t *testing.T) {
	c, err := load(t, home(t), minimal, config.Everything)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range []struct {
		what      string
		got, want any
	}{
		{"acs_path", c.ACSPath, "/rolepass/saml/acs"},
		{"entity_id", c.EntityID, "http://localhost:8080/rolepass/saml/metadata"},
		{"listen", c.Listen.String(), "unix:///run/rolepass/check.sock"},
		{"admin", c.Admin, "127.0.0.1:9002"},
		{"sts.duration", c.STS[0].Duration, time.Hour},
		{"bucket", c.Buckets[0].Scheme + "://" + c.Buckets[0].Host, "http://127.0.0.1:9005"},
		{"sign_in", c.LabelStudio.SignIn, config.SignInBearer},
		{"adopt", c.LabelStudio.Adopt, config.AdoptNone},
		{"confirm", c.LabelStudio.Confirm, config.ConfirmURI},
		{"session_cookie", c.LabelStudio.SessionCookie, "sessionid"},
		{"session", c.Session, config.Session{Idle: 30 * time.Minute, Absolute: 8 * time.Hour, PerPerson: 20}},
		{"state", c.State.Kind, config.StateMemory},
		{"state's size", c.State.MiB, 512},
		{"presign", c.Presign, config.Presign{Expires: time.Minute}},
		{"delivery", c.Delivery, grants.ByRoute},
		{"a grant's delivery", c.GrantList[0].Deliver, grants.AsDeployed},
		{"audit", c.Audit, "stdout"},
		{"traces", c.Traces, config.Traces{}},
		{"envoy", c.Envoy, config.Envoy{Listen: "127.0.0.1:8080", Admin: "127.0.0.1:9901", AccessLog: "/dev/stdout", CA: "/etc/ssl/certs/ca-certificates.crt", CheckAddress: "unix:///run/rolepass/check.sock"}},
		{"warnings", len(c.Warnings), 0},
	} {
		if pair.got != pair.want {
			t.Errorf("%s is %v, want %v", pair.what, pair.got, pair.want)
		}
	}
}

func TestMetadataFile(t *testing.T) {
	dir := home(t)
	text := strings.Replace(minimal, "http://127.0.0.1:9003/metadata", "idp.xml", 1)
	idp, err := samltest.New(samltest.Options{EntityID: "https://idp.example.com", SSOURL: "https://idp.example.com/sso"})
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "idp.xml", string(idp.Metadata()), 0o644)
	c, err := load(t, dir, text, config.Everything)
	if err != nil {
		t.Fatal(err)
	}
	if c.IdPs[0].Metadata == nil || c.IdPs[0].MetadataURL != nil {
		t.Errorf("metadata of a file was not read: %+v", c.IdPs[0])
	}
}
