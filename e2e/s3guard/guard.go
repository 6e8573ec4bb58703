package s3guard

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Options say what a guard stands before.
type Options struct {
	// Store is the server's address, such as http://127.0.0.1:9000. Required.
	Store *url.URL
	// Region is the one region that signatures may be for. Required.
	Region string
	// Log gets one line of JSON per request. Nil means no log.
	Log io.Writer
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Guard is an http.Handler. It may be called concurrently.
type Guard struct {
	region string
	now    func() time.Time
	proxy  *httputil.ReverseProxy

	mu  sync.Mutex // serializes lines of the log
	log io.Writer
}

// New makes a guard.
func New(o Options) (*Guard, error) {
	if o.Store == nil || o.Store.Host == "" || o.Region == "" {
		return nil, errors.New("making an S3 guard: Store and Region are required")
	}
	g := &Guard{region: o.Region, now: o.Now, log: o.Log}
	if g.now == nil {
		g.now = time.Now
	}
	if g.log == nil {
		g.log = io.Discard
	}
	g.proxy = &httputil.ReverseProxy{
		Rewrite:        func(p *httputil.ProxyRequest) { forward(p, o.Store) },
		Transport:      &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 256, ExpectContinueTimeout: time.Second},
		FlushInterval:  -1,
		ModifyResponse: g.answered,
		ErrorHandler:   g.unreachable,
	}
	return g, nil
}

// forward sends a request on without touching what its signature covers. The
// headers that the proxy would leave out, and the store does not need, are put
// back as they came: a signature may name them.
func forward(p *httputil.ProxyRequest, store *url.URL) {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, came := p.In.Header[name]; came {
			p.Out.Header[name] = values
		}
	}
	path, _, _ := strings.Cut(p.In.RequestURI, "?")
	p.Out.URL = &url.URL{Scheme: store.Scheme, Host: store.Host, Opaque: path, RawQuery: p.In.URL.RawQuery, ForceQuery: p.In.URL.ForceQuery}
	p.Out.Host = p.In.Host
}

// contextKey is where a request's context has what was read of it.
type contextKey struct{}

// ServeHTTP refuses a request or sends it on. Its line is in the log before
// its answer is on the wire.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, refused := read(r)
	if refused == nil {
		refused = g.check(request)
	}
	if refused != nil {
		g.refuse(w, request, refused)
		return
	}
	g.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, request)))
}

func (g *Guard) refuse(w http.ResponseWriter, q *request, why *refusal) {
	g.write(q.record(g.now(), why.status, why.length(q.method), why.code))
	why.answer(w, q.method)
}

func (g *Guard) answered(response *http.Response) error {
	request := response.Request.Context().Value(contextKey{}).(*request)
	length := response.ContentLength
	if request.method == http.MethodHead || response.StatusCode == http.StatusNotModified {
		length = 0
	}
	g.write(request.record(g.now(), response.StatusCode, length, ""))
	return nil
}

// unreachable answers for the server when it does not. A caller that went away
// meanwhile is none of the server's faults.
func (g *Guard) unreachable(w http.ResponseWriter, r *http.Request, _ error) {
	request := r.Context().Value(contextKey{}).(*request)
	g.refuse(w, request, &refusal{http.StatusServiceUnavailable, "ServiceUnavailable", "The server behind the guard does not answer.", nil})
}

func (g *Guard) write(record Record) {
	line, err := json.Marshal(record)
	if err != nil {
		return // a Record has nothing that cannot be written
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = g.log.Write(append(line, '\n'))
}
