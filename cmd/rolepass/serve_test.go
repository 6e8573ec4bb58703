package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rolepass/rolepass/saml/samltest"
)

const serving = `public_url: https://label.test
listen: unix://%[1]s/check.sock
admin: %[2]s
admin_socket: %[1]s/admin.sock
keys: keys
saml_keys: saml
idps:
  - {name: corp, metadata: idp.xml, audience: ["urn:amazon:webservices"], providers: ["arn:aws:iam::111122223333:saml-provider/corp"]}
sts:
  - {name: aws, region: eu-west-1}
buckets:
  - {name: imaging, region: eu-west-1, sts: aws}
grants:
  - {role: "arn:aws:iam::111122223333:role/radiology", read: ["s3://imaging/radiology/"], anywhere: true}
label_studio: {url: "http://127.0.0.1:9", secret_key_file: label-studio.key, owner_id: 1}
`

// place makes all that a server needs in a short path, as sockets want it.
func place(t *testing.T, admin string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rolepass")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	idp, err := samltest.New(samltest.Options{EntityID: "https://idp.test", SSOURL: "https://idp.test/sso"})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"rolepass.yaml": fmt.Sprintf(serving, dir, admin), "idp.xml": string(idp.Metadata()), "label-studio.key": "a key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if said, err := exec.Command("rolepass", "keys", "new", filepath.Join(dir, "keys")).CombinedOutput(); err != nil {
		t.Fatalf("keys new: %v\n%s", err, said)
	}
	if said, err := exec.Command("rolepass", "keys", "saml", filepath.Join(dir, "saml")).CombinedOutput(); err != nil {
		t.Fatalf("keys saml: %v\n%s", err, said)
	}
	return dir
}

// freeAddress is one on loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A server outlives its terminal and log rotation, and ends in order.
func TestServeAndItsSignals(t *testing.T) {
	for _, end := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(end.String(), func(t *testing.T) {
			admin := freeAddress(t)
			dir := place(t, admin)
			server := exec.CommandContext(t.Context(), "rolepass", "serve", "--config", filepath.Join(dir, "rolepass.yaml"))
			said, err := server.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(said)
			waitFor(t, lines, `"msg":"serving"`)
			if err := server.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			response, err := http.Get("http://" + admin + "/readyz")
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Errorf("readyz says %s", response.Status)
			}
			ready := func() error {
				return exec.Command("rolepass", "ready", "--config", filepath.Join(dir, "rolepass.yaml")).Run()
			}
			if err := ready(); err != nil {
				t.Errorf("rolepass ready, while it serves: %v", err)
			}
			operates(t, dir)
			if err := server.Process.Signal(end); err != nil {
				t.Fatal(err)
			}
			waitFor(t, lines, `"msg":"draining"`)
			for lines.Scan() { // to the end, before Wait closes the pipe
			}
			if err := server.Wait(); err != nil {
				t.Errorf("it ends with %v", err)
			}
			if _, err := os.Lstat(filepath.Join(dir, "check.sock")); err == nil {
				t.Error("the socket is still there")
			}
			if err := ready(); err == nil {
				t.Error("rolepass ready says yes when nobody serves")
			}
		})
	}
}

// operates has an operator look at the running server and give it a new key.
func operates(t *testing.T, dir string) {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "admin.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the admin socket is %v (%v)", info, err)
	}
	config := filepath.Join(dir, "rolepass.yaml")
	for _, c := range []struct {
		args []string
		code int
		said string
	}{
		{[]string{"sessions", "list"}, 0, "SESSION"},
		{[]string{"sessions", "list", "--json"}, 0, "[]"},
		{[]string{"sessions", "revoke", "--person", "ada"}, 1, "no such session"},
		{[]string{"sessions", "revoke", "--session", "abc"}, 1, "12 characters"},
		{[]string{"sessions", "revoke"}, 2, "at least one of the flags"},
		{[]string{"keys", "rotate"}, 0, ".key"},
	} {
		command := exec.Command("rolepass", append(c.args, "--config", config)...)
		said, _ := command.CombinedOutput() // the exit code says it
		if command.ProcessState.ExitCode() != c.code || !strings.Contains(string(said), c.said) {
			t.Errorf("%v: %d: %s", c.args, command.ProcessState.ExitCode(), said)
		}
	}
	keys, err := filepath.Glob(filepath.Join(dir, "keys", "*.key"))
	if err != nil || len(keys) != 2 {
		t.Errorf("there are the keys %v (%v)", keys, err)
	}
}

func waitFor(t *testing.T, lines *bufio.Scanner, text string) {
	t.Helper()
	var before []string
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
		before = append(before, lines.Text())
	}
	t.Fatalf("it ended without %s:\n%s", text, strings.Join(before, "\n"))
}
