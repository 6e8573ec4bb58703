package envoytest_test

import (
	"bufio"
	"bytes"
	"context"
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
	"strings"
	"sync"
	"testing"
	"time"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"

	"github.com/rolepass/rolepass/envoy"
)

const (
	publicHost = "label.test"
	acsPath    = "/rolepass/saml/acs"
	patience   = 20 * time.Second
)

// faster shortens Envoy's wait for Check, which the settings do not allow.
func faster(r *rig) {
	r.edit = func(yaml string) string { return strings.ReplaceAll(yaml, "timeout: 15s", "timeout: 0.3s") }
}

// rig is one Envoy and everything around it.
type rig struct {
	t        *testing.T
	settings envoy.Settings
	check    *checkServer
	app, s3  *recorder

	edit                   func(yaml string) string
	addr, admin, accessLog string
	stderr                 *lockedBuffer
}

// newRig starts everything. change may adjust the settings first.
func newRig(t *testing.T, change ...func(*rig)) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{t: t, app: newRecorder(t, "app"), s3: newRecorder(t, "s3"), accessLog: filepath.Join(dir, "access.log")}
	r.check = newCheckServer(t, filepath.Join(dir, "check.sock"))
	appURL, err := url.Parse(r.app.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.settings = envoy.Settings{
		PublicScheme: "http", PublicHost: publicHost,
		Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", AccessLog: r.accessLog,
		CheckAddress: "unix://" + r.check.socket,
		AppURL:       appURL,
		S3:           []envoy.S3Endpoint{{Host: r.s3.host(), Scheme: "http"}},
		ACSPath:      acsPath,
	}
	for _, f := range change {
		f(r)
	}
	r.startEnvoy(dir)
	return r
}

func envoyBinary(t *testing.T) string {
	t.Helper()
	binary := os.Getenv("ROLEPASS_ENVOY")
	if binary == "" {
		t.Fatal("ROLEPASS_ENVOY does not name an Envoy binary: run through make test")
	}
	return binary
}

func (r *rig) startEnvoy(dir string) {
	r.t.Helper()
	config := writeConfig(r.t, dir, r.settings, r.edit)
	adminPath := filepath.Join(dir, "admin.address")
	r.stderr = &lockedBuffer{}
	cmd := exec.Command(envoyBinary(r.t), "--config-path", config, "--concurrency", "1", "--disable-hot-restart",
		"--admin-address-path", adminPath, "--file-flush-interval-msec", "20", "--log-level", "warning")
	cmd.Stdout, cmd.Stderr = r.stderr, r.stderr
	if err := cmd.Start(); err != nil {
		r.t.Fatalf("starting Envoy: %v", err)
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	r.t.Cleanup(func() {
		cmd.Process.Kill()
		<-exited
		if r.t.Failed() {
			r.t.Logf("Envoy said:\n%s", r.stderr.String())
		}
	})
	r.eventually("Envoy to be ready", func() bool {
		select {
		case <-exited:
			r.t.Fatalf("Envoy ended at once:\n%s", r.stderr.String())
		default:
		}
		address, err := os.ReadFile(adminPath)
		if err != nil || len(address) == 0 {
			return false
		}
		r.admin = string(address)
		answer, err := http.Get("http://" + r.admin + "/ready")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	r.addr = r.listenAddress()
}

// writeConfig generates the bootstrap and writes it as YAML.
func writeConfig(t *testing.T, dir string, s envoy.Settings, edit func(string) string) string {
	t.Helper()
	b, err := envoy.Bootstrap(s)
	if err != nil {
		t.Fatalf("generating the bootstrap: %v", err)
	}
	text, err := envoy.YAML(b)
	if err != nil {
		t.Fatalf("rendering the bootstrap: %v", err)
	}
	if edit != nil {
		edited := edit(string(text))
		if edited == string(text) {
			t.Fatal("the edit of the bootstrap changed nothing")
		}
		text = []byte(edited)
	}
	name := filepath.Join(dir, "envoy.yaml")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// listenAddress asks Envoy which port it got.
func (r *rig) listenAddress() string {
	r.t.Helper()
	var listeners struct {
		Statuses []struct {
			Address struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal([]byte(r.adminGet("/listeners?format=json")), &listeners); err != nil || len(listeners.Statuses) != 1 {
		r.t.Fatalf("reading Envoy's listeners: %v", err)
	}
	at := listeners.Statuses[0].Address.Socket
	return fmt.Sprintf("%s:%d", at.Address, at.Port)
}

func (r *rig) adminGet(path string) string {
	r.t.Helper()
	answer, err := http.Get("http://" + r.admin + path)
	if err != nil {
		r.t.Fatalf("asking Envoy's admin address: %v", err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}

// eventually waits until ok, with patience.
func (r *rig) eventually(what string, ok func() bool) {
	r.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if ok() {
			return
		}
	}
	r.t.Fatalf("waited %s in vain for %s", patience, what)
}

// raw writes bytes to Envoy as they are and reads one response.
func (r *rig) raw(request string) *reply {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatalf("dialling Envoy: %v", err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	go io.WriteString(conn, request)
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		r.t.Fatalf("reading the response to %.60q: %v", request, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatalf("reading the body of the response to %.60q: %v", request, err)
	}
	return &reply{Response: response, body: string(body)}
}

// send sends "METHOD target" with the public Host and more header lines.
func (r *rig) send(line string, headers ...string) *reply {
	r.t.Helper()
	return r.raw(line + " HTTP/1.1\r\nHost: " + publicHost + "\r\nConnection: close\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n")
}

// post sends a form.
func (r *rig) post(target, body string, headers ...string) *reply {
	r.t.Helper()
	head := append([]string{"Content-Type: application/x-www-form-urlencoded", fmt.Sprintf("Content-Length: %d", len(body))}, headers...)
	return r.raw("POST " + target + " HTTP/1.1\r\nHost: " + publicHost + "\r\nConnection: close\r\n" + strings.Join(append(head, ""), "\r\n") + "\r\n" + body)
}

// untouched fails when any upstream was contacted.
func (r *rig) untouched() {
	r.t.Helper()
	for _, u := range []*recorder{r.app, r.s3} {
		if got := u.requests(); len(got) > 0 {
			r.t.Errorf("%s was contacted: %s %s", u.name, got[0].Method, got[0].RequestURI)
		}
	}
}

// logged waits for n access log lines and returns them all.
func (r *rig) logged(n int) string {
	r.t.Helper()
	var text []byte
	r.eventually(fmt.Sprintf("%d access log lines", n), func() bool {
		text, _ = os.ReadFile(r.accessLog)
		return bytes.Count(text, []byte("\n")) >= n
	})
	return string(text)
}

type reply struct {
	*http.Response
	body string
}

// checkServer is a Check that a test scripts.
type checkServer struct {
	auth.UnimplementedAuthorizationServer
	t      *testing.T
	socket string
	stop   func()

	mu     sync.Mutex
	answer func(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error)
	seen   []*auth.CheckRequest
}

func newCheckServer(t *testing.T, socket string) *checkServer {
	t.Helper()
	s := &checkServer{t: t, socket: socket}
	s.answers(pass())
	s.start()
	return s
}

func (s *checkServer) start() {
	s.t.Helper()
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		s.t.Fatalf("listening for Check: %v", err)
	}
	s.serve(l)
}

func (s *checkServer) serve(l net.Listener, options ...grpc.ServerOption) {
	server := grpc.NewServer(options...)
	auth.RegisterAuthorizationServer(server, s)
	done := make(chan struct{})
	go func() { server.Serve(l); close(done) }()
	s.stop = func() { server.Stop(); <-done }
	s.t.Cleanup(s.stop)
}

func (s *checkServer) Check(ctx context.Context, request *auth.CheckRequest) (*auth.CheckResponse, error) {
	s.mu.Lock()
	s.seen = append(s.seen, request)
	answer := s.answer
	s.mu.Unlock()
	return answer(ctx, request)
}

// answers makes every Check from now on get this response.
func (s *checkServer) answers(response *auth.CheckResponse) {
	s.does(func(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error) { return response, nil })
}

func (s *checkServer) does(f func(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

func (s *checkServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

// last is the newest CheckRequest.
func (s *checkServer) last() *auth.CheckRequest {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) == 0 {
		s.t.Fatal("Check was not called")
	}
	return s.seen[len(s.seen)-1]
}

// recorder is an upstream that keeps every request.
type recorder struct {
	*httptest.Server
	name string

	mu      sync.Mutex
	seen    []*http.Request
	bodies  []int
	respond http.HandlerFunc
}

func newRecorder(t *testing.T, name string) *recorder {
	u := &recorder{name: name, respond: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "from "+name) }}
	u.Server = httptest.NewServer(u)
	t.Cleanup(u.Close)
	return u
}

func (u *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	size, _ := io.Copy(io.Discard, request.Body)
	u.mu.Lock()
	u.seen = append(u.seen, request.Clone(context.Background()))
	u.bodies = append(u.bodies, int(size))
	respond := u.respond
	u.mu.Unlock()
	respond(w, request)
}

func (u *recorder) host() string { return u.Listener.Addr().String() }

func (u *recorder) requests() []*http.Request {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.seen
}

// only is the one request that arrived.
func (u *recorder) only(t *testing.T) *http.Request {
	t.Helper()
	got := u.requests()
	if len(got) != 1 {
		t.Fatalf("%s got %d requests, want 1", u.name, len(got))
	}
	return got[0]
}

func (u *recorder) responds(f http.HandlerFunc) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.respond = f
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
