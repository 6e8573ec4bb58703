package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/e2e/valkeytest"
)

// asked has the doctor look at a state's server.
func asked(t *testing.T, to config.Valkey) (string, error) {
	t.Helper()
	to.Prefix = "rolepass:"
	d := &doctor{now: time.Now, config: &config.Config{State: config.State{Kind: config.StateValkey, Valkey: to}}}
	return d.state(t.Context())
}

// told changes something at the server, as whoever operates it can.
func told(t *testing.T, s *valkeytest.Server, command ...any) {
	t.Helper()
	if err := s.Client.Do(t.Context(), command...).Err(); err != nil {
		t.Fatalf("%v: %v", command, err)
	}
}

// TestTheDoctorLooksAtTheState: with a real server, and one thing wrong with it.
func TestTheDoctorLooksAtTheState(t *testing.T) {
	const user = "rolepass"
	for name, c := range map[string]struct {
		done [][]any
		to   config.Valkey
		says string
	}{
		"another password":      {[][]any{{"ACL", "SETUSER", user, "on", ">right", "~*", "+@all"}}, config.Valkey{User: user, Password: "hunter2"}, "compare user and password_file with its ACL"},
		"no password":           {[][]any{{"CONFIG", "SET", "requirepass", "right"}}, config.Valkey{}, "give password_file"},
		"another prefix's user": {[][]any{{"ACL", "SETUSER", user, "on", ">hunter2", "~other:*", "+@all"}}, config.Valkey{User: user, Password: "hunter2"}, "docs/state.md has what is enough"},
		"a user that may read":  {[][]any{{"ACL", "SETUSER", user, "on", ">hunter2", "~*", "+@all", "-set"}}, config.Valkey{User: user, Password: "hunter2"}, "docs/state.md has what is enough"},
		"a replica":             {[][]any{{"REPLICAOF", "127.0.0.1", "1"}}, config.Valkey{}, "give the address of the primary"},
		"it forgets any key":    {[][]any{{"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"}}, config.Valkey{}, "maxmemory-policy allkeys-lru"},
		"it forgets what ends":  {[][]any{{"CONFIG", "SET", "maxmemory-policy", "volatile-ttl"}}, config.Valkey{}, "maxmemory-policy volatile-ttl"},
		"it is full":            {[][]any{{"CONFIG", "SET", "maxmemory", "1"}}, config.Valkey{}, "raise maxmemory"},
		"no such database":      {nil, config.Valkey{DB: 99}, "write another behind the address"},
	} {
		t.Run(name, func(t *testing.T) {
			s := valkeytest.Start(t)
			for _, command := range c.done {
				told(t, s, command...)
			}
			c.to.Network, c.to.Address = "unix", s.Socket
			note, err := asked(t, c.to)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q, %v; want %q", note, err, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is said: %v", err)
			}
		})
	}
}

// TestTheDoctorLeavesNothingBehind, and says what the server will do when it is full,
// where it may know.
func TestTheDoctorLeavesNothingBehind(t *testing.T) {
	s := valkeytest.Start(t)
	told(t, s, "ACL", "SETUSER", "silent", "on", ">p", "~rolepass:*", "+@all", "-info", "-config")
	for _, c := range []struct {
		to     config.Valkey
		policy string
		says   string
	}{
		{config.Valkey{}, "noeviction", "nobody can sign in (maxmemory-policy noeviction)"},
		{config.Valkey{User: "silent", Password: "p"}, "allkeys-lru", "it does not say"},
	} {
		told(t, s, "CONFIG", "SET", "maxmemory-policy", c.policy)
		c.to.Network, c.to.Address = "unix", s.Socket
		if note, err := asked(t, c.to); err != nil || !strings.Contains(note, c.says) {
			t.Errorf("%q, %v; want %q", note, err, c.says)
		}
	}
	if n, err := s.Client.DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("%d keys are left, %v", n, err)
	}
}

// TestTheDoctorVerifiesTheStatesServer: its certificate, its name, and that it speaks
// TLS at all.
func TestTheDoctorVerifiesTheStatesServer(t *testing.T) {
	s := valkeytest.Start(t)
	web := httptest.NewUnstartedServer(nil) // it has a certificate for 127.0.0.1 and example.com
	web.StartTLS()
	web.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(web.Certificate())
	behindTLS := forwarded(t, s.Socket, &tls.Config{Certificates: web.TLS.Certificates})
	forClients := forwarded(t, s.Socket, &tls.Config{Certificates: web.TLS.Certificates, ClientAuth: tls.RequireAnyClientCert})
	inTheClear := forwarded(t, s.Socket, nil)
	port := behindTLS[strings.LastIndex(behindTLS, ":"):]
	for name, c := range map[string]struct {
		to   config.Valkey
		says string // nothing: it is fine
	}{
		"trusted":                     {config.Valkey{Address: behindTLS, TLS: true, Roots: trusted}, ""},
		"of nobody's authority":       {config.Valkey{Address: behindTLS, TLS: true}, "name the authorities in ca_file"},
		"another name":                {config.Valkey{Address: "localhost" + port, TLS: true, Roots: trusted}, "its certificate is for another name"},
		"for clients' certificates":   {config.Valkey{Address: forClients, TLS: true, Roots: trusted}, "set tls-auth-clients no"},
		"in the clear":                {config.Valkey{Address: inTheClear, TLS: true, Roots: trusted}, "look whether it runs and speaks TLS at this port"},
		"nobody there":                {config.Valkey{Address: nobody(t), TLS: true, Roots: trusted}, "policies of the network"},
		"no socket":                   {config.Valkey{Network: "unix", Address: s.Socket + "x"}, "may write to its socket"},
		"TLS where none was expected": {config.Valkey{Address: behindTLS}, "is written rediss://"},
	} {
		if c.to.Network == "" {
			c.to.Network = "tcp"
		}
		note, err := asked(t, c.to)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %q, %v; want %q", name, note, err, c.says)
		}
	}
}

// TestWhatAStatesServerSays is repeated as text, and obeyed by no terminal.
func TestWhatAStatesServerSays(t *testing.T) {
	for word, says := range map[string]string{
		"MOVED 1 10.0.0.1:6379": "cluster mode off", "MASTERDOWN Link with MASTER is down": "follows the primary", "MISCONF Redis is configured to save RDB snapshots": "look at its log",
		"LOADING Redis is loading the dataset": "run this again", "ERR \x1b[2Jcleared\r\n": "look whether it runs",
	} {
		err := stateFails(config.Valkey{Network: "tcp"}, errors.New("set at the state's server: "+word))
		if !strings.Contains(err.Error(), says) || strings.ContainsAny(err.Error(), "\x1b\r\n") {
			t.Errorf("%q: %q; want %q", word, err, says)
		}
	}
}

// forwarded is an address behind which a server at a socket is.
func forwarded(t *testing.T, socket string, secured *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	address := l.Addr().String()
	if secured != nil {
		l = tls.NewListener(l, secured)
	}
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", socket)
			if err != nil {
				_ = from.Close()
				continue
			}
			go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
			go func() { _, _ = io.Copy(from, to); _ = from.Close() }()
		}
	}()
	return address
}

// nobody is an address on loopback at which nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
