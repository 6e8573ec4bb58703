package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/rolepass/rolepass/config"
)

// Operator talks to a running Rolepass over its admin socket.
type Operator struct {
	path string
	http *http.Client
}

// NewOperator knows the socket from the configuration.
func NewOperator(c *config.Config) (*Operator, error) {
	if c.AdminSocket == "" {
		return nil, errors.New("the configuration has no admin_socket: give it the path of a socket, and restart Rolepass")
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", c.AdminSocket)
	}
	return &Operator{c.AdminSocket, &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}, nil
}

// Sessions lists the sessions, the oldest first.
func (o *Operator) Sessions(ctx context.Context) ([]ListedSession, error) {
	var all []ListedSession
	return all, o.asks(ctx, http.MethodGet, "/sessions", nil, &all)
}

// Revoke ends sessions, and gives how many.
func (o *Operator) Revoke(ctx context.Context, v Revoke) (int, error) {
	ended := 0
	return ended, o.asks(ctx, http.MethodPost, "/sessions/revoke", v, &ended)
}

// ReloadKeys has the keys read again.
func (o *Operator) ReloadKeys(ctx context.Context) error {
	return o.asks(ctx, http.MethodPost, "/keys/reload", nil, new(string))
}

func (o *Operator) asks(ctx context.Context, method, path string, body, into any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://rolepass"+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	response, err := o.http.Do(request)
	if err != nil {
		return fmt.Errorf("asking Rolepass at %s, which must run, and as the same user: %w", o.path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("asking Rolepass at %s: %w", o.path, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("Rolepass at %s says: %s", o.path, strings.TrimSpace(string(text)))
	}
	return json.Unmarshal(text, into)
}
