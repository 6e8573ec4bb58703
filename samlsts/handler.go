package samlsts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// ServeHTTP answers one call. Whatever goes wrong is an error in AWS's XML,
// and one line in the log.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.Now()
	id, err := s.requestID()
	if err != nil {
		id = "unavailable"
	}
	record := Record{Time: now.UTC(), RequestID: id, Code: "OK"}
	var answer any
	if err == nil {
		answer, err = s.call(w, r, now, &record)
	}
	if err == nil {
		if err = s.journal.add(record); err == nil {
			s.send(w, http.StatusOK, id, answer)
			return
		}
		err = internal(err)
	}
	s.sendError(w, record, err)
}

// call is one call from form to answer. It fills the record as it learns, and
// turns a panic into an error.
func (s *Server) call(w http.ResponseWriter, r *http.Request, now time.Time, record *Record) (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			answer, err = nil, internal(fmt.Errorf("panic: %v", p))
		}
	}()
	q, err := readRequest(w, r)
	if err != nil {
		return nil, err
	}
	if s.roles[q.roleARN] != nil {
		record.Role = q.roleARN
	}
	if s.providers[q.principalARN] != nil {
		record.Provider = q.principalARN
	}
	g, err := s.decide(q, now)
	if err != nil {
		return nil, err
	}
	record.SessionName = g.order.SessionName
	credentials, err := s.obtain(r.Context(), g.order, now)
	if err != nil {
		return nil, err
	}
	narrowed := g.order.Policy != ""
	expires := credentials.Expiration.UTC()
	record.AccessKeyID, record.Expires, record.Narrowed = credentials.AccessKeyID, &expires, &narrowed
	return g.answer(credentials, record.RequestID), nil
}

// obtain asks the store and checks what it gave.
func (s *Server) obtain(ctx context.Context, o Order, now time.Time) (*Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	credentials, err := s.Assume(ctx, o)
	var refused *Error
	switch {
	case errors.As(err, &refused):
		return nil, refused
	case err != nil:
		return nil, unavailable(err)
	}
	if err := credentials.check(o, now); err != nil {
		return nil, unavailable(err)
	}
	return credentials, nil
}

// requestID is a UUID of version 4 (RFC 9562, section 5.4).
func (s *Server) requestID() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return "", fmt.Errorf("reading random bytes: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

// sendError is the one place where errors become statuses.
func (s *Server) sendError(w http.ResponseWriter, record Record, err error) {
	var refused *Error
	if !errors.As(err, &refused) {
		refused = internal(err)
	}
	record.Code, record.Message = refused.Code, refused.Message
	record.AccessKeyID, record.Expires, record.Narrowed = "", nil, nil
	if refused.Cause != nil {
		record.Why = refused.Cause.Error()
	}
	if !refused.sender() {
		s.Log.Error("samlsts: a call failed", slog.String("request_id", record.RequestID), slog.String("code", record.Code), slog.String("why", record.Why))
	}
	if err := s.journal.add(record); err != nil {
		s.Log.Error("samlsts: "+err.Error(), slog.String("request_id", record.RequestID))
	}
	s.send(w, refused.Status, record.RequestID, refused.answer(record.RequestID))
}

func (s *Server) send(w http.ResponseWriter, status int, id string, answer any) {
	if err := write(w, status, id, answer); err != nil {
		s.Log.Warn("samlsts: an answer was not delivered", slog.String("request_id", id), slog.String("why", err.Error()))
	}
}
