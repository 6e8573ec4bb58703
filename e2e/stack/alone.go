package stack

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"sync/atomic"
)

// Alone is Label Studio without Rolepass, at an address of its own for a
// browser. It shows what Rolepass is there against.
type Alone struct {
	Public string

	user   atomic.Int64
	server *http.Server
}

// Alone opens it; nobody is signed in.
func (s *Stack) Alone() (*Alone, error) {
	listener, err := net.Listen("tcp", s.besides.alone)
	if err != nil {
		return nil, err
	}
	a := &Alone{}
	if a.Public, err = public(s.besides.alone); err != nil {
		return nil, err
	}
	a.server = s.servesOn(listener, &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(s.direct)
			p.Out.Header.Del("Cookie")
			if user := a.user.Load(); user != 0 {
				if bearer, err := s.Bearer(user); err == nil {
					p.Out.Header.Set("Authorization", bearer.Reveal())
				}
			}
		},
		ErrorLog: log.New(io.Discard, "", 0), // pages break requests off
	})
	return a, nil
}

// SignsIn has Label Studio know the browser as one of its users from now on;
// 0 signs out.
func (a *Alone) SignsIn(user int64) { a.user.Store(user) }

// Close ends it.
func (a *Alone) Close() { _ = a.server.Close() }
