package ststest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/rolepass/rolepass/saml/samltest"
)

const (
	acs       = "https://label.example.com/rolepass/saml/acs"
	corp      = "arn:aws:iam::111122223333:saml-provider/corp"
	radiology = "arn:aws:iam::111122223333:role/radiology"
	research  = "arn:aws:iam::111122223333:role/research"
	mistyped  = "arn:aws:iam::111122223333:role/mistyped"
	bucket    = "imaging"

	root         = "root-of-the-test"
	rootSecret   = "root-secret-of-the-test"
	userSecret   = "secret-of-a-service-user"
	startTimeout = 30 * time.Second
)

// objects are the keys in the bucket, with their content.
var objects = map[string]string{
	"radiology/red lung+1.png": "a lung",
	"radiology/ct/Größe.png":   "a slice",
	"research/1.png":           "a sample",
}

// rig is MinIO and samlsts, both real, both on ports of their own.
type rig struct {
	t       *testing.T
	dir     string
	idp     *samltest.IdP
	minio   string // HOST:PORT
	server  *exec.Cmd
	samlsts string // URL
	program *exec.Cmd
	log     string
}

// provided is the path in an environment variable that make test sets.
func provided(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Fatalf("%s is not set: run through make test", variable)
	}
	return path
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	var err error
	if r.idp, err = samltest.New(samltest.Options{EntityID: "https://idp.example.com", SSOURL: "https://idp.example.com/sso"}); err != nil {
		t.Fatal(err)
	}
	r.startMinIO()
	r.fill()
	r.makeUsers()
	r.startSAMLSTS()
	return r
}

// start runs a program until the test ends.
func (r *rig) start(program *exec.Cmd) {
	r.t.Helper()
	if err := program.Start(); err != nil {
		r.t.Fatalf("starting %s: %v", program.Path, err)
	}
	r.t.Cleanup(func() {
		program.Process.Kill()
		program.Wait()
	})
}

func (r *rig) startMinIO() {
	r.t.Helper()
	r.minio = freeAddress(r.t)
	output, err := os.Create(filepath.Join(r.dir, "minio.log"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer output.Close()
	r.server = exec.Command(provided(r.t, "ROLEPASS_MINIO"), "server", "--quiet", "--address", r.minio, "--console-address", freeAddress(r.t), filepath.Join(r.dir, "data"))
	r.server.Env = []string{"HOME=" + r.dir, "MINIO_ROOT_USER=" + root, "MINIO_ROOT_PASSWORD=" + rootSecret, "MINIO_BROWSER=off", "MINIO_UPDATE=off"}
	r.server.Stdout, r.server.Stderr = output, output
	r.start(r.server)
	r.await("http://"+r.minio+"/minio/health/cluster", output.Name())
}

// freeAddress is a loopback address where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// await asks until the answer is 200.
func (r *rig) await(url, log string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if answer, err := http.Get(url); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(log)
			r.t.Fatalf("%s did not become ready:\n%s", url, text)
		case <-again.C:
		}
	}
}

// fill makes the bucket and its objects, as the store's administrator.
func (r *rig) fill() {
	r.t.Helper()
	client := r.s3(root, rootSecret, "")
	if _, err := client.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		r.t.Fatalf("making the bucket: %v", err)
	}
	for key, content := range objects {
		if _, err := client.PutObject(context.Background(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: strings.NewReader(content)}); err != nil {
			r.t.Fatalf("putting an object: %v", err)
		}
	}
}

func (r *rig) s3(id, secret, token string) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + r.minio), UsePathStyle: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, nil
		}),
	})
}

// reads is a policy that reads everything below a prefix of the bucket.
func reads(prefix string) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Action": []string{"s3:GetObject"}, "Resource": []string{"arn:aws:s3:::" + bucket + "/" + prefix + "*"},
	}}}
}

// policy is a policy as text.
func policy(t *testing.T, document map[string]any) string {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// makeUsers makes the service user of each role, with the role's policy.
func (r *rig) makeUsers() {
	r.t.Helper()
	users := []map[string]any{
		{"user": "role-radiology", "secret": userSecret, "policy": reads("radiology/")},
		{"user": "role-research", "secret": userSecret, "policy": reads("research/")},
	}
	r.python("../stack/testdata/minio_users.py", users, r.minio)
}

// python runs a script of testdata with a JSON document on its input.
func (r *rig) python(script string, input any, arguments ...string) []byte {
	r.t.Helper()
	text, err := json.Marshal(input)
	if err != nil {
		r.t.Fatal(err)
	}
	program := exec.Command(provided(r.t, "ROLEPASS_PYTHON"), append([]string{script}, arguments...)...)
	program.Env = []string{"HOME=" + r.dir, "PATH=" + os.Getenv("PATH"), "MINIO_ROOT_USER=" + root, "MINIO_ROOT_PASSWORD=" + rootSecret, "AWS_EC2_METADATA_DISABLED=true"}
	program.Stdin = bytes.NewReader(text)
	output, err := program.Output()
	if err != nil {
		said := ""
		if failed, ok := err.(*exec.ExitError); ok {
			said = string(failed.Stderr)
		}
		r.t.Fatalf("running %s: %v\n%s", script, err, said)
	}
	return output
}

// startSAMLSTS builds the program, configures it and waits for its line.
func (r *rig) startSAMLSTS() {
	r.t.Helper()
	binary := filepath.Join(r.dir, "samlsts")
	if output, err := exec.Command("go", "build", "-o", binary, "../../cmd/samlsts").CombinedOutput(); err != nil {
		r.t.Fatalf("building samlsts: %v\n%s", err, output)
	}
	r.write("corp.xml", string(r.idp.Metadata()))
	r.write("user.secret", userSecret+"\n")
	r.log = filepath.Join(r.dir, "issued.jsonl")
	role := func(arn, user, secret string) string {
		return fmt.Sprintf("  - arn: %s\n    trust: {provider: %q, saml_aud: [%q]}\n    store: {access_key_id: %s, %s}\n", arn, corp, acs, user, secret)
	}
	config := r.write("samlsts.yaml", "listen: 127.0.0.1:0\n"+
		"store: {endpoint: \"http://"+r.minio+"\", region: us-east-1}\n"+
		"issued_log: issued.jsonl\n"+
		"providers:\n  - {arn: \""+corp+"\", metadata: corp.xml}\n"+
		"roles:\n"+
		role(radiology, "role-radiology", "secret_access_key_file: user.secret")+
		role(research, "role-research", "secret_access_key_file: user.secret")+
		role(mistyped, "role-research", "secret_access_key: wrong-secret"))
	r.program = exec.Command(binary, "--config", config)
	r.program.Stderr = os.Stderr
	output, err := r.program.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	r.start(r.program)
	line, err := bufio.NewReader(output).ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), "samlsts: listening on ")
	if err != nil || !found {
		r.t.Fatalf("samlsts said %q (%v)", line, err)
	}
	r.samlsts = "http://" + address
}

func (r *rig) write(name, text string) string {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// stop asks a program to end, and reports how it did.
func stop(program *exec.Cmd) error {
	if err := program.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return program.Wait()
}
