package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/rolepass/rolepass/config"
)

// listen opens the door. A Unix socket is for its owner and group: Envoy runs
// in that group, and nobody else may ask.
func listen(ctx context.Context, l config.Listen) (net.Listener, error) {
	if l.Network == "unix" {
		if err := removeStale(ctx, "listen", l.Address); err != nil {
			return nil, err
		}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, l.Network, l.Address)
	if err != nil {
		return nil, unheard("listen", l.Address, err)
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
func removeStale(ctx context.Context, key, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unheard(key, path, err)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s: %s is there and is no socket: remove it, or choose another path", key, path)
	}
	dialer := net.Dialer{Timeout: time.Second}
	if conn, err := dialer.DialContext(ctx, "unix", path); err == nil {
		_ = conn.Close()
		return fmt.Errorf("%s: another process answers on %s, such as a Rolepass that still runs: stop it first", key, path)
	}
	return os.Remove(path)
}

// unheard says why nothing listens at the address of a key of the configuration.
func unheard(key, address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: %s is in use by another process, such as a Rolepass that still runs: stop it, or choose another address: %w", key, address, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: %s is no address of this machine: %w", key, address, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: the directory of %s is not there: make it for the user that Rolepass runs as (systemd: RuntimeDirectory): %w", key, address, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: this user (uid %d) may not listen at %s: %w", key, os.Geteuid(), address, err)
	}
	return fmt.Errorf("%s: listening at %s: %w", key, address, err)
}
