package stack

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rolepass/rolepass/config"
)

func TestMissingToolsAreNamedTogether(t *testing.T) {
	there := filepath.Join(t.TempDir(), "there")
	if err := os.WriteFile(there, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ROLEPASS_ENVOY", there)
	t.Setenv("ROLEPASS_LABEL_STUDIO_BIN", there)
	t.Setenv("ROLEPASS_LABEL_STUDIO_TEMPLATE", "")
	t.Setenv("ROLEPASS_MINIO", filepath.Join(there, "nowhere"))
	_, err := FromEnvironment()
	if err == nil || !strings.Contains(err.Error(), ": ROLEPASS_LABEL_STUDIO_TEMPLATE, ROLEPASS_MINIO;") {
		t.Fatalf("got %v", err)
	}
	t.Setenv("ROLEPASS_LABEL_STUDIO_TEMPLATE", there)
	t.Setenv("ROLEPASS_MINIO", there)
	tools, err := FromEnvironment()
	if err != nil || tools != (Tools{there, there, there, there}) {
		t.Errorf("got %+v, %v", tools, err)
	}
}

// What the stack writes for Rolepass is a configuration that Rolepass reads.
func TestRolepassReadsItsConfiguration(t *testing.T) {
	s := &Stack{Options: Options{Dir: t.TempDir()}, projectIDs: map[string]int64{"Radiology": 1, "Ultrasound": 4}, secretKey: strings.Repeat("k", 50), app: "http://127.0.0.1:9"}
	s.Demo.S3, s.Demo.STS = "http://127.0.0.1:9005", "http://127.0.0.1:9004"
	if err := s.choosesPort(); err != nil {
		t.Fatal(err)
	}
	s.startIdPFor(t)
	if err := s.builds(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.configure(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(s.Demo.Config, config.Everything)
	if err != nil {
		t.Fatal(err)
	}
	if c.ACS() != s.acs() || len(c.Buckets) != 3 || c.Listen.String() != s.Demo.Check {
		t.Errorf("read as %+v", c)
	}
	for _, bucket := range c.Buckets {
		if strings.Contains(bucket.Name, "payroll") {
			t.Error("the payroll is configured")
		}
	}
}

// The JSON that scripts read.
func TestDemoJSONKeepsItsShape(t *testing.T) {
	s := &Stack{Options: Options{Dir: "/somewhere"}}
	s.describe()
	s.Demo.Projects = []Project{{ID: 1, Title: "Radiology", Tasks: []Task{{ID: 1, URI: "s3://imaging/radiology/a.png", May: may(radiology)}}}}
	s.Demo.PIDs["rolepass"] = 4711
	text, err := json.Marshal(s.Demo)
	if err != nil {
		t.Fatal(err)
	}
	var demo map[string]any
	if err := json.Unmarshal(text, &demo); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"public", "check", "admin", "idp", "sts", "s3", "label_studio", "config", "accounts", "projects", "outside", "pids", "logs"} {
		if _, ok := demo[name]; !ok {
			t.Errorf("there is no %s", name)
		}
	}
	logs := demo["logs"].(map[string]any)
	for _, name := range []string{"rolepass", "envoy", "label_studio", "s3", "s3_requests", "label_studio_requests", "sts", "audit"} {
		if log, ok := logs[name].(string); !ok || !filepath.IsAbs(log) {
			t.Errorf("the log %s is %v", name, logs[name])
		}
	}
	task := demo["projects"].([]any)[0].(map[string]any)["tasks"].([]any)[0]
	if text, err := json.Marshal(task); err != nil || string(text) != `{"id":1,"may":["radiologist","both"],"uri":"s3://imaging/radiology/a.png"}` {
		t.Errorf("a task is %s (%v)", text, err)
	}
	for _, account := range demo["accounts"].([]any) {
		for _, name := range []string{"name", "password", "email", "roles"} {
			if _, ok := account.(map[string]any)[name]; !ok {
				t.Errorf("an account has no %s", name)
			}
		}
	}
}

// The recorder writes down what came, before the answer is back, and no value
// by which somebody could get in; it changes nothing on the way.
func TestTheRecorder(t *testing.T) {
	var got *http.Request
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.WriteHeader(http.StatusTeapot)
	}))
	defer app.Close()
	to, err := url.Parse(app.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := &Stack{Options: Options{Dir: t.TempDir()}}
	log, err := s.appends("requests.log")
	if err != nil {
		t.Fatal(err)
	}
	s.Demo.Logs = map[string]string{"label_studio_requests": filepath.Join(s.Dir, "requests.log")}
	proxy := httptest.NewServer(recorder(to, log))
	defer proxy.Close()
	send := func() {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), "GET", proxy.URL+"/a%2Fb/./c?d=%7e", nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Authorization": "Token hush-hush", "Cookie": "sessionid=quiet; b=c", "X-Request-Id": "7", "X-Forwarded-For": "192.0.2.1", "User-Agent": "a test"} {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	send()
	if got.RequestURI != "/a%2Fb/./c?d=%7e" || got.Header.Get("X-Forwarded-For") != "192.0.2.1" || got.Header.Get("Authorization") != "Token hush-hush" {
		t.Errorf("the application got %s %v", got.RequestURI, got.Header)
	}
	app.Close()
	send()
	all, err := s.AppRequests()
	if err != nil || len(all) != 2 {
		t.Fatalf("recorded: %+v, %v", all, err)
	}
	a := all[0]
	if a.Target != "/a%2Fb/./c?d=%7e" || a.Scheme != "Token" || a.Length != 15 || a.RequestID != "7" || a.UserAgent != "a test" || a.Status != http.StatusTeapot || !a.FromEnvoy {
		t.Errorf("recorded: %+v", a)
	}
	if !slices.Equal(a.Cookies, []string{"sessionid", "b"}) || !slices.Contains(a.Headers, "x-forwarded-for") {
		t.Errorf("recorded: %+v", a)
	}
	if all[1].Status != http.StatusBadGateway {
		t.Errorf("without an application: %+v", all[1])
	}
	text, err := os.ReadFile(filepath.Join(s.Dir, "requests.log"))
	if err != nil || strings.Contains(string(text), "hush") || strings.Contains(string(text), "quiet") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestPortsAreGivenOnceAndFree(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if PortFree(taken.Addr().(*net.TCPAddr).Port) {
		t.Error("a port that somebody listens on is called free")
	}
	var c chosen
	all, err := c.addresses(50)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != 50 {
		t.Error("a port was given twice")
	}
	s := &Stack{Options: Options{PublicPort: taken.Addr().(*net.TCPAddr).Port}}
	if err := s.choosesPort(); err == nil || !strings.Contains(err.Error(), strconv.Itoa(s.PublicPort)) {
		t.Errorf("a taken port: %v", err)
	}
}

// sleeper starts a program that ends by itself only long after the test.
func sleeper(t *testing.T) (group int, gone func()) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "sleep 600 & wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return cmd.Process.Pid, func() {
		t.Helper()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Fatal("it has not ended")
		}
	}
}

// A process that is killed closes its pipes: that is all that the guardian
// notices, and enough.
func TestTheGuardianEndsWhatIsLeft(t *testing.T) {
	g, err := NewGuardian()
	if err != nil {
		t.Fatal(err)
	}
	left, leftGone := sleeper(t)
	forgotten, _ := sleeper(t)
	for _, err := range []error{g.Watch(left), g.Watch(forgotten), g.Forget(forgotten)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	leftGone()
	if err := syscall.Kill(-forgotten, 0); err != nil {
		t.Errorf("what was forgotten was ended, too: %v", err)
	}
}

// A program that does not start is an error with the end of its log, at once,
// and Stop may be called as often as one likes.
func TestAFailureShowsTheLog(t *testing.T) {
	s := &Stack{Options: Options{Dir: t.TempDir()}}
	var err error
	if s.guardian, err = NewGuardian(); err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	p, err := s.starts("broken", nil, "/bin/sh", "-c", "echo the reason; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.await(t.Context(), "http://127.0.0.1:1/"); err == nil || !strings.Contains(err.Error(), "broken ended") || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("got %v", err)
	}
	slow, err := s.starts("slow", nil, "/bin/sh", "-c", "echo thinking; sleep 600")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := slow.await(ctx, "http://127.0.0.1:1/"); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("got %v", err)
	}
	s.Stop()
	s.Stop()
	select {
	case <-slow.exited:
	default:
		t.Error("slow still runs")
	}
}
