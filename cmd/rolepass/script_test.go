package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rolepass/rolepass/saml/samltest"
)

// TestMain lets the scripts run this very program under its own name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rolepass": main})
}

// at is when the assertions of the scripts were issued.
var at = time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)

// The scripts in testdata/script say what an operator types and sees.
func TestScripts(t *testing.T) {
	idp, err := samltest.New(samltest.Options{EntityID: "https://idp.test", SSOURL: "https://idp.test/sso", Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	other, err := samltest.New(samltest.Options{EntityID: "https://other.test", SSOURL: "https://other.test/sso", Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	key, err := samltest.NewKeyValid(2048, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	ended, err := samltest.New(samltest.Options{EntityID: "https://ended.test", SSOURL: "https://ended.test/sso", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metadata" {
			http.Redirect(w, r, "/metadata", http.StatusFound)
			return
		}
		_, _ = w.Write(idp.Metadata())
	}))
	t.Cleanup(server.Close) // the scripts run in parallel, after this returns
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("IDP", server.URL)
			if err := os.WriteFile(filepath.Join(env.WorkDir, "idp.xml"), idp.Metadata(), 0o600); err != nil {
				return err
			}
			for name, one := range map[string]*samltest.IdP{"other.xml": other, "ended.xml": ended} {
				if err := os.WriteFile(filepath.Join(env.WorkDir, name), one.Metadata(), 0o600); err != nil {
					return err
				}
			}
			if err := os.Chmod(env.WorkDir, 0o700); err != nil {
				return err
			}
			return assertions(idp, env.WorkDir)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits runs a program that must end with this code: exits CODE PROGRAM ARGS.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("%v ends with %d (%v)", args[1:], code, err)
	}
}

// assertions writes the responses that the scripts look at.
func assertions(idp *samltest.IdP, dir string) error {
	right := samltest.Spec{
		ACS: "https://label.test/rolepass/saml/acs", InResponseTo: "_asked", NameID: "4711", SessionName: "ada@example.com",
		Roles:      []string{"arn:aws:iam::111122223333:role/radiology,arn:aws:iam::111122223333:saml-provider/corp", "arn:aws:iam::444455556666:role/other,arn:aws:iam::444455556666:saml-provider/other"},
		Attributes: []samltest.Attribute{{Name: "email", Values: []string{"ada@example.com"}}},
	}
	unsolicited, slash := right, right
	unsolicited.InResponseTo = samltest.Absent
	slash.ACS += "/"
	for name, spec := range map[string]samltest.Spec{"right.b64": right, "unsolicited.b64": unsolicited, "slash.b64": slash} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(idp.Response(spec)+"\n"), 0o600); err != nil {
			return err
		}
	}
	changed := []byte(idp.Response(right))
	text, err := base64.StdEncoding.DecodeString(string(changed))
	if err != nil {
		return err
	}
	forged := strings.Replace(string(text), "ada@example.com", "eve@example.com", 1)
	return os.WriteFile(filepath.Join(dir, "forged.b64"), []byte(base64.StdEncoding.EncodeToString([]byte(forged))), 0o600)
}

// What is printed is what AWS's own SDK signs.
func TestDebugPresignIsTheSDKs(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_SESSION_TOKEN", "token/+=")
	config := filepath.Join(t.TempDir(), "rolepass.yaml")
	if err := os.WriteFile(config, []byte("public_url: https://label.test\nbuckets:\n  - {name: imaging, region: eu-west-1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"GET", "HEAD"} {
		for key, escaped := range map[string]string{
			"radiology/red lung+1.png":   "radiology/red%20lung%2B1.png",
			"a&b=c/Größe~(1)!.png":       "a%26b%3Dc/Gr%C3%B6%C3%9Fe~%281%29%21.png",
			"deep/er/than/one/#hash%2Fx": "deep/er/than/one/%23hash%252Fx",
		} {
			var out, said strings.Builder
			status := run(t.Context(), []string{"debug", "presign", "--config", config, "--method", method, "--at", "2027-01-15T08:00:00Z", "--expires", "90s", "s3://imaging/" + key}, streams{out: &out, err: &said})
			if status != 0 {
				t.Fatalf("%s %s: %d %s", method, key, status, said.String())
			}
			want := signedBySDK(t, method, "https://s3.eu-west-1.amazonaws.com/imaging/"+escaped+"?X-Amz-Expires=90")
			if strings.TrimSpace(out.String()) != want {
				t.Errorf("%s %s:\n%swant\n%s", method, key, out.String(), want)
			}
		}
	}
}

func signedBySDK(t *testing.T, method, address string) string {
	t.Helper()
	r, err := http.NewRequest(method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	signed, _, err := signer.PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret", SessionToken: "token/+="}, r, "UNSIGNED-PAYLOAD", "s3", "eu-west-1", at)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// Every command says how it is called.
func TestEveryCommandHasHelp(t *testing.T) {
	for _, command := range []string{"serve", "validate", "generate envoy", "lint", "keys new", "debug assertion", "debug presign", "version"} {
		var out strings.Builder
		args := append(strings.Fields(command), "--help")
		if status := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: io.Discard}); status != 0 || !strings.Contains(out.String(), "Usage:") {
			t.Errorf("%s: %s", command, fmt.Sprint(status, out.String()))
		}
	}
}
