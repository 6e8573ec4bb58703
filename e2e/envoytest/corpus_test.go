package envoytest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// targets are request targets that parsers have read in different ways, in
// every place of the application's addresses where they could matter.
func targets() (out []string) {
	odd := []string{
		"", "/", "//", "///", "/.", "/./", "/..", "/../", "/.../", "/..;/", "/;/", ";", ";a=b", ";a=b/", "/;..", "%2e", "%2E%2E", "/%2e%2e/", "/%2e/", "/%252e%252e/",
		"%2f", "%2F", "%5c", "%5C", "%252f", "%25%32%66", "%c0%af", "%e2%88%95", "%ef%bc%8f", `\`, `\..\`, "|", "^", "`", "'", "\"", "<a>", "{a}", "[a]", "~", "!$&()*,=:@+",
		"%00", "%0a", "%0d%0a", "%09", "%20", "%3b", "%3f", "%23", "%25", "%", "%2", "%zz", "%u002f", "%7e", "%74", "%C3%A4", "#", "#a", "?", "??", "?a", "&", "\x80", "\xff", "\x01", "\x7f",
	}
	for _, path := range []string{"/tasks/7/resolve/", "/tasks/7/resolve", "/projects/1/resolve/", "/data/upload/1/a.png", "/", "/api/tasks/7", "/rolepass/saml/acs", "/static/x"} {
		for _, o := range odd {
			out = append(out, path+o, path+o+"?fileuri=czM6Ly9iL2s=")
		}
	}
	for _, o := range odd {
		out = append(out, "/tasks/7/resolve/?fileuri="+o, "/tasks"+o+"/7/resolve/?fileuri=x", "/tasks/7"+o+"/resolve/?fileuri=x")
	}
	out = append(out, "//evil.test/x", "http://label.test/tasks/7/resolve/?fileuri=x", "HTTP://label.test/x", "http://label.test//x", "http://label.test", "http://label.test?x", "http://label.test/a/../b", "/http://evil.test/")
	return append(out, "*", "x", "?x", "", "/tasks/7/resolve/?fileuri=a&fileuri=b", "/tasks/7/resolve/?fileuri=a;fileuri=b", "/TASKS/7/RESOLVE/?FILEURI=a", "/tasks/7/resolve/?x=/static/", "/tasks/7/resolve/?"+strings.Repeat("a", 8<<10))
}

// T-PATH-02, T-PATH-03, T-PATH-05: what Check judges is what the application
// gets, byte for byte, or Envoy refuses and neither sees anything.
func TestUpstreamAndCheckAgreeOnEveryTarget(t *testing.T) {
	app := newLineServer(t)
	r := newRig(t, func(r *rig) { r.settings.AppURL.Host = app.address })
	all := targets()
	if len(all) < 500 {
		t.Fatalf("%d targets are too few", len(all))
	}
	refused, agreed := 0, 0
	for _, target := range all {
		before := r.check.count()
		status := r.status("GET " + target + " HTTP/1.1\r\nHost: " + publicHost + "\r\nConnection: close\r\n\r\n")
		lines, judged := app.take(), r.check.count()-before
		switch {
		case status >= 400 && len(lines) == 0 && judged == 0:
			refused++
		case status == 200 && len(lines) == 1 && judged == 1:
			want := target
			if _, absolute := strings.CutPrefix(strings.ToLower(target), "http://"); absolute {
				want = r.check.last().GetAttributes().GetRequest().GetHttp().GetPath() // Envoy takes host and path apart
			}
			path := r.check.last().GetAttributes().GetRequest().GetHttp().GetPath()
			if path != want || lines[0] != "GET "+want+" HTTP/1.1" {
				t.Errorf("%q: Check judged %q, the application got %q", target, path, lines[0])
			}
			agreed++
		case status >= 400 && len(lines) == 0 && judged == 1: // a host that is not ours, or no route behind Check
		default:
			t.Errorf("%q: %d; Check was asked %d times, the application got %q", target, status, judged, lines)
		}
	}
	t.Logf("%d targets: %d agreed, %d refused by Envoy", len(all), agreed, refused)
	if agreed < 300 || refused < 100 {
		t.Errorf("%d agreed and %d were refused: the corpus no longer reaches both", agreed, refused)
	}
}

// status sends bytes and gives the status alone; 0 where the connection ends
// without one.
func (r *rig) status(request string) int {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatalf("dialling Envoy: %v", err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	io.WriteString(conn, request)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// lineServer is an upstream that parses nothing: it keeps the lines of requests.
type lineServer struct {
	address  string
	mu       sync.Mutex
	requests []lines
}

func newLineServer(t *testing.T) *lineServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &lineServer{address: l.Addr().String()}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	t.Cleanup(func() { l.Close() })
	return s
}

// serve answers requests without bodies.
func (s *lineServer) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for request := (lines)(nil); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			request = append(request, line)
			continue
		}
		s.mu.Lock()
		s.requests = append(s.requests, request)
		s.mu.Unlock()
		request = nil
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}

// take gives the request lines since it was last called.
func (s *lineServer) take() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, request := range s.requests {
		all = append(all, request[0])
	}
	s.requests = nil
	return all
}
