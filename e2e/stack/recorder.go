package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
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
	// Scheme is that of Authorization, Length the whole value's in bytes, User
	// the user_id in a bearer.
	Scheme    string `json:"scheme,omitempty"`
	Length    int    `json:"authorization_length,omitempty"`
	User      string `json:"user,omitempty"`
	RequestID string `json:"request_id,omitempty"` // Envoy's
	UserAgent string `json:"user_agent,omitempty"`
	// Status is what Label Studio answered; 502 if it did not.
	Status int `json:"status"`
}

// startRecorder stands between Envoy and Label Studio and writes down what
// comes by.
func (s *Stack) startRecorder() error {
	log, err := s.appends("label_studio_requests.log")
	if err != nil {
		return err
	}
	address, err := s.ports.address() // one that nobody else is given while it is closed
	if err != nil {
		return err
	}
	s.recorder, s.app = s.failing(s.seen(recorder(s.direct, log))), "http://"+address
	s.Demo.LabelStudio = s.app
	return s.opensApp()
}

// opensApp listens where everybody expects Label Studio.
func (s *Stack) opensApp() error {
	listener, err := net.Listen("tcp", strings.TrimPrefix(s.app, "http://"))
	if err != nil {
		return err
	}
	s.atApp = s.servesOn(listener, s.recorder)
	return nil
}

// recorder passes requests on unchanged and writes each one down before its
// answer goes back: who has the answer finds the record.
func recorder(to *url.URL, log io.Writer) http.Handler {
	var mu sync.Mutex
	writes := func(r *http.Request, status int) {
		a, ok := r.Context().Value(arrived{}).(AppRequest)
		if !ok {
			return
		}
		a.Status = status
		line, err := json.Marshal(a)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		_, _ = log.Write(append(line, '\n'))
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.Out.Host = p.In.Host
			for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"} {
				p.Out.Header[name] = p.In.Header[name]
			}
		},
		ModifyResponse: func(response *http.Response) error {
			writes(response.Request, response.StatusCode)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, _ error) {
			writes(r, http.StatusBadGateway)
			w.WriteHeader(http.StatusBadGateway)
		},
		FlushInterval: -1,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), arrived{}, recorded(r))))
	})
}

// arrived is the key of a request's record in its context.
type arrived struct{}

func recorded(r *http.Request) AppRequest {
	a := AppRequest{Time: time.Now().UTC(), Method: r.Method, Target: r.RequestURI, FromEnvoy: r.Header.Get("X-Request-Id") != "", Headers: []string{}, Cookies: []string{},
		RequestID: r.Header.Get("X-Request-Id"), UserAgent: r.UserAgent(), Length: len(r.Header.Get("Authorization"))}
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
