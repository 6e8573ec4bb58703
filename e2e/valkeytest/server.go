// Package valkeytest runs a Valkey or Redis server for a test: the real thing, on a
// socket in a folder of the test's own.
package valkeytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rolepass/rolepass/state/valkey"
)

// Server is one that runs.
type Server struct {
	// Socket is where it listens.
	Socket string
	// Client asks it past Rolepass, as whoever operates it can.
	Client *redis.Client

	t         testing.TB
	arguments []string
	program   *exec.Cmd
	output    bytes.Buffer
}

// Start runs a server until the test ends, with arguments of the test's. It keeps
// nothing on disk.
func Start(t testing.TB, arguments ...string) *Server {
	t.Helper()
	folder, err := os.MkdirTemp("", "valkey") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	s := &Server{t: t, arguments: arguments, Socket: filepath.Join(folder, "s")}
	s.Client = redis.NewClient(&redis.Options{Network: "unix", Addr: s.Socket, Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = s.Client.Close() })
	s.Run()
	t.Cleanup(s.Kill)
	return s
}

// Run starts it, again after a Kill, and waits until it answers.
func (s *Server) Run() {
	s.t.Helper()
	s.output.Reset()
	always := []string{"--port", "0", "--unixsocket", s.Socket, "--save", "", "--dir", filepath.Dir(s.Socket)}
	s.program = exec.Command(program(s.t), append(always, s.arguments...)...)
	s.program.Stdout, s.program.Stderr = &s.output, &s.output
	if err := s.program.Start(); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	for s.Client.Ping(ctx).Err() != nil {
		select {
		case <-ctx.Done():
			s.Kill()
			s.t.Fatalf("the server does not answer:\n%s", s.output.String())
		case <-time.After(5 * time.Millisecond): // until it listens
		}
	}
}

// Kill ends it at once. What it held is gone.
func (s *Server) Kill() {
	if s.program.ProcessState == nil {
		_ = s.program.Process.Kill()
		_ = s.program.Wait()
	}
}

// Open is how Rolepass reaches it. The connections end with the test.
func (s *Server) Open(o valkey.Options) *valkey.Server {
	s.t.Helper()
	o.Network, o.Address = "unix", s.Socket
	server := valkey.Open(o)
	s.t.Cleanup(func() { _ = server.Close() })
	return server
}

// program is the server's, as e2e/install found it.
func program(t testing.TB) string {
	t.Helper()
	for _, name := range []string{os.Getenv("ROLEPASS_VALKEY"), "valkey-server", "redis-server"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Fatal("there is neither valkey-server nor redis-server: `go run ./e2e/install -tests` says how to get one")
	return ""
}

// WantPassword has the server let nobody in who does not know it.
func (s *Server) WantPassword(password string) {
	s.t.Helper()
	if err := s.Client.ConfigSet(s.t.Context(), "requirepass", password).Err(); err != nil {
		s.t.Fatal(err)
	}
}

// Dump is all that the server holds: names and values, whatever their type.
func (s *Server) Dump() string {
	s.t.Helper()
	var all strings.Builder
	keys, err := s.Client.Keys(s.t.Context(), "*").Result()
	if err != nil || len(keys) == 0 {
		s.t.Fatalf("the server holds %d keys: %v", len(keys), err)
	}
	for _, key := range keys {
		value, err := s.Client.Dump(s.t.Context(), key).Result()
		if err != nil {
			s.t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %s\n", key, value)
	}
	return all.String()
}

// Swap exchanges the values of two keys, by the ends of their names.
func (s *Server) Swap(one, other string) {
	s.t.Helper()
	a, b := s.key(one), s.key(other)
	first, second := s.Client.Get(s.t.Context(), a).Val(), s.Client.Get(s.t.Context(), b).Val()
	if err := errors.Join(s.Client.Set(s.t.Context(), a, second, redis.KeepTTL).Err(), s.Client.Set(s.t.Context(), b, first, redis.KeepTTL).Err()); err != nil || first == "" || second == "" {
		s.t.Fatalf("not swapped: %v", err)
	}
}

func (s *Server) key(end string) string {
	s.t.Helper()
	keys, err := s.Client.Keys(s.t.Context(), "*"+end).Result()
	if err != nil || len(keys) != 1 {
		s.t.Fatalf("%d keys end in %s: %v", len(keys), end, err)
	}
	return keys[0]
}

// Forget loses a key, by the end of its name.
func (s *Server) Forget(end string) {
	s.t.Helper()
	if err := s.Client.Del(s.t.Context(), s.key(end)).Err(); err != nil {
		s.t.Fatal(err)
	}
}

// ForgetAll loses the keys that have this in their names, as a server does that is full.
func (s *Server) ForgetAll(part string) {
	s.t.Helper()
	keys, err := s.Client.Keys(s.t.Context(), "*"+part+"*").Result()
	if err == nil {
		err = s.Client.Del(s.t.Context(), keys...).Err()
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// Left is how long a key still lives, by the end of its name.
func (s *Server) Left(end string) time.Duration {
	s.t.Helper()
	left, err := s.Client.PTTL(s.t.Context(), s.key(end)).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	return left
}
