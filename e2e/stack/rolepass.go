package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// mostLogins is how many sessions one person may have, and how many logins they may
// begin at once: all tests sign in as the same few people.
const mostLogins = 500

// builds compiles the programs of this repository.
func (s *Stack) builds(ctx context.Context) error {
	root, err := repository(ctx)
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(s.Dir, "bin")+string(filepath.Separator), "./cmd/rolepass", "./cmd/samlsts")
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building rolepass and samlsts: %w\n%s", err, said)
	}
	return nil
}

// repository is where go.mod is.
func repository(ctx context.Context) (string, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	path := strings.TrimSpace(string(mod))
	if path == "" || path == os.DevNull {
		return "", errors.New("this is not Rolepass's checkout, where its programs are built from: go there first")
	}
	return filepath.Dir(path), nil
}

// configure writes rolepass.yaml and what it names.
func (s *Stack) configure(ctx context.Context) error {
	keys := filepath.Join(s.Dir, "keys")
	if err := s.rolepass(ctx, nil, "keys", "new", keys); err != nil {
		return err
	}
	if err := s.rolepass(ctx, nil, "keys", "saml", s.SAMLKeys()); err != nil {
		return err
	}
	secretKey := filepath.Join(s.Dir, "label-studio.secret")
	if err := os.WriteFile(secretKey, []byte(s.secretKey), 0o600); err != nil {
		return err
	}
	addresses, err := s.ports.addresses(3)
	if err != nil {
		return err
	}
	s.Demo.Check, s.Demo.Admin, s.envoyAdmin = addresses[0], "http://"+addresses[1], addresses[2]
	spans, err := s.startCollector()
	if err != nil {
		return err
	}
	var buckets []map[string]any
	for _, name := range []string{"imaging", "dictations", "notes"} {
		buckets = append(buckets, map[string]any{"name": name, "region": region, "sts": "demo", "endpoint": s.Demo.S3})
	}
	s.config = map[string]any{
		"public_url":   s.Demo.Public,
		"listen":       s.Demo.Check,
		"admin":        addresses[1],
		"keys":         keys,
		"saml_keys":    s.SAMLKeys(),
		"admin_socket": filepath.Join(s.Dir, "admin.sock"),
		"idps":         s.idps(),
		"sts":          []any{map[string]any{"name": "demo", "region": region, "endpoint": s.Demo.STS}},
		"buckets":      buckets,
		"grants":       s.grants(),
		"label_studio": map[string]any{"url": s.app, "secret_key_file": secretKey, "owner_id": ownerID, "administrators": []string{steward}},
		"session":      map[string]any{"per_person": mostLogins},
		"audit":        filepath.Join(s.Dir, "audit.log"),
		"traces":       map[string]any{"endpoint": spans, "ratio": 1},
		"envoy": map[string]any{
			"listen": s.listen, "admin": s.envoyAdmin, "access_log": filepath.Join(s.Dir, "access.log"),
		},
		"contact": "the demo's owner",
	}
	if s.Demo.Config, err = s.writesYAML("rolepass.yaml", s.config); err != nil {
		return err
	}
	return s.keepsFiles()
}

// SAMLKeys is the directory of the keys with which Rolepass signs.
func (s *Stack) SAMLKeys() string { return filepath.Join(s.Dir, "saml-keys") }

// Rolepass runs one of Rolepass's commands with the stack's configuration, and
// gives what it said.
func (s *Stack) Rolepass(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	if s.composed != nil {
		err := s.compose(ctx, &out, slices.Concat([]string{"exec", "--no-TTY", "rolepass", "/rolepass"}, args, []string{"--config", "/etc/rolepass/rolepass.yaml"})...)
		return out.String(), err
	}
	err := s.rolepass(ctx, &out, append(args, "--config", s.Demo.Config)...)
	return out.String(), err
}

// RolepassWith is Rolepass with another configuration than the one in force:
// the same, changed.
func (s *Stack) RolepassWith(ctx context.Context, change func(yaml string) string, args ...string) (string, error) {
	text, err := os.ReadFile(s.Demo.Config)
	if err != nil {
		return "", err
	}
	changed := change(string(text))
	if changed == string(text) {
		return "", errors.New("the change of the configuration changes nothing")
	}
	file := filepath.Join(s.Dir, "rolepass-changed.yaml") // beside it, since its paths are relative
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = s.rolepass(ctx, &out, append(args, "--config", file)...)
	return out.String(), err
}

// rolepass runs one of Rolepass's commands to its end.
func (s *Stack) rolepass(ctx context.Context, out *bytes.Buffer, args ...string) error {
	var said bytes.Buffer
	command := exec.CommandContext(ctx, filepath.Join(s.Dir, "bin", "rolepass"), args...)
	command.Stderr = &said
	if out != nil {
		command.Stdout = out
	}
	if err := command.Run(); err != nil {
		return fmt.Errorf("running rolepass %s: %w\n%s", args[0], err, said.Bytes())
	}
	return nil
}

// startRolepass starts the service, which asks nobody whether it may.
func (s *Stack) startRolepass(ctx context.Context) error {
	p, err := s.starts("rolepass", s.environment, filepath.Join(s.Dir, "bin", "rolepass"), "serve", "--config", s.Demo.Config)
	if err != nil {
		return err
	}
	p.admin = s.Demo.Admin
	s.Demo.PIDs["rolepass"] = p.cmd.Process.Pid
	return p.await(ctx, s.Demo.Admin+"/readyz")
}

// startsEnvoy starts Envoy with the bootstrap that Rolepass writes, or what
// starts Envoy in its place.
func (s *Stack) startsEnvoy(ctx context.Context) (*process, error) {
	if s.EnvoyGateway != "" {
		return s.startsEnvoyGateway(ctx)
	}
	config, err := s.edge(ctx)
	if err != nil {
		return nil, err
	}
	return s.starts("envoy", nil, s.Tools.Envoy, "--config-path", config, "--concurrency", "2", "--disable-hot-restart", "--log-level", "warning", "--file-flush-interval-msec", "50")
}

// startEnvoy returns when Rolepass answers through Envoy.
func (s *Stack) startEnvoy(ctx context.Context) error {
	p, err := s.startsEnvoy(ctx)
	if err != nil {
		return err
	}
	s.Demo.PIDs["envoy"] = p.cmd.Process.Pid
	if err := p.await(ctx, "http://"+s.envoyAdmin+"/ready"); err != nil {
		return err
	}
	return p.until(ctx, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Demo.Public+"/rolepass/saml/metadata", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("Rolepass behind Envoy answers %s", response.Status)
		}
		return nil
	})
}

// edge writes what Envoy starts with.
func (s *Stack) edge(ctx context.Context) (string, error) {
	if s.Mesh != "" {
		return s.meshed(ctx)
	}
	var bootstrap bytes.Buffer
	if err := s.rolepass(ctx, &bootstrap, "generate", "envoy", "--config", s.Demo.Config); err != nil {
		return "", err
	}
	config := filepath.Join(s.Dir, "envoy.yaml")
	return config, os.WriteFile(config, bootstrap.Bytes(), 0o600)
}

// EnvoyAnew starts Envoy again, with the bootstrap of the configuration that
// Rolepass has now.
func (s *Stack) EnvoyAnew(ctx context.Context) error {
	for _, p := range s.named("envoy") {
		s.ends(p)
	}
	return s.startEnvoy(ctx)
}

// WithoutRolepass ends Rolepass, does something, and starts it again with the
// same configuration.
func (s *Stack) WithoutRolepass(ctx context.Context, do func()) error {
	if s.composed != nil {
		return s.withoutComposedRolepass(ctx, do)
	}
	for _, p := range s.named("rolepass") {
		s.ends(p)
	}
	do()
	return s.startRolepass(ctx)
}

// WithConfig runs Rolepass with some of its configuration's keys replaced, and
// Envoy with the bootstrap that follows from it, does something, and starts both
// again as they were.
func (s *Stack) WithConfig(ctx context.Context, replaced map[string]any, do func()) (err error) {
	config := maps.Clone(s.config)
	maps.Copy(config, replaced)
	file, err := s.writesYAML("rolepass-replaced.yaml", config)
	if err != nil {
		return err
	}
	for _, p := range s.named("rolepass") {
		s.ends(p)
	}
	was := s.Demo.Config
	s.Demo.Config = file
	// Also when do ends the test.
	defer func() { err = errors.Join(err, s.again(ctx, was)) }()
	if err := errors.Join(s.startRolepass(ctx), s.EnvoyAnew(ctx)); err != nil {
		return err
	}
	do()
	return nil
}

// WithWorkload is WithConfig with a workload: a program that has the token of
// this user of Label Studio, and reads under the role radiology, which it takes
// from the store itself with keys in the environment.
func (s *Stack) WithWorkload(ctx context.Context, user int64, do func()) error {
	key, secret := s.RoleKeys()
	return s.withWorkload(ctx, user, s.store, key, secret, map[string]any{"credentials": "environment"}, do)
}

// WithWorkloadOnInstance is WithWorkload with the credentials of an instance,
// whose metadata service is at an address. In the environment are keys that
// nobody has.
func (s *Stack) WithWorkloadOnInstance(ctx context.Context, user int64, metadata string, do func()) error {
	return s.withWorkload(ctx, user, s.store, "AKIALEFT", "left", map[string]any{"credentials": "instance", "instance_metadata": metadata}, do)
}

// RoleKeys are the keys of the store's user behind the role radiology.
func (s *Stack) RoleKeys() (id, secret string) { return storeUser(radiology), s.roleSecret }

func (s *Stack) withWorkload(ctx context.Context, user int64, sts, key, secret string, identity map[string]any, do func()) error {
	store, err := s.overheard(sts)
	if err != nil {
		return err
	}
	s.environment = []string{"AWS_ACCESS_KEY_ID=" + key, "AWS_SECRET_ACCESS_KEY=" + secret}
	defer func() { s.environment = nil }()
	workload := map[string]any{"name": "pipeline", "app_user": user, "role": radiology}
	maps.Copy(workload, identity)
	return s.WithConfig(ctx, map[string]any{
		"sts":       []any{map[string]any{"name": "demo", "region": region, "endpoint": store}},
		"workloads": []any{workload},
	}, do)
}

// again starts Rolepass anew with a configuration.
func (s *Stack) again(ctx context.Context, file string) error {
	for _, p := range s.named("rolepass") {
		s.ends(p)
	}
	s.Demo.Config = file
	return errors.Join(s.startRolepass(ctx), s.EnvoyAnew(ctx))
}
