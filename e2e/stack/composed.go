package stack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// composition is the stack of docker-compose.yml, with what watches it.
type composition struct {
	root string               // the repository
	logs map[string]*exec.Cmd // by service, which they follow
}

// composedName is the project's name: a demonstration of the user's own is
// another.
const composedName = "rolepass-e2e"

// StartComposed starts everything in containers, from nothing, and returns when
// it is ready. Images are built or were pulled before; see make e2e-compose.
func StartComposed(ctx context.Context, o Options) (*Stack, error) {
	root, err := repository(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	s := &Stack{Options: o, objects: map[string][]byte{}, composed: &composition{root: root}}
	// samlsts, a user without a name, writes here too.
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "issued"), 0o755), os.Chmod(dir, 0o755), os.Chmod(filepath.Join(dir, "issued"), 0o777)); err != nil {
		return nil, err
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"what an earlier run left", func() error { return s.compose(ctx, nil, "down", "--volumes", "--remove-orphans", "--timeout", "1") }},
		{"everything, in containers", func() error {
			return s.compose(ctx, nil, "up", "--detach", "--no-build", "--pull", "never", "--wait", "envoy", "peek")
		}},
		{"what there is", func() error { return s.learns(ctx) }},
	} {
		if err := s.step(step.what, step.do); err != nil {
			err = errors.Join(err, s.keepsLogs())
			s.Stop()
			return nil, err
		}
	}
	return s, nil
}

// compose runs one command of docker compose to its end.
func (s *Stack) compose(ctx context.Context, out *bytes.Buffer, args ...string) error {
	command := s.composeCommand(ctx, args...)
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if out != nil {
		command.Stdout = out
	}
	if err := command.Run(); err != nil {
		text := said.Bytes()
		return fmt.Errorf("docker compose %s: %w\n%s", args[0], err, text[max(0, len(text)-tail):])
	}
	return nil
}

func (s *Stack) composeCommand(ctx context.Context, args ...string) *exec.Cmd {
	e2e := filepath.Join(s.composed.root, "e2e")
	command := exec.CommandContext(ctx, "docker", append([]string{"compose", "--ansi", "never", "--progress", "plain", "--project-name", composedName,
		"--file", filepath.Join(e2e, "docker-compose.yml"), "--file", filepath.Join(e2e, "docker-compose.watched.yml")}, args...)...)
	command.Env = append(os.Environ(), "ROLEPASS_WATCHED="+s.Dir)
	return command
}

// learns reads what the seed says, and follows the logs.
func (s *Stack) learns(ctx context.Context) error {
	var said bytes.Buffer
	if err := s.compose(ctx, &said, "logs", "--no-log-prefix", "--no-color", "seed"); err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s.Demo); err != nil {
		return fmt.Errorf("the seed says no JSON at its end: %w", err)
	}
	s.Demo.Admin = composedPeek
	log := func(name string) string { return filepath.Join(s.Dir, name) }
	s.Demo.Logs = map[string]string{
		"rolepass": log("rolepass.log"), "audit": log("rolepass.log"), "envoy": log("envoy.log"), "access": log("envoy.log"),
		"s3": log("s3.log"), "s3_requests": log("s3-requests.log"), "label_studio_requests": log("label_studio_requests.log"), "sts": log("issued/issued.jsonl"),
	}
	for _, content := range contents() {
		for _, o := range content.objects {
			s.holds(o)
		}
	}
	for _, o := range outside() {
		s.holds(o)
	}
	// What Rolepass keeps secret, so that a test can look for it elsewhere.
	if err := errors.Join(s.trusts(ctx), s.compose(ctx, nil, "cp", "prepare:/made/rolepass/.", s.Dir)); err != nil {
		return err
	}
	s.watch()
	return errors.Join(s.keepsFiles(), s.follows("rolepass"), s.follows("envoy"))
}

func (s *Stack) holds(o object) {
	s.objects[o.uri] = o.body
	for _, other := range o.more {
		s.objects[other.uri] = other.body
	}
}

// trusts takes the demonstration's own authority.
func (s *Stack) trusts(ctx context.Context) error {
	var archive bytes.Buffer
	if err := s.compose(ctx, &archive, "cp", "prepare:/made/authorities/ca.crt", filepath.Join(s.Dir, "ca.crt")); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(s.Dir, "ca.crt"))
	if err != nil {
		return err
	}
	s.roots = x509.NewCertPool()
	if !s.roots.AppendCertsFromPEM(text) {
		return errors.New("the demonstration's authority is no certificate")
	}
	return nil
}

// follows writes the log of a service's container to a file. Another container of
// the same service is followed anew: what followed the one before may say nothing.
func (s *Stack) follows(service string) error {
	file, err := s.appends(service + ".log")
	if err != nil {
		return err
	}
	command := s.composeCommand(context.Background(), "logs", "--follow", "--no-log-prefix", "--no-color", service)
	command.Stdout, command.Stderr = file, file
	if err := command.Start(); err != nil {
		return fmt.Errorf("following the log of %s: %w", service, err)
	}
	if s.composed.logs == nil {
		s.composed.logs = map[string]*exec.Cmd{}
	}
	s.composed.logs[service] = command
	return nil
}

// keepsLogs puts the last lines of everything where a person finds them.
func (s *Stack) keepsLogs() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var said bytes.Buffer
	if err := s.compose(ctx, &said, "logs", "--no-color", "--tail", "12"); err != nil {
		return err
	}
	return errors.New("the services said last:\n" + said.String())
}

// stopComposed ends everything and forgets it.
func (s *Stack) stopComposed() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = s.compose(ctx, nil, "down", "--volumes", "--timeout", "2")
	for service := range s.composed.logs {
		s.unfollows(service)
	}
}

func (s *Stack) unfollows(service string) {
	log := s.composed.logs[service]
	_ = log.Process.Kill()
	_ = log.Wait()
	delete(s.composed.logs, service)
}

// TLS is how to connect to the stack's https addresses; nil where it has none.
func (s *Stack) TLS() *tls.Config {
	if s.roots == nil {
		return nil
	}
	return &tls.Config{RootCAs: s.roots}
}

// Pins are hashes of the public keys of the https addresses that a browser
// opens, as Chromium takes them: it then asks nobody else whether to trust them.
func (s *Stack) Pins() ([]string, error) {
	var pins []string
	for _, address := range []string{s.Demo.Public, s.Demo.IdP} {
		host, ok := strings.CutPrefix(address, "https://")
		if !ok {
			continue
		}
		conn, err := tls.Dial("tcp", host, s.TLS())
		if err != nil {
			return nil, err
		}
		pins = append(pins, pin(conn.ConnectionState().PeerCertificates[0]))
		_ = conn.Close()
	}
	return pins, nil
}

func pin(c *x509.Certificate) string {
	hash := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(hash[:])
}

// withoutComposedRolepass stops the container, does something, and starts it.
func (s *Stack) withoutComposedRolepass(ctx context.Context, do func()) error {
	if err := s.compose(ctx, nil, "stop", "peek", "rolepass"); err != nil {
		return err
	}
	do()
	s.unfollows("rolepass")
	if err := s.compose(ctx, nil, "up", "--detach", "--no-build", "--pull", "never", "--no-deps", "--force-recreate", "--wait", "rolepass", "peek"); err != nil {
		return err
	}
	return s.follows("rolepass")
}
