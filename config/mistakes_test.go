package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/config"
)

// refused wants a text to have problems, one of them with these words.
func refused(t *testing.T, dir, text string, needs config.Needs, words string) {
	t.Helper()
	_, err := load(t, dir, text, needs)
	var problems config.Problems
	if !errors.As(err, &problems) {
		t.Errorf("accepted, or not read (%v); want a problem with %q", err, words)
		return
	}
	for _, p := range problems {
		if strings.Contains(p.String(), words) {
			return
		}
	}
	t.Errorf("no problem says %q:\n%v", words, problems)
}

func TestOneMistakeIsEnough(t *testing.T) {
	dir := home(t)
	for _, c := range []struct{ old, new, words string }{
		// what the document is made of
		{"public_url:", "public_url: http://localhost\npublic_url:", "the key is there already, on line 1"},
		{"keys: keys", "keys: keys\nkey: x", ":3: key: there is no such key"},
		{"keys: keys", "keys: &k keys", "an anchor or an alias"},
		{"keys: keys", "keys: !!str keys", "a YAML tag"},
		{"keys: keys", "keys: keys\n<<: {audit: x}", "a key is an anchor"},
		{"keys: keys", "keys: keys\n1: x", "a key is a number"},
		{"keys: keys", "keys: keys\n---\naudit: x", "a second document"},
		{"keys: keys", "keys: [", "this is not YAML"},
		{"keys: keys", "keys: [", "close each bracket"},
		{"keys: keys", "keys: keys\n  audit: x", "are indented alike"},
		{"idps: [", "\tidps: [", "and not with tabs"},
		{"keys: keys", "keys: keys\ncontact: ward: 7", "is in quotes"},
		{"keys: keys", "keys: keys\ncontact: @ward7", "put the text in quotes"},
		{"owner_id: 1}", "owner_id: 1}\ncontact: \"ward 7", "close each bracket, brace and quote"},
		{"endpoint: http://127.0.0.1:9004", "duration: 3600", "write its unit, too, such as 1h"},
		{"keys: keys", "keys: |\n  keys", "a block of text"},
		{"keys: keys", "keys:", "this is empty"},
		{`["urn:amazon:webservices"]`, `[urn:amazon:webservices]`, "in quotes if it has a colon"}, // as the parser reads it inside {}
		{"keys: keys", "keys: ''", "the text is empty"},
		{"keys: keys", `keys: "a\nb"`, "a control character"},
		{"keys: keys\n", "", "keys: it is missing"},
		{"anywhere: true}]", "anywhere: true}", "this is not YAML"},
		{"anywhere: true", "anywhere: on", "neither true nor false"},
		{"anywhere: true", "anywhere: 'true'", "neither true nor false"},
		{"anywhere: true", "anywhere: True", "neither true nor false"},
		{"anywhere: true", "anywhere: 1", "neither true nor false"},
		{"name: corp", "name: off", "true or false"},
		// addresses
		{"public_url: http://localhost:8080", "public_url: http://label.example.com", "use https"},
		{"public_url: http://localhost:8080", "public_url: http://localhost:8080/", "final slash"},
		{"public_url: http://localhost:8080", "public_url: http://127.0.0.1.example.com", "use https"},
		{"public_url: http://localhost:8080", "public_url: https://user@label.example.com", "user"},
		{"public_url: http://localhost:8080", "public_url: 'https://label.example.com#'", "more than scheme"},
		{"public_url: http://localhost:8080", "public_url: https://label.example.com:0", "not a web address"},
		{"public_url: http://localhost:8080", "public_url: ftp://localhost", "not a web address"},
		{"keys: keys", "keys: keys\nlisten: 192.0.2.1:9001", "give check_tls (mutual TLS)"},
		{"keys: keys", "keys: keys\nlisten: unix://run/x", "is no socket"},
		{"keys: keys", "keys: keys\nlisten: ':9001'", "an address and a port"},
		{"keys: keys", "keys: keys\nlisten: 192.0.2.1:0", "an address and a port"},
		{"keys: keys", "keys: keys\nlisten: rolepass:9001", "an address and a port"},
		{"keys: keys", "keys: keys\nlisten: 0.0.0.0:9001", "give check_tls (mutual TLS)"},
		{"keys: keys", "keys: keys\ncheck_tls: {certificate: a, private_key: b, ca: c, name: r.test, envoy_name: e.test}", "a Unix socket needs no TLS"},
		{"keys: keys", "keys: keys\nlisten: 192.0.2.1:9001\ncheck_tls: {certificate: a, private_key: b, ca: c, name: r.test}", "each end proves its name"},
		{"keys: keys", "keys: keys\nlisten: 192.0.2.1:9001\ncheck_tls: {certificate: a, private_key: b, ca: c, name: '*.r.test', envoy_name: e.test}", "is no DNS name"},
		{"keys: keys", "keys: keys\nlisten: 192.0.2.1:9001\ncheck_tls: {certificate: a, private_key: b, ca: c, name: 192.0.2.1, envoy_name: e.test}", "is no DNS name"},
		{"keys: keys", "keys: keys\nlisten: 192.0.2.1:9001\ncheck_tls: {certificate: a, private_key: b, ca: c, name: r.test, envoy_name: e.test}", "cannot be used with its private_key"},
		{"keys: keys", "keys: keys\nlisten: 0.0.0.0:9001\ncheck_tls: {certificate: a, private_key: b, ca: c, name: r.test, envoy_name: e.test}\nenvoy: {check_certificate: a}", "at which Envoy reaches it"},
		{"keys: keys", "keys: keys\nlisten: 192.0.2.1:9001\ncheck_tls: {certificate: a, private_key: b, ca: c, name: r.test, envoy_name: e.test}\nenvoy: {check_certificate: a}", "give the PEM file that Envoy has"},
		{"keys: keys", "keys: keys\nenvoy: {check_ca: /etc/ca.pem}", "it is for mutual TLS"},
		{"keys: keys", "keys: keys\nenvoy: {check_address: '10.0.0.7:9001'}", "give check_tls, or leave it out"},
		{"keys: keys", "keys: keys\nadmin: 127.0.0.1:0", "loopback"},
		{"keys: keys", "keys: keys\nmonitoring: rolepass:9003", "is not IP:PORT"},
		{"keys: keys", "keys: keys\nmonitoring: 0.0.0.0:0", "is not IP:PORT"},
		{"keys: keys", "keys: keys\nmonitoring: 127.0.0.1:9002", "is the address of admin, too"},
		{"keys: keys", "keys: keys\nadmin: 127.0.0.1:9901", "is the address of admin, too"},
		{"keys: keys", "keys: keys\nlisten: unix:///run/x.sock\nadmin_socket: /run/x.sock", "is the address of listen, too"},
		{"keys: keys", "keys: keys\nacs_path: /a/../b", "not a plain path"},
		{"keys: keys", "keys: keys\nacs_path: /a?b", "not a plain path"},
		{"url: http://127.0.0.1:9006", "url: http://localhost:8080", "round in a circle"},
		{"url: http://127.0.0.1:9006", "url: http://127.0.0.1:9006/app", "more than scheme"},
		{"metadata: http://127.0.0.1:9003/metadata", "metadata: http://idp.example.com/metadata", "must come over https"},
		{"metadata: http://127.0.0.1:9003/metadata", "metadata: file:///etc/idp.xml", "is not an address"},
		{"endpoint: http://127.0.0.1:9004", "endpoint: http://sts.example.com", "use https"},
		{"endpoint: http://127.0.0.1:9005", "endpoint: http://s3.example.com", "use https"},
		// what sections say about each other
		{"sts: local, endpoint", "sts: other, endpoint", "there is no token service other"},
		{"read: [s3://imaging/]", "read: [s3://papers/]", "there is no bucket papers"},
		{"read: [s3://imaging/]", "read: [s3://imaging/, s3://imaging/]", "twice"},
		{"arn:aws:iam::111122223333:saml-provider", "arn:aws:iam::111122224444:saml-provider", "no identity provider has a SAML provider in the role's account"},
		{"arn:aws:iam::111122223333:saml-provider", "arn:aws-cn:iam::111122223333:saml-provider", "no identity provider has a SAML provider in the role's account"},
		{":role/radiology", ":role/aws-reserved/sso.amazonaws.com/x", "Identity Center"},
		{"anywhere: true}]", "anywhere: true}, {role: \"arn:aws:iam::111122223333:role/radiology\", read: [s3://imaging/], anywhere: true}]", "grants 1 and 2 both give"},
		{"region: us-east-1, sts: local, endpoint: http://127.0.0.1:9005", "region: cn-north-1, sts: local", "cannot be used together"},
		{"owner_id: 1", "owner_id: 1, confirm: maybe", "write one of uri, permission, none"},
		{"public_url: ", "check_codec: fast\npublic_url: ", "write one of plain, scan"},
		{"owner_id: 1", "owner_id: 1, sign_in: magic", "write one of bearer, token, own"},
		{"owner_id: 1", "owner_id: 1, sign_in: own", "does not use owner_id"},
		{"owner_id: 1", "owner_id: 1, sign_in: own", "does not use secret_key_file"},
		{"owner_id: 1", "owner_id: 1, sign_in: token", "owner_token_file"},
		{"owner_id: 1", "owner_id: 1, sign_in: token", "does not use secret_key_file"},
		{"owner_id: 1", "owner_id: 1, adopt: domain", "write one of none, email"},
		{"secret_key_file: label-studio.secret, owner_id: 1", "owner_token_file: label-studio.secret, owner_id: 1, sign_in: token, adopt: email", "adopts none"},
		{"owner_id: 1", "owner_id: 1, sign_in: observe", "list the application's own consumer services"},
		{"secret_key_file: label-studio.secret, owner_id: 1", "sign_in: observe, acs: [{path: /saml/t/acs, idp: nobody}]", "no identity provider nobody"},
		{"owner_id: 1", "owner_id: 1, owner_token_file: x", "does not use owner_token_file"},
		{"owner_id: 1", "owner_id: -1", "whole number above zero"},
		{"owner_id: 1", "owner_id: 99999999999999999999", "whole number above zero"},
		{"keys: keys", "keys: keys\nenvoy: {certificate: a, private_key: b}", "needs no certificate"},
		{"public_url: http://localhost:8080", "public_url: https://label.example.com\nenvoy: {ca: x}", "give the PEM files of a certificate"},
		{"keys: keys", "keys: keys\nenvoy: {trusted_hops: 9}", "trusted_hops is 9: write 1 to 8"},
		// delivery
		{"keys: keys", "keys: keys\ndelivery: header", "would serve the object with its own key"},
		{"keys: keys", "keys: keys\ndelivery: proxy", "write one of route, redirect, header"},
		{"anywhere: true", "anywhere: true, deliver: header", "grants[0]: Label Studio reads no location"},
		{"anywhere: true", "anywhere: true, deliver: ''", "the text is empty"},
		{"keys: keys", "keys: keys\npresign: {by: cookie}", "write one of query, header"},
		// traces
		{"keys: keys", "keys: keys\ntraces: {ratio: 0.5}", "traces.endpoint: it is missing"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: 'otel:4317'}", "not a web address"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: https://otel.example.com/v1/traces}", "more than scheme, host and port"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: https://otel.example.com, ratio: 1.5}", "a number from 0 to 1"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: https://otel.example.com, ratio: -0.1}", "a number from 0 to 1"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: https://otel.example.com, ratio: '0.1'}", "a number from 0 to 1"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: https://otel.example.com, ratio: .nan}", "a number from 0 to 1"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: https://otel.example.com, ratio: 0}", "there is never a trace"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: https://otel.example.com, parent: browser}", "write one of ignore, envoy"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: http://127.0.0.1, ca: ca.pem}", "knows no certificates"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: https://otel.example.com, ca: label-studio.secret}", "no certificate in PEM"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: https://otel.example.com, certificate: otel.crt}", "go together"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: https://otel.example.com, certificate: otel.crt, private_key: label-studio.secret}", "cannot be used with its private_key"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: https://otel.example.com, certificate: otel.crt, private_key: nowhere.key}", "nowhere.key is not there"},
		// another application
		{"label_studio: {", "application: {url: http://127.0.0.1:9007, fetches: [{path: '/files/{key...}', object: 's3://imaging/{key}'}]}\nlabel_studio: {", "one Rolepass stands before one application"},
		// files
		{"secret_key_file: label-studio.secret, owner_id: 1}", "sign_in: own, owner_id: 1}\nworkloads: [{name: ml, app_user: 1, role: \"arn:aws:iam::111122223333:role/radiology\", credentials: environment}]", "the organization's owner"},
		{"secret_key_file: label-studio.secret, owner_id: 1}", "sign_in: own}\nworkloads: [{name: ml, app_user: 7, role: \"arn:aws:iam::111122223333:role/radiology\", credentials: environment}]", "give label_studio owner_id"},
		{"keys: keys", "keys: keys\nadmin: 127.0.0.1:9002\nmonitoring: 0.0.0.0:9002", "is the address of admin, too"},
		{"keys: keys", "keys: keys\nmonitoring: \"[::]:9002\"", "is the address of admin, too"},
		{"keys: keys", "keys: keys\nworkloads: [{name: ml, app_user: 1, role: \"arn:aws:iam::111122223333:role/research\", credentials: environment}]", "the organization's owner"},
		{"keys: keys", "keys: keys\nworkloads: [{name: ml, app_user: 7, role: \"arn:aws:iam::111122223333:role/nobodys\", credentials: instance}]", "no grant names the role"},
		{"keys: keys", "keys: keys\nworkloads: [{name: a, app_user: 7, role: x, credentials: container}, {name: b, app_user: 7, role: x, credentials: container}]", "that of the workload a already"},
		{"keys: keys", "keys: keys\nworkloads: [{name: a, app_user: 7, role: \"arn:aws:iam::111122223333:role/radiology\"}]", "nothing says with whose credentials"},
		{"keys: keys", "keys: keys\nworkloads: [{name: a, app_user: 7, role: \"arn:aws:iam::111122223333:role/radiology\", credentials: default}]", "write one of environment, instance, container"},
		{"keys: keys", "keys: keys\nworkloads: [{name: a, app_user: 7, role: \"arn:aws:iam::111122223333:role/radiology\", credentials: instance, web_identity_token_file: /t}]", "leave out one of"},
		{"keys: keys", "keys: keys\nworkloads: [{name: a, app_user: 7, role: \"arn:aws:iam::111122223333:role/radiology\", credentials: container, instance_metadata: \"http://127.0.0.1:1\"}]", "for credentials: instance only"},
		{"keys: keys", "keys: keys\nworkloads: [{name: a, app_user: 7, role: \"arn:aws:iam::111122223333:role/radiology\", credentials: instance, instance_metadata: \"http://198.51.100.7\"}]", "must not come from elsewhere"},
		{"keys: keys", "keys: keys\nworkloads: [{name: a, app_user: 7, role: \"arn:aws:iam::111122223333:role/radiology\", credentials: instance, instance_metadata: \"https://169.254.169.254\"}]", "must not come from elsewhere"},
		{"keys: keys", "keys: nowhere", "rolepass keys new"},
		{"keys: keys", "keys: label-studio.secret", "not a directory"},
		{"secret_key_file: label-studio.secret", "secret_key_file: keys", "is not a file"},
		{"metadata: http://127.0.0.1:9003/metadata", "metadata: label-studio.secret", "idps[0].metadata:"},
		{"metadata: http://127.0.0.1:9003/metadata", "metadata: idp.xml", "relative to the configuration's directory"},
	} {
		if !strings.Contains(minimal, c.old) {
			t.Fatalf("the minimal configuration has no %q", c.old)
		}
		t.Run(c.new, func(t *testing.T) {
			refused(t, dir, strings.Replace(minimal, c.old, c.new, 1), config.Everything, c.words)
		})
	}
}

func TestFilesThatOthersMayRead(t *testing.T) {
	for _, c := range []struct {
		name  string
		mode  os.FileMode
		words string
	}{
		{"keys/2026-11-24.key", 0o640, "chmod 600"},
		{"keys/2026-11-24.key", 0o604, "chmod 600"},
		{"label-studio.secret", 0o644, "chmod 600"},
		{"label-studio.secret", 0o602, "chmod 600"},
	} {
		dir := home(t)
		if err := os.Chmod(filepath.Join(dir, c.name), c.mode); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, minimal, config.Everything, c.words)
		if _, err := load(t, dir, minimal, config.ForEnvoy); err != nil {
			t.Errorf("Envoy's bootstrap needs no such file, and yet: %v", err)
		}
	}
}

func TestSecretsThatCannotBeRight(t *testing.T) {
	for text, words := range map[string]string{
		"":                            "is empty",
		"SECRET_KEY=abc\n":            "without its name",
		"SECRET_KEY=abc\nDEBUG=false": "several lines",
		"abc\ndef\n":                  "several lines",
	} {
		dir := home(t)
		write(t, dir, "label-studio.secret", text, 0o600)
		refused(t, dir, minimal, config.Everything, words)
	}
	dir := home(t)
	write(t, dir, "label-studio.secret", "a=b 'c'\r\n", 0o600)
	if _, err := load(t, dir, minimal, config.Everything); err != nil {
		t.Errorf("a value with a line's end is refused: %v", err)
	}
	write(t, dir, "keys/2026-11-25.key", "not hexadecimal\n", 0o600)
	refused(t, dir, minimal, config.Everything, "32 bytes in hexadecimal")
}

func TestOnlyWhatIsNeeded(t *testing.T) {
	assertion := "public_url: http://localhost:8080\nidps: [{name: corp, metadata: http://127.0.0.1:9003/metadata, audience: [corp]}]\n"
	presign := "public_url: http://localhost:8080\nbuckets: [{name: imaging, region: eu-west-1}]\n"
	for _, c := range []struct {
		text  string
		needs config.Needs
	}{{assertion, config.ForAssertion}, {presign, config.ForPresign}, {minimal, config.ForAssertion}, {minimal, config.ForPresign}} {
		if _, err := load(t, t.TempDir(), c.text, c.needs); err != nil {
			t.Errorf("%s\nfor purpose %d: %v", c.text, c.needs, err)
		}
		refused(t, t.TempDir(), c.text+"colour: blue\n", c.needs, "there is no such key")
		refused(t, t.TempDir(), c.text+"session: {idle: soon}\n", c.needs, "no duration")
	}
	refused(t, t.TempDir(), assertion, config.ForPresign, "buckets: it is missing")
	refused(t, t.TempDir(), presign, config.ForAssertion, "idps: it is missing")
	refused(t, t.TempDir(), assertion, config.Everything, "grants: it is missing")
	refused(t, t.TempDir(), assertion, config.Everything, "idps[0].providers: it is missing")
	refused(t, t.TempDir(), presign, config.Everything, "buckets[0].sts: it is missing")
	refused(t, t.TempDir(), "public_url: https://label.example.com\n", config.ForEnvoy, "envoy.certificate: it is missing")
	for _, nothing := range []string{"", "# nothing\n", "---\n"} {
		refused(t, t.TempDir(), nothing, config.ForPresign, "the file is empty")
	}
	refused(t, t.TempDir(), "- 1\n", config.ForPresign, "this is a list")
	refused(t, t.TempDir(), "12\n", config.ForPresign, "this is a number")
}

// TestAByteOrderMark: editors on Windows write one, and nobody sees it.
func TestAByteOrderMark(t *testing.T) {
	if _, err := load(t, home(t), "\ufeff"+minimal, config.Everything); err != nil {
		t.Error(err)
	}
	refused(t, home(t), "\ufeff\ufeff"+minimal, config.Everything, "there is no such key")
}

func TestAFileThatCannotBeRead(t *testing.T) {
	if _, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"), config.Everything); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct{ old, new, words string }{
		{"owner_id: 1", "owner_id: 1, confirm: permission", "whoever sees one task"},
		{"owner_id: 1", "owner_id: 1, confirm: none", "not asked at all"},
		{"region: us-east-1, sts: local, endpoint: http://127.0.0.1:9005", "region: us-eest-1, sts: local", "us-eest-1 is no region that this version knows"},
		{"region: us-east-1, endpoint: http://127.0.0.1:9004", "region: us-eest-1", "us-eest-1 is no region that this version knows"},
		{"region: us-east-1, sts: local, endpoint", "region: home-1, sts: local, endpoint", ""},
		{"anywhere: true", "projects: [12]", "no boundary in Label Studio Community"},
		{"anywhere: true", "workspaces: [12]", "Community has no workspaces"},
		{"endpoint: http://127.0.0.1:9005}", "endpoint: http://127.0.0.1:9005, kms: true}", "may refuse session policies"},
		{"endpoint: http://127.0.0.1:9005}", "endpoint: http://127.0.0.1:9005}, {name: papers, region: eu-west-1, sts: local}", "no grant reads the bucket papers"},
		{"anywhere: true", "anywhere: true, deliver: redirect", "each needs a CORS rule for the origin http://localhost:8080"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: http://otel.example.com}", "in the clear"},
		{"keys: keys", "keys: keys\ntraces: {endpoint: http://localhost, ratio: 1}", ""},
		{"keys: keys", "keys: keys\ntraces: {endpoint: https://otel.example.com, ratio: 0, parent: envoy}", ""},
		{", endpoint: http://127.0.0.1:9004}", "}", ""},
	} {
		got, err := load(t, home(t), strings.Replace(minimal, c.old, c.new, 1), config.Everything)
		if err != nil {
			t.Errorf("%s: %v", c.new, err)
			continue
		}
		if c.words == "" && len(got.Warnings) != 0 || c.words != "" && (len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0].Sentence, c.words)) {
			t.Errorf("%s: the warnings are %v, want one with %q", c.new, got.Warnings, c.words)
		}
	}
	short, err := load(t, home(t), minimal+"delivery: redirect\npresign: {expires: 59s}\n", config.Everything)
	if err != nil || len(short.Warnings) != 2 || !strings.Contains(short.Warnings[1].Sentence, "service worker keeps") {
		t.Errorf("a signed location that ends before the service worker forgets it: %v, %v", short, err)
	}
	titled, err := load(t, home(t), strings.Replace(minimal, "anywhere: true", "project_titles: [Radiology]", 1), config.Everything)
	if err != nil || len(titled.Warnings) != 2 || !strings.Contains(titled.Warnings[1].Sentence, "can rename projects") {
		t.Errorf("titles: %v, %v", titled, err)
	}
	text := strings.NewReplacer(", endpoint: http://127.0.0.1:9004}", "}", `["urn:amazon:webservices"]`, "[corp]").Replace(minimal)
	got, err := load(t, home(t), text, config.Everything)
	if err != nil || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0].Sentence, "urn:amazon:webservices") {
		t.Errorf("AWS's audience is missing: %v, %v", got, err)
	}
}

// FuzzParse looks for panics, and for texts that are accepted although they
// have a key that does not exist.
func FuzzParse(f *testing.F) {
	for _, text := range []string{minimal, bad, "a: &x [*x]", "? {a: b}\n: c", "public_url: \xff", "{", "- - -", "public_url: !!binary aGk="} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := config.Parse("rolepass.yaml", []byte(text+"\nno_such_key: 1\n"), config.ForPresign); err == nil {
			t.Errorf("accepted with an unknown key: %q", text)
		}
		_, _ = config.Parse("rolepass.yaml", []byte(text), config.ForEnvoy)
	})
}
