package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/rolepass/rolepass/config"
)

// listen opens the door. A Unix socket is for its owner and group: Envoy runs
// in that group, and nobody else may ask.
func listen(ctx context.Context, l config.Listen) (net.Listener, error) {
	if l.Network == "unix" {
		if err := removeStale(ctx, l.Address); err != nil {
			return nil, err
		}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, l.Network, l.Address)
	if err != nil {
		return nil, fmt.Errorf("listening for Check: %w", err)
	}
	if l.Network == "unix" {
		if err := os.Chmod(l.Address, 0o660); err != nil {
			return nil, errors.Join(fmt.Errorf("closing the socket to others: %w", err), listener.Close())
		}
	}
	return listener, nil
}

// removeStale takes away the socket of a process that is gone. One that
// somebody answers on, and anything that is no socket, stays.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking at the socket: %w", err)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("listening for Check: %s is there and is no socket: remove it, or choose another path", path)
	}
	dialer := net.Dialer{Timeout: time.Second}
	if conn, err := dialer.DialContext(ctx, "unix", path); err == nil {
		_ = conn.Close()
		return fmt.Errorf("listening for Check: another process answers on %s: stop it first", path)
	}
	return os.Remove(path)
}
