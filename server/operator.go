package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

// ListedSession is a session as an operator sees it.
type ListedSession struct {
	// Session is the short name, as in the audit.
	Session string    `json:"session"`
	IdP     string    `json:"idp"`
	Person  string    `json:"person"` // RoleSessionName
	NameID  string    `json:"name_id"`
	Email   string    `json:"email,omitempty"`
	Roles   []string  `json:"roles"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"`
	Expires time.Time `json:"expires"`
}

// Revoke says which sessions are to end; exactly one field is set.
type Revoke struct {
	Session string `json:"session,omitempty"`
	Person  string `json:"person,omitempty"`
	Role    string `json:"role,omitempty"`
}

// wants says whether a session is meant.
func (v Revoke) wants(l session.Listed) bool {
	switch {
	case v.Session != "":
		return strings.HasPrefix(l.ID, v.Session) && len(v.Session) >= handleLength
	case v.Person != "":
		p := l.Principal
		return v.Person == p.NameID || v.Person == p.SessionName || strings.EqualFold(v.Person, p.Email)
	}
	return slices.Contains(l.Roles, v.Role)
}

// valid says whether exactly one field is set.
func (v Revoke) valid() bool {
	set := 0
	for _, text := range []string{v.Session, v.Person, v.Role} {
		if text != "" {
			set++
		}
	}
	return set == 1 && (v.Session == "" || len(v.Session) >= handleLength)
}

// handleLength is how much of a session's name is shown.
const handleLength = 12

// adminSocket opens the socket, if there is to be one. It is made where nobody
// else can reach it, because between its making and its mode it would be open.
func (s *Server) adminSocket(ctx context.Context) (net.Listener, error) {
	path := s.config.AdminSocket
	if path == "" {
		return nil, nil
	}
	if err := removeStale(ctx, "admin_socket", path); err != nil {
		return nil, err
	}
	before := syscall.Umask(0o177)
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	syscall.Umask(before)
	if err != nil {
		return nil, unheard("admin_socket", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("closing the admin socket to others: %w", err), listener.Close())
	}
	return listener, nil
}

// operatorHandler answers the commands that look at sessions or change
// something.
func (s *Server) operatorHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sessions", s.listSessions)
	mux.HandleFunc("POST /sessions/revoke", s.revokeSessions)
	mux.HandleFunc("POST /keys/reload", s.reloadKeys)
	return mux
}

func (s *Server) listSessions(w http.ResponseWriter, r *http.Request) {
	listed, err := s.pages.Sessions.List(r.Context(), func(session.Listed) bool { return true })
	if err != nil {
		say(w, http.StatusServiceUnavailable, "the sessions could not be listed: "+err.Error()+"\n")
		return
	}
	all := []ListedSession{}
	for _, l := range listed {
		p := l.Principal
		all = append(all, ListedSession{l.ID[:handleLength], p.IdP, p.SessionName, p.NameID, p.Email, l.Roles, l.Created, l.Seen, l.Expires})
	}
	answer(w, all)
}

func (s *Server) revokeSessions(w http.ResponseWriter, r *http.Request) {
	var v Revoke
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&v); err != nil || !v.valid() {
		say(w, http.StatusBadRequest, "give one of session, person and role; a session by its 12 characters at least\n")
		return
	}
	ended, err := s.pages.EndSessions(r.Context(), v.wants)
	if err != nil {
		say(w, http.StatusInternalServerError, "not every session could be ended: "+err.Error()+"\n")
		return
	}
	s.log.Info("sessions were revoked", "number", ended)
	answer(w, ended)
}

func (s *Server) reloadKeys(w http.ResponseWriter, _ *http.Request) {
	ring, err := state.LoadKeyring(s.config.Keys)
	if err != nil {
		say(w, http.StatusInternalServerError, err.Error()+"\n")
		return
	}
	s.sealer.Rekey(ring)
	s.log.Info("the keys were read again", "keys", ring.String())
	answer(w, ring.String())
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("content-type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // whoever asked has gone, if it fails
}
