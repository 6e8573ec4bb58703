package stack

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// Valkey is a Valkey or Redis server for the state that replicas share: with
// TLS, certificates of an authority of its own, and passwords. What it has said
// yes to is on its disk.
type Valkey struct {
	// Client is the server's administrator.
	Client *redis.Client
	// Settings are the keys of state in rolepass.yaml that lead there.
	Settings map[string]any

	stack   *Stack
	program string
	dir     string
	tls     *tls.Config
	process *process
}

// ValkeyPrefix is the beginning of the keys that Rolepass may have there.
const ValkeyPrefix = "rolepass-e2e:"

// valkeySettings are the server's.
//
// The search for secrets reads what the server has on its disk (package canary).
// The append-only file has every command that ever wrote, as it came, and the
// dump that is saved at the end has every key: so neither is compressed, nor
// made shorter.
const valkeySettings = `
bind 127.0.0.1
port 0
tls-port %[2]s
tls-cert-file %[1]s/tls.crt
tls-key-file %[1]s/tls.key
tls-ca-cert-file %[1]s/ca.crt
tls-auth-clients no
dir %[1]s
appendonly yes
aof-use-rdb-preamble no
auto-aof-rewrite-percentage 0
save 3600 1
rdbcompression no
user default off
%[3]s
user operator on >%[4]s ~* &* +@all
`

// documentedUser is the server's user for Rolepass: the one that docs/state.md
// prints, so that what operators copy is what every story runs with.
func documentedUser(ctx context.Context, password string) (string, error) {
	root, err := repository(ctx)
	if err != nil {
		return "", err
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "state.md"))
	if err != nil {
		return "", err
	}
	found := regexp.MustCompile(`(?m)^ACL SETUSER (rolepass on >PASSWORD .* ~rolepass:\* .*)$`).FindSubmatch(page)
	if found == nil {
		return "", errors.New("docs/state.md has no user")
	}
	return "user " + strings.NewReplacer(">PASSWORD", ">"+password, "~rolepass:", "~"+ValkeyPrefix).Replace(string(found[1])), nil
}

// startValkey starts the program, a valkey-server or a redis-server.
func (s *Stack) startValkey(ctx context.Context, program string) (*Valkey, error) {
	address, err := s.ports.address()
	if err != nil {
		return nil, err
	}
	v := &Valkey{stack: s, program: program, dir: filepath.Join(s.Dir, "valkey")}
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return nil, err
	}
	if err := v.certify(); err != nil {
		return nil, err
	}
	password, operators := rand.Text(), rand.Text()
	s.Secrets.Keep("a password of the state's server", password)
	s.Secrets.Keep("a password of the state's server", operators)
	user, err := documentedUser(ctx, password)
	if err != nil {
		return nil, err
	}
	if err := v.writes("valkey.conf", fmt.Appendf(nil, valkeySettings, v.dir, portOf(address), user, operators)); err != nil {
		return nil, err
	}
	if err := v.writes("password", []byte(password+"\n")); err != nil {
		return nil, err
	}
	v.Client = redis.NewClient(&redis.Options{Addr: address, TLSConfig: v.tls, Username: "operator", Password: operators, Protocol: 2})
	s.mu.Lock()
	s.files = append(s.files, v.Client)
	s.mu.Unlock()
	v.Settings = map[string]any{
		"kind": "valkey", "address": "rediss://" + net.JoinHostPort("localhost", portOf(address)) + "/0", "prefix": ValkeyPrefix,
		"user": "rolepass", "password_file": filepath.Join(v.dir, "password"), "ca_file": filepath.Join(v.dir, "ca.crt"),
	}
	return v, v.starts(ctx)
}

func (v *Valkey) writes(name string, text []byte) error {
	return os.WriteFile(filepath.Join(v.dir, name), text, 0o600)
}

// certify writes the server's certificate, and that of another server's authority.
func (v *Valkey) certify() error {
	authority, err := newAuthority()
	if err != nil {
		return err
	}
	chain, key, err := authority.issues("localhost", "127.0.0.1")
	if err != nil {
		return err
	}
	other, err := newAuthority()
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"tls.crt": chain, "tls.key": key, "ca.crt": authority.certificate, "other-ca.crt": other.certificate} {
		if err := v.writes(name, text); err != nil {
			return err
		}
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.parsed)
	v.tls = &tls.Config{RootCAs: roots}
	return nil
}

// OtherAuthority is a file with the certificate of an authority that has not
// issued the server's.
func (v *Valkey) OtherAuthority() string { return filepath.Join(v.dir, "other-ca.crt") }

// starts starts the server, with what is on its disk.
func (v *Valkey) starts(ctx context.Context) (err error) {
	if v.process, err = v.stack.starts("valkey", nil, v.program, filepath.Join(v.dir, "valkey.conf")); err != nil {
		return err
	}
	return v.process.until(ctx, func(ctx context.Context) error { return v.Client.Ping(ctx).Err() })
}

// Dead has the server ended without its doing, in the midst of whatever it does,
// while do runs; and then started again.
func (v *Valkey) Dead(ctx context.Context, do func()) (err error) {
	v.stack.kills(v.process)
	// Also when do ends the test.
	defer func() { err = v.starts(ctx) }()
	do()
	return nil
}

// Hangs stops the server while do runs: connections to it are made, and nothing
// is answered.
func (v *Valkey) Hangs(do func()) error {
	group := -v.process.cmd.Process.Pid
	if err := syscall.Kill(group, syscall.SIGSTOP); err != nil {
		return err
	}
	// Also when do ends the test.
	defer func() { _ = syscall.Kill(group, syscall.SIGCONT) }()
	do()
	return nil
}

// Written is what the server has on its disk of all commands so far.
func (v *Valkey) Written() ([]byte, error) {
	names, err := filepath.Glob(filepath.Join(v.dir, "appendonlydir", "*.aof"))
	if err != nil {
		return nil, err
	}
	var all []byte
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, text...)
	}
	return all, nil
}

// InTheClear is the server's address without TLS, which it does not speak.
func (v *Valkey) InTheClear() string {
	return strings.Replace(v.Database(0), "rediss:", "redis:", 1)
}

// Database is the server's address with another of its databases; there are 16.
func (v *Valkey) Database(n int) string {
	address, _ := v.Settings["address"].(string)
	return fmt.Sprintf("%s/%d", strings.TrimSuffix(address, "/0"), n)
}
