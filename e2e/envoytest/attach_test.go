package envoytest_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// docs/attach-envoy.md, as it is written: its files, its commands, one after
// the other in one shell. Only the ports are ours.
func TestAttachingAsTheDocumentSays(t *testing.T) {
	page, err := os.ReadFile("../../docs/attach-envoy.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	blocks := regexp.MustCompile("(?s)```(yaml|sh)\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 3 {
		t.Fatalf("the page has %d blocks, want envoy.yaml, whole.yaml and the commands", len(blocks))
	}
	check := newCheckServer(t, filepath.Join(dir, "check.sock"))
	app, s3 := newRecorder(t, "app"), newRecorder(t, "s3")
	website, admin, public := freePort(t), freePort(t), freePort(t)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("envoy.yaml", strings.NewReplacer("8080", website, "9901", admin).Replace(blocks[0][2]))
	write("whole.yaml", blocks[1][2])
	write("rolepass.yaml", fmt.Sprintf(`public_url: http://localhost:%s
listen: unix://%s
keys: keys
idps:
  - {name: corp, metadata: idp.xml, audience: ["urn:amazon:webservices"], providers: ["arn:aws:iam::111122223333:saml-provider/corp"]}
sts:
  - {name: aws, region: eu-west-1}
buckets:
  - {name: imaging, region: eu-west-1, sts: aws, endpoint: "http://%s"}
grants:
  - {role: "arn:aws:iam::111122223333:role/radiology", read: ["s3://imaging/radiology/"], anywhere: true}
label_studio: {url: "%s", secret_key_file: label-studio.key, owner_id: 1}
envoy: {admin: "127.0.0.1:%s", access_log: %s}
`, public, check.socket, s3.host(), app.URL, admin, filepath.Join(dir, "access.log")))
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "rolepass"), "../../cmd/rolepass").CombinedOutput(); err != nil {
		t.Fatalf("building rolepass: %v\n%s", err, out)
	}
	if err := os.Symlink(envoyBinary(t), filepath.Join(dir, "envoy")); err != nil {
		t.Fatal(err)
	}

	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-e", "-c", strings.ReplaceAll(blocks[2][2], "--log-level error", "--log-level error --disable-hot-restart --concurrency 1"))
	shell.Dir, shell.Stdout, shell.Stderr = dir, out, out
	shell.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }) // the Envoy that the shell started
	if err := shell.Wait(); err != nil {
		said, _ := os.ReadFile(out.Name())
		t.Fatalf("the commands: %v\n%s", err, said)
	}
	get := func(address string) (int, string) {
		response, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(body)
	}
	if code, body := get("http://127.0.0.1:" + website + "/"); code != 200 || body != "the website\n" {
		t.Errorf("the other site: %d %q", code, body)
	}
	if code, body := get("http://localhost:" + public + "/projects"); code != 200 || body != "from app" || check.count() != 1 {
		t.Errorf("ours: %d %q, and Check was asked %d times", code, body, check.count())
	}
	again := exec.Command(filepath.Join(dir, "rolepass"), "lint", "--config", "rolepass.yaml")
	again.Dir = dir
	if text, err := again.CombinedOutput(); err != nil {
		t.Errorf("lint: %v\n%s", err, text)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
