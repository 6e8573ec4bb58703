package s3guard_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/rolepass/rolepass/e2e/s3guard"
)

const (
	region       = "eu-west-1"
	root         = "root-of-the-test"
	rootSecret   = "root-secret-of-the-test"
	startTimeout = 30 * time.Second
)

// store is a real MinIO, and a guard before it.
type store struct {
	t            *testing.T
	minio, guard string // http://HOST:PORT
	log          string
}

func newStore(t *testing.T) *store {
	t.Helper()
	binary := os.Getenv("ROLEPASS_MINIO")
	if binary == "" {
		t.Fatal("ROLEPASS_MINIO does not name a minio binary: run through make test")
	}
	dir := t.TempDir()
	address := freeAddress(t)
	s := &store{t: t, minio: "http://" + address, log: filepath.Join(dir, "requests.jsonl")}
	var said bytes.Buffer
	program := exec.Command(binary, "server", "--quiet", "--address", address, "--console-address", freeAddress(t), filepath.Join(dir, "data"))
	program.Env = []string{"HOME=" + dir, "MINIO_ROOT_USER=" + root, "MINIO_ROOT_PASSWORD=" + rootSecret, "MINIO_BROWSER=off", "MINIO_UPDATE=off", "MINIO_REGION=" + region}
	program.Stdout, program.Stderr = &said, &said
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		program.Process.Kill()
		program.Wait()
		if t.Failed() {
			t.Logf("MinIO said:\n%s", said.Bytes())
		}
	})
	s.await()
	s.startGuard()
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func (s *store) await() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if answer, err := http.Get(s.minio + "/minio/health/cluster"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ctx.Done():
			s.t.Fatal("MinIO did not become ready")
		case <-again.C:
		}
	}
}

func (s *store) startGuard() {
	s.t.Helper()
	address, err := url.Parse(s.minio)
	if err != nil {
		s.t.Fatal(err)
	}
	log, err := os.Create(s.log)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { log.Close() })
	guard, err := s3guard.New(s3guard.Options{Store: address, Region: region, Log: log})
	if err != nil {
		s.t.Fatal(err)
	}
	server := httptest.NewServer(guard)
	s.t.Cleanup(server.Close)
	s.guard = server.URL
}

func (s *store) client(c aws.Credentials) *s3.Client {
	return s3.New(s3.Options{
		Region: region, BaseEndpoint: aws.String(s.guard), UsePathStyle: true, RetryMaxAttempts: 10, // MinIO says that it is ready a moment before it is
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil }),
	})
}

var owner = aws.Credentials{AccessKeyID: root, SecretAccessKey: rootSecret}

// temporary gives credentials with a session token, from MinIO itself.
func (s *store) temporary() aws.Credentials {
	s.t.Helper()
	client := sts.New(sts.Options{Region: region, BaseEndpoint: aws.String(s.minio), Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return owner, nil })})
	out, err := client.AssumeRole(context.Background(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::111122223333:role/any"), RoleSessionName: aws.String("test"), DurationSeconds: aws.Int32(900),
		Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::imaging/*"]}]}`),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
}

const lung = "radiology/red lung+1 Größe.png"

// fill puts one object through the guard and gives its ETag.
func (s *store) fill() (etag string) {
	s.t.Helper()
	client := s.client(owner)
	if _, err := client.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String("imaging")}); err != nil {
		s.t.Fatalf("making the bucket: %v", err)
	}
	put, err := client.PutObject(context.Background(), &s3.PutObjectInput{Bucket: aws.String("imaging"), Key: aws.String(lung), Body: strings.NewReader("a red lung")})
	if err != nil {
		s.t.Fatalf("putting the object: %v", err)
	}
	return *put.ETag
}

// presign signs for an address at a moment, as the SDK does.
func (s *store) presign(c aws.Credentials, method, base string, at time.Time) string {
	s.t.Helper()
	request, err := http.NewRequest(method, base+"/imaging/radiology/red%20lung%2B1%20Gr%C3%B6%C3%9Fe.png?X-Amz-Expires=300", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	signed, _, err := signer.PresignHTTP(context.Background(), c, request, "UNSIGNED-PAYLOAD", "s3", region, at)
	if err != nil {
		s.t.Fatal(err)
	}
	return signed
}

func (s *store) ask(method, address string, header http.Header) (*http.Response, string) {
	s.t.Helper()
	request, err := http.NewRequest(method, address, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if header != nil {
		request.Header = header
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, string(body)
}

func TestMinIOAcceptsWhatTheSDKSignsForTheGuard(t *testing.T) {
	s := newStore(t)
	etag := s.fill()
	session := s.temporary()
	for name, c := range map[string]struct {
		method string
		header http.Header
		status int
		body   string
	}{
		"whole":          {"GET", nil, 200, "a red lung"},
		"a part":         {"GET", http.Header{"Range": {"bytes=2-4"}}, 206, "red"},
		"only the head":  {"HEAD", nil, 200, ""},
		"known already":  {"GET", http.Header{"If-None-Match": {etag}}, 304, ""},
		"beyond the end": {"GET", http.Header{"Range": {"bytes=100-"}}, 416, ""},
		"with a cookie":  {"GET", http.Header{"Cookie": {"a=b"}}, 200, "a red lung"},
	} {
		t.Run(name, func(t *testing.T) {
			answer, body := s.ask(c.method, s.presign(session, c.method, s.guard, time.Now()), c.header)
			if answer.StatusCode != c.status || c.status < 400 && body != c.body {
				t.Errorf("answered %d %s", answer.StatusCode, body)
			}
			records, err := s3guard.ReadLog(s.log)
			if err != nil {
				t.Fatal(err)
			}
			got := records[len(records)-1]
			if got.Status != c.status || got.Key != lung || got.AccessKeyID != session.AccessKeyID || got.Carried("cookie") != (c.header.Get("Cookie") != "") || c.status < 400 && got.Bytes != int64(len(c.body)) {
				t.Errorf("the log has %+v", got)
			}
		})
	}
	// The session's policy is still MinIO's to enforce.
	_, err := s.client(session).PutObject(context.Background(), &s3.PutObjectInput{Bucket: aws.String("imaging"), Key: aws.String(lung), Body: strings.NewReader("another")})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" {
		t.Errorf("the session may write: %v", err)
	}
}

// MinIO serves one of these and answers the others in words of its own.
func TestTheGuardAnswersAsAWSWhereMinIODoesNot(t *testing.T) {
	s := newStore(t)
	s.fill()
	for name, c := range map[string]struct {
		at     time.Time
		header http.Header
		code   string
		served bool // by MinIO
	}{
		"Authorization beside a presigned query": {time.Now(), http.Header{"Authorization": {"Bearer x"}}, "InvalidArgument", false},
		"an unsigned x-amz- header":              {time.Now(), http.Header{"X-Amz-Request-Payer": {"requester"}}, "AccessDenied", true},
		"from the future":                        {time.Now().Add(20 * time.Minute), nil, "AccessDenied", false},
	} {
		t.Run(name, func(t *testing.T) {
			if answer, body := s.ask("GET", s.presign(owner, "GET", s.minio, c.at), c.header); c.served != (answer.StatusCode == 200) {
				t.Errorf("MinIO itself answers %d %s", answer.StatusCode, body)
			}
			answer, body := s.ask("GET", s.presign(owner, "GET", s.guard, c.at), c.header)
			if answer.StatusCode < 400 || !strings.Contains(body, "<Code>"+c.code+"</Code>") {
				t.Errorf("answered %d %s", answer.StatusCode, body)
			}
			records, err := s3guard.ReadLog(s.log)
			if err != nil {
				t.Fatal(err)
			}
			if got := records[len(records)-1].Refused; got != c.code {
				t.Errorf("refused by the guard: %q, want %s", got, c.code)
			}
		})
	}
}
