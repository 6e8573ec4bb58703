// Package viewer is a small application other than Label Studio: a page of
// pictures that lie in S3, behind addresses of its own origin. It has no key for
// S3 and no login. For each picture it reads from a request header where that
// is, and says that it was told nothing if there is none.
package viewer

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Header is the request header with the signed location.
const Header = "X-Rolepass-Location"

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("page").Parse(pageHTML))

// Viewer is the application, an http.Handler.
type Viewer struct {
	mux    *http.ServeMux
	client http.Client

	mu   sync.Mutex
	seen []*http.Request
}

// New makes a viewer of these keys.
func New(keys []string) *Viewer {
	v := &Viewer{mux: http.NewServeMux(), client: http.Client{Timeout: time.Minute}}
	v.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		var addresses []string
		for _, key := range keys {
			addresses = append(addresses, Address(key))
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, addresses)
	})
	v.mux.HandleFunc("GET /files/{key...}", v.file)
	return v
}

// Address is the path of a key, written as browsers write it.
func Address(key string) string {
	var parts []string
	for part := range strings.SplitSeq(key, "/") {
		parts = append(parts, url.PathEscape(part))
	}
	return "/files/" + strings.Join(parts, "/")
}

// ServeHTTP answers one request, and remembers it.
func (v *Viewer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	v.seen = append(v.seen, r.Clone(r.Context()))
	v.mu.Unlock()
	v.mux.ServeHTTP(w, r)
}

// Seen are the requests so far.
func (v *Viewer) Seen() []*http.Request {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.seen[:len(v.seen):len(v.seen)]
}

// file gives what lies where the header says.
func (v *Viewer) file(w http.ResponseWriter, r *http.Request) {
	told := r.Header.Values(Header)
	if len(told) != 1 {
		http.Error(w, "The viewer was not told where this is.", http.StatusNotFound)
		return
	}
	from, err := http.NewRequestWithContext(r.Context(), r.Method, told[0], nil)
	if err != nil {
		http.Error(w, "The viewer was told of a place that is none.", http.StatusBadGateway)
		return
	}
	from.Header["Range"] = r.Header["Range"]
	object, err := v.client.Do(from)
	if err != nil {
		http.Error(w, "The object store does not answer.", http.StatusBadGateway)
		return
	}
	defer object.Body.Close()
	if object.StatusCode != http.StatusOK && object.StatusCode != http.StatusPartialContent {
		http.Error(w, fmt.Sprintf("The object store answers %d.", object.StatusCode), http.StatusBadGateway)
		return
	}
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Range"} {
		if value := object.Header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "private, no-cache")
	w.WriteHeader(object.StatusCode)
	_, _ = io.Copy(w, object.Body)
}
