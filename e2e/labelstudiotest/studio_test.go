package labelstudiotest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/labelstudio/signin"
	"github.com/rolepass/rolepass/presign"
)

const (
	ownerEmail    = "owner@label-studio.test"
	ownerID       = 1
	ownerPassword = "a password of the owner's"
	startPatience = 5 * time.Minute
	askPatience   = 30 * time.Second
)

// studio is one Label Studio for all tests of the package, and an S3 that says
// yes to everything it is asked when a storage is added.
type studio struct {
	base      *url.URL
	secretKey presign.Secret
	s3        *httptest.Server
	dir       string
	python    string
	stop      func()
}

// running is what the first test that needs it started; nil: none did, as in a
// worker of the fuzzer.
var running *studio

var shared = sync.OnceValues(func() (*studio, error) {
	s, err := start()
	running = s
	return s, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if running != nil {
		running.stop()
	}
	os.Exit(code)
}

// labelStudio gives the running Label Studio, which the first test starts.
func labelStudio(t *testing.T) *studio {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// start starts one, with more in its environment than it needs.
func start(more ...string) (*studio, error) {
	binary, template := os.Getenv("ROLEPASS_LABEL_STUDIO_BIN"), os.Getenv("ROLEPASS_LABEL_STUDIO_TEMPLATE")
	if binary == "" || template == "" {
		return nil, fmt.Errorf("ROLEPASS_LABEL_STUDIO_BIN and ROLEPASS_LABEL_STUDIO_TEMPLATE do not name a Label Studio: run through make test")
	}
	dir, err := os.MkdirTemp("", "labelstudiotest")
	if err != nil {
		return nil, err
	}
	database, err := os.ReadFile(template)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "label_studio.sqlite3"), database, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("copying the template: %w", err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	var key [32]byte
	_, _ = rand.Read(key[:])
	s := &studio{base: &url.URL{Scheme: "http", Host: "127.0.0.1:" + port}, secretKey: presign.Secret(hex.EncodeToString(key[:])), s3: httptest.NewServer(http.HandlerFunc(agreeable)), dir: dir, python: filepath.Join(filepath.Dir(binary), "python")}
	cmd := exec.Command(binary, "start", "--no-browser", "--port", port, "--internal-host", "127.0.0.1", "--log-level", "INFO")
	cmd.Env = append(environment(dir, s.secretKey), more...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting Label Studio: %w", err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	s.stop = func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-exited
		s.s3.Close()
		_ = os.RemoveAll(dir)
	}
	if err := s.ready(exited); err != nil {
		said, _ := os.ReadFile(log.Name())
		s.stop()
		return nil, fmt.Errorf("%w; Label Studio said:\n%s", err, said[max(0, len(said)-4000):])
	}
	return s, nil
}

// environment is all that Label Studio sees of ours: quiet, and without any
// credential for a cloud that the machine may have.
func environment(dir string, secretKey presign.Secret) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=C.UTF-8",
		"LABEL_STUDIO_BASE_DATA_DIR=" + dir, "LABEL_STUDIO_USERNAME=" + ownerEmail, "LABEL_STUDIO_PASSWORD=" + ownerPassword,
		"SECRET_KEY=" + secretKey.Reveal(), "DISABLE_SIGNUP_WITHOUT_LINK=true",
		"COLLECT_ANALYTICS=False", "LATEST_VERSION_CHECK=False", "SENTRY_DSN=", "FRONTEND_SENTRY_DSN=", "SSRF_PROTECTION_ENABLED=false", "ML_BLOCK_LOCAL_IP=false", // our S3 and model are on this machine
	}
}

// ready waits until Label Studio knows the owner by our bearer. That also says
// that it is ours: it moves to the next port when one is taken.
func (s *studio) ready(exited <-chan struct{}) error {
	deadline := time.After(startPatience)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		select {
		case <-exited:
			return fmt.Errorf("Label Studio ended at once")
		case <-deadline:
			return fmt.Errorf("Label Studio is not ready after %v: %v", startPatience, last)
		case <-tick.C:
		}
		var who struct {
			Email string `json:"email"`
		}
		if last = s.call("GET", "/api/current-user/whoami", ownerID, nil, &who); last != nil {
			continue
		}
		if who.Email != ownerEmail {
			return fmt.Errorf("user %d is not the owner that Label Studio was started with: the template already has people in it", ownerID)
		}
		return nil
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// agreeable is an S3 in which every bucket exists and holds one object.
func agreeable(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Query().Has("list-type") {
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>one</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"x"</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>`)
	}
}

func (s *studio) bearer() signin.Bearer {
	return signin.Bearer{Key: s.secretKey, Now: time.Now, Rand: rand.Reader}
}

func (s *studio) accounts() *signin.Accounts {
	return &signin.Accounts{Base: s.base, HTTP: http.DefaultClient, Bearer: signin.NewBearers(s.bearer()).Authorization, Owner: ownerID, Keys: []presign.Secret{"a key of the test"}, Rand: rand.Reader}
}

func (s *studio) client() *client.Client { return client.New(s.base, http.DefaultClient, time.Now) }

// asker is a user as whom the client asks.
func (s *studio) asker(t *testing.T, user int64) client.Asker {
	t.Helper()
	authorization, err := s.bearer().Authorization(user)
	if err != nil {
		t.Fatal(err)
	}
	return client.Asker{Session: fmt.Sprint(t.Name(), user), Credential: fmt.Sprint(user), Authorization: authorization}
}

// call sends a request to the API as the user and decodes the answer.
func (s *studio) call(method, path string, user int64, body, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), askPatience)
	defer cancel()
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, s.base.String()+path, &sent)
	if err != nil {
		return err
	}
	authorization, err := s.bearer().Authorization(user)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", authorization.Reveal())
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %d %.300s", method, path, response.StatusCode, answer)
	}
	if into != nil {
		return json.Unmarshal(answer, into)
	}
	return nil
}

// must is call for what a test sets up.
func (s *studio) must(t *testing.T, method, path string, user int64, body, into any) {
	t.Helper()
	if err := s.call(method, path, user, body, into); err != nil {
		t.Fatal(err)
	}
}

// database changes what no API of Label Studio's changes, as its administration
// would; ? is a number.
func (s *studio) database(t *testing.T, statement string, value int64) {
	t.Helper()
	const program = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1], timeout=30) as db: db.execute(sys.argv[2], [int(sys.argv[3])])"
	cmd := exec.CommandContext(t.Context(), s.python, "-c", program, filepath.Join(s.dir, "label_studio.sqlite3"), statement, number(value))
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// project makes a project whose bucket is imaging.
func (s *studio) project(t *testing.T) int64 {
	t.Helper()
	var project struct {
		ID int64 `json:"id"`
	}
	s.must(t, "POST", "/api/projects/", ownerID, map[string]any{"title": t.Name(), "label_config": `<View><Image name="i" value="$image"/></View>`}, &project)
	s.must(t, "POST", "/api/storages/s3/", ownerID, map[string]any{
		"project": project.ID, "bucket": "imaging", "region_name": "eu-west-1", "s3_endpoint": s.s3.URL,
		"aws_access_key_id": "the-app", "aws_secret_access_key": "the-app's-secret", "presign": true, "use_blob_urls": true,
	}, nil)
	return project.ID
}

// task makes a task with this data.
func (s *studio) task(t *testing.T, project int64, data map[string]any) int64 {
	t.Helper()
	var task struct {
		ID int64 `json:"id"`
	}
	s.must(t, "POST", "/api/tasks/", ownerID, map[string]any{"project": project, "data": data}, &task)
	return task.ID
}
