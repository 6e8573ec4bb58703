package s3guard

import (
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

// forward sends a request on without touching what its signature covers.
func forward(p *httputil.ProxyRequest, store *url.URL) {
	path, _, _ := strings.Cut(p.In.RequestURI, "?")
	p.Out.URL = &url.URL{Scheme: store.Scheme, Host: store.Host, Opaque: path, RawQuery: p.In.URL.RawQuery, ForceQuery: p.In.URL.ForceQuery}
	p.Out.Host = p.In.Host
}

// ServeHTTP refuses a request or sends it on. Its line is in the log before
// its answer is on the wire.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, refused := read(r)
	if refused == nil {
		refused = g.check(request)
	}
	if refused != nil {
		g.write(request.record(g.now(), refused.status, refused.code))
		refused.answer(w, r)
		return
	}
	g.proxy.ServeHTTP(w, r)
}

func (g *Guard) answered(response *http.Response) error {
	// The outgoing request is a copy with another URL; its RequestURI and
	// headers are read again, so that the record is of what arrived.
	request, _ := read(arrived(response.Request))
	g.write(request.record(g.now(), response.StatusCode, ""))
	return nil
}

// arrived gives the outgoing request the target that it arrived with.
func arrived(out *http.Request) *http.Request {
	in := *out
	in.RequestURI = out.URL.Opaque
	if out.URL.RawQuery != "" {
		in.RequestURI += "?" + out.URL.RawQuery
	}
	return &in
}

func (g *Guard) unreachable(w http.ResponseWriter, r *http.Request, _ error) {
	request, _ := read(r)
	g.write(request.record(g.now(), http.StatusServiceUnavailable, "ServiceUnavailable"))
	(&refusal{http.StatusServiceUnavailable, "ServiceUnavailable", "The server behind the guard does not answer.", nil}).answer(w, r)
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
