package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// AppRequest is one request as it arrived at Label Studio: names of headers
// and cookies, never their values.
type AppRequest struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Target string    `json:"target"`
	// FromEnvoy is false for Rolepass's own questions.
	FromEnvoy bool     `json:"from_envoy"`
	Headers   []string `json:"headers"` // in lower case, sorted
	Cookies   []string `json:"cookies"`
	// Scheme is that of Authorization, User the user_id in a bearer.
	Scheme string `json:"scheme,omitempty"`
	User   string `json:"user,omitempty"`
}

// startRecorder stands between Envoy and Label Studio and writes down what
// comes by.
func (s *Stack) startRecorder() error {
	log, err := s.appends("label_studio_requests.log")
	if err != nil {
		return err
	}
	var mu sync.Mutex
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(s.direct)
			p.Out.Host = p.In.Host
			for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"} {
				p.Out.Header[name] = p.In.Header[name]
			}
		},
		FlushInterval: -1,
	}
	address, err := s.serves(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line, err := json.Marshal(recorded(r))
		if err == nil {
			mu.Lock()
			_, _ = log.Write(append(line, '\n'))
			mu.Unlock()
		}
		proxy.ServeHTTP(w, r)
	}))
	s.app = "http://" + address
	s.Demo.LabelStudio = s.app
	return err
}

func recorded(r *http.Request) AppRequest {
	a := AppRequest{Time: time.Now().UTC(), Method: r.Method, Target: r.RequestURI, FromEnvoy: r.Header.Get("X-Request-Id") != "", Headers: []string{}, Cookies: []string{}}
	for name := range r.Header {
		a.Headers = append(a.Headers, strings.ToLower(name))
	}
	slices.Sort(a.Headers)
	for _, cookie := range r.Cookies() {
		a.Cookies = append(a.Cookies, cookie.Name)
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	a.Scheme = scheme
	var claims jwt.MapClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err == nil {
		a.User, _ = claims["user_id"].(string)
	}
	return a
}

// AppRequests reads what arrived at Label Studio so far.
func (s *Stack) AppRequests() ([]AppRequest, error) {
	return readLines[AppRequest](s.Demo.Logs["label_studio_requests"])
}

// readLines reads a log of one JSON document per line.
func readLines[T any](file string) ([]T, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []T
	for line := range bytes.Lines(text) {
		if line[len(line)-1] != '\n' {
			break // still being written
		}
		var one T
		if err := json.Unmarshal(line, &one); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// appends opens a log of the stack.
func (s *Stack) appends(name string) (io.Writer, error) {
	file, err := os.OpenFile(s.Dir+"/"+name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.files = append(s.files, file)
	s.mu.Unlock()
	return file, nil
}
