package stack

import (
	"errors"
	"net/http"
)

// Outage is a way in which Label Studio does not answer.
type Outage int32

const (
	// HangsUp ends each connection when a request has come.
	HangsUp Outage = iota + 1
	// Hangs takes requests and says nothing.
	Hangs
	// Refuses has nobody at the port: connections are refused.
	Refuses
)

// WithOutage lets Label Studio fail, for everybody, while do runs.
func (s *Stack) WithOutage(o Outage, do func()) (err error) {
	if o == Refuses {
		if err := s.atApp.Close(); err != nil {
			return err
		}
		// Also when do ends the test.
		defer func() { err = errors.Join(err, s.opensApp()) }()
	}
	s.outage.Store(int32(o))
	defer s.outage.Store(0)
	do()
	return nil
}

// failing is Label Studio as the outage has it.
func (s *Stack) failing(app http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch Outage(s.outage.Load()) {
		case HangsUp:
			panic(http.ErrAbortHandler)
		case Hangs:
			<-r.Context().Done()
		default:
			app.ServeHTTP(w, r)
		}
	})
}
