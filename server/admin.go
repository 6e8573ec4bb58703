package server

import (
	"context"
	"io"
	"net"
	"net/http"
)

// monitoring listens for those who ask for health and metrics from beyond this
// machine. No listener: the configuration has none.
func (s *Server) monitoring(ctx context.Context) (net.Listener, error) {
	if s.config.Monitoring == "" {
		return nil, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.config.Monitoring)
	if err != nil {
		return nil, unheard("monitoring", s.config.Monitoring, err)
	}
	return listener, nil
}

// closed closes a listener, if there is one.
func closed(l net.Listener) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

// adminHandler answers health and metrics. It shows no person, no session and
// no object, and changes nothing.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !s.ready.Load() {
			say(w, http.StatusServiceUnavailable, "not serving\n")
			return
		}
		say(w, http.StatusOK, "serving\n")
	})
	mux.Handle("GET /metrics", s.metrics.Handler())
	return mux
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("content-type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
