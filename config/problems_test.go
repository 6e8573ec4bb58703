package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/config"
)

// bad has one mistake on nearly every line.
const bad = `public_url: http://label.example.com/app/
acs_path: rolepass/acs
entity_id: yes
listen: 0.0.0.0:9001
admin: 10.0.0.1:9002
keys: nowhere
colour: blue
idps:
  - name: Corp IdP
    metadata: http://idp.example.com/metadata
    audience: ["{urn:amazon:webservices}"]
    providers: [arn:aws:iam::111122223333:role/corp]
  - name: other
    metadata: nowhere.xml
    audience: []
    providers: [arn:aws:iam::111122223333:saml-provider/other]
sts:
  - {name: aws, region: eu-wst-1x, duration: 13h}
  - {name: aws, region: eu-west-1, duration: 1 hour}
buckets:
  - {name: Imaging, region: eu-west-1, sts: aws}
  - {name: papers, region: cn-north-1, sts: aws}
  - {name: slides, region: eu-west-1, sts: elsewhere, kms: "yes"}
  - {name: slides, region: eu-west-1, sts: aws}
grants:
  - role: arn:aws:iam::111122223333:role/radiology
    read: [s3://imaging/radiology]
    anywhere: yes
  - role: arn:aws:iam::111122223333:role/radiology
    read: [s3://slides/a/../b/, "s3://slides/a?b/"]
    projects: [0, twelve, 012]
  - role: arn:aws:iam::999900001111:role/research
    read: [s3://elsewhere/]
    anywhere: true
    role: arn:aws:iam::111122223333:role/research
  - role: arn:aws:iam::111122223333:role/nowhere
    read: [s3://slides/]
  - role: radiology
    read: s3://slides/
    anywhere: false
    projects: [1, 1]
label_studio:
  url: label-studio:8080
  sign_in: token
  owner_token_file: nowhere.token
  secret_key_file: nowhere.secret
  owner_id: "1"
  confirm: no
  session_cookie: a=b
session: {idle: 2h, absolute: 1h}
state: {kind: redis, mib: 8}
presign: {expires: 2h}
audit: 12
envoy: {listen: localhost, admin: 0.0.0.0:9901, certificate: tls.crt}
contact: " ward 7"
`

// TestEveryProblemAtOnce holds what is said about a bad file against a list
// that a person has read. UPDATE=1 writes the list anew.
func TestEveryProblemAtOnce(t *testing.T) {
	dir := home(t)
	_, err := load(t, dir, bad, config.Everything)
	var problems config.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("the error is %v", err)
	}
	got := strings.ReplaceAll(problems.Error(), dir+string(filepath.Separator), "") + "\n"
	const golden = "testdata/problems.txt"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the problems are\n%s\nwant\n%s", got, want)
	}
}
