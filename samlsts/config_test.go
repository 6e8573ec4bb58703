package samlsts_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/samlsts"
)

// wellWritten is the configuration of Config's own documentation, and a line
// of every optional key.
const wellWritten = `
listen: 127.0.0.1:0
store: {endpoint: "http://127.0.0.1:9005", region: us-east-1}
audience: [urn:amazon:webservices]
clock_skew: 30s
providers:
  - arn: arn:aws:iam::111122223333:saml-provider/corp
    metadata: corp.xml
    decryption_key_file: decryption.pem
roles:
  - arn: arn:aws:iam::111122223333:role/radiology
    max_session_duration: 2h
    trust:
      provider: arn:aws:iam::111122223333:saml-provider/corp
      saml_aud: ["https://label.example.com/rolepass/saml/acs"]
    store: {access_key_id: role-radiology, secret_access_key_file: radiology.secret}
issued_log: issued.jsonl
`

// written puts a configuration and its files into a folder.
func written(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	private, err := x509.MarshalPKCS8PrivateKey(must(t, strangerKey).private)
	if err != nil {
		t.Fatal(err)
	}
	decryption := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	for name, content := range map[string]string{"decryption.pem": decryption, "samlsts.yaml": text, "corp.xml": metadata(entity, must(t, idpKey)), "radiology.secret": userSecret + "\n", "two-lines": "a\nb\n", "empty": "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "samlsts.yaml")
}

func TestConfigurationFile(t *testing.T) {
	file := written(t, wellWritten)
	cfg, err := samlsts.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.ClockSkew != 30*time.Second || cfg.Roles[0].MaxSessionDuration != 2*time.Hour || cfg.IssuedLog != filepath.Join(filepath.Dir(file), "issued.jsonl") {
		t.Errorf("read %+v", cfg)
	}
	r := serve(t, cfg)
	f := form(said().issue(t))
	f.Set("RoleArn", "arn:aws:iam::111122223333:role/radiology")
	r.refuses(r.call(f), 403, accessDenied, notAllowed)
}

func TestConfigurationProblems(t *testing.T) {
	replace := func(from, to string) string {
		if !strings.Contains(wellWritten, from) {
			t.Fatalf("the configuration has no %q", from)
		}
		return strings.Replace(wellWritten, from, to, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":               {wellWritten + "issue_log: x\n", `unknown field "issue_log"`},
		"unknown key inside":        {replace("region:", "regoin:"), `unknown field "regoin"`},
		"a key twice":               {wellWritten + "listen: 127.0.0.1:1\n", "already defined"},
		"two documents":             {wellWritten + "---\nlisten: x\n", "second document"},
		"empty":                     {"", "is empty"},
		"listening to everybody":    {replace("127.0.0.1:0", "0.0.0.0:9004"), "set tls"},
		"listening to a name":       {replace("127.0.0.1:0", "sts.example.com:9004"), "not a loopback address"},
		"listening to any":          {replace("127.0.0.1:0", "\":9004\""), "not a loopback address"},
		"tls without a key":         {wellWritten + "tls: {certificate_file: x}\n", "tls needs both"},
		"plain http elsewhere":      {replace("http://127.0.0.1:9005", "http://s3.example.com"), "use https"},
		"userinfo in the endpoint":  {replace("http://127.0.0.1:9005", "http://a:b@127.0.0.1:9005"), "scheme, host and port only"},
		"a path in the endpoint":    {replace("http://127.0.0.1:9005", "http://127.0.0.1:9005/sts"), "scheme, host and port only"},
		"too much skew":             {replace("30s", "5m"), "clock_skew"},
		"not a role":                {replace("role/radiology", "user/radiology"), "roles[0]: arn"},
		"a role as a pattern":       {replace("role/radiology", "role/radio*"), "is not the name of a role"},
		"a provider with a path":    {strings.ReplaceAll(wellWritten, "saml-provider/corp", "saml-provider/x/corp"), "is not the name of a saml-provider"},
		"listening without a port":  {replace("127.0.0.1:0", "127.0.0.1"), "write an address and a port"},
		"a role for a provider":     {strings.Replace(wellWritten, "saml-provider/corp\n    metadata", "role/corp\n    metadata", 1), "is not a SAML provider's"},
		"a provider without an arn": {strings.Replace(wellWritten, "arn: arn:aws:iam::111122223333:saml-provider/corp", "arn: corp", 1), "providers[0]: arn"},
		"no metadata":               {replace("metadata: corp.xml", "metadata: \"\""), "name the file with the IdP's metadata"},
		"a reserved role":           {replace("role/radiology", "role/aws-reserved/sso.amazonaws.com/x"), "aws-reserved"},
		"a provider nobody listed":  {replace("provider: arn:aws:iam::111122223333:saml-provider/corp", "provider: arn:aws:iam::111122223333:saml-provider/korp"), "trust.provider"},
		"role of another account":   {replace("arn:aws:iam::111122223333:role", "arn:aws:iam::999900001111:role"), "in the role's own account"},
		"no recipient":              {replace(`["https://label.example.com/rolepass/saml/acs"]`, "[]"), "saml_aud"},
		"a recipient as a pattern":  {replace("/rolepass/saml/acs", "/*"), "nothing is a pattern"},
		"session too short":         {replace("2h", "14m"), "max_session_duration"},
		"session too long":          {replace("2h", "13h"), "max_session_duration"},
		"no service user":           {replace("access_key_id: role-radiology, ", ""), "access_key_id"},
		"no secret":                 {replace(", secret_access_key_file: radiology.secret", ""), "secret_access_key_file"},
		"two secrets":               {replace("radiology.secret", "radiology.secret, secret_access_key: x"), "keep one"},
		"inline secret, real store": {strings.Replace(replace("secret_access_key_file: radiology.secret", "secret_access_key: canary"), "http://127.0.0.1:9005", "https://s3.example.com", 1), "inline secrets"},
		"secret file missing":       {replace("radiology.secret", "nowhere"), "reading secret_access_key_file"},
		"secret file of two lines":  {replace("radiology.secret", "two-lines"), "and nothing else"},
		"secret file empty":         {replace("radiology.secret", "empty"), "and nothing else"},
		"metadata missing":          {replace("corp.xml", "nowhere.xml"), "reading metadata"},
		"metadata is a secret":      {replace("corp.xml", "radiology.secret"), "metadata"},
		"log in no folder":          {replace("issued.jsonl", "no/folder/x"), "opening issued_log"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := samlsts.Open(written(t, c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), userSecret) {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestEveryProblemIsReportedAtOnce(t *testing.T) {
	_, err := samlsts.New(&samlsts.Config{Listen: "0.0.0.0:1", Roles: []samlsts.Role{{}}})
	for _, want := range []string{"listen", "store", "providers: name at least one", "roles[0]: arn", "trust.provider", "saml_aud", "access_key_id"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not among the problems: %v", want, err)
		}
	}
}

func TestNoRoles(t *testing.T) {
	cfg := configure(t)
	cfg.Roles = nil
	if _, err := samlsts.New(cfg); err == nil || !strings.Contains(err.Error(), "roles: name at least one") {
		t.Errorf("got %v", err)
	}
}

func TestTheSamePairTwice(t *testing.T) {
	cfg := configure(t)
	cfg.Roles = append(cfg.Roles, cfg.Roles[0])
	cfg.Providers = append(cfg.Providers, cfg.Providers[0])
	if _, err := samlsts.New(cfg); err == nil || strings.Count(err.Error(), "stands here twice") != 2 {
		t.Errorf("got %v", err)
	}
}

func TestMetadataProblems(t *testing.T) {
	good := metadata(entity, must(t, idpKey))
	small := must(t, func() (key, error) { return newKey(1024) })
	for name, c := range map[string]struct{ text, want string }{
		"not XML":              {"{}", "does not begin with an element"},
		"document type":        {"<!DOCTYPE x>" + good, "document type"},
		"a federation":         {`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"/>`, "not an EntityDescriptor"},
		"no entityID":          {strings.Replace(good, "entityID=", "entity=", 1), "no entityID"},
		"a service provider":   {strings.ReplaceAll(good, "IDPSSODescriptor", "SPSSODescriptor"), "no IDPSSODescriptor"},
		"no certificate":       {metadata(entity), "no certificate"},
		"only for encryption":  {strings.Replace(good, `use="signing"`, `use="encryption"`, 1), "no certificate"},
		"a broken certificate": {strings.Replace(good, "X509Certificate>MII", "X509Certificate>AAA", 1), "reading a certificate"},
		"a weak key":           {metadata(entity, small), "1024 bits"},
		"validity in words":    {strings.Replace(good, "entityID=", `validUntil="soon" entityID=`, 1), "validUntil"},
		"larger than any":      {good + strings.Repeat(" ", 1<<20), "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := configure(t)
			if err := os.WriteFile(cfg.Providers[0].Metadata, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := samlsts.New(cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
