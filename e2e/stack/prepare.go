package stack

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Users of the containers, as docker-compose.yml has them.
const (
	rolepassUser = 65532
	envoyUser    = 101
	studioUser   = 1001
	keycloakUser = 1000
)

// volumes is where prepare and seed find the volumes of docker-compose.yml,
// each under its name.
const volumes = "/made"

// made is a file in a volume.
type made struct {
	path string
	uid  int
	body []byte
}

// Prepare makes what the services of docker-compose.yml need before they start:
// certificates, keys, passwords, and Envoy's bootstrap. All but the last stay
// as they are once they are there: another release may write another bootstrap.
func Prepare(ctx context.Context) error {
	if err := shared(); err != nil {
		return err
	}
	authority := filepath.Join(volumes, "authorities", "ca.crt")
	if _, err := os.Stat(authority); err != nil {
		if err := prepareOnce(ctx, authority); err != nil {
			return err
		}
	}
	bootstrap := exec.CommandContext(ctx, "/rolepass", "generate", "envoy", "--config", "/etc/rolepass/rolepass.yaml")
	bootstrap.Stderr = os.Stderr
	text, err := bootstrap.Output()
	if err != nil {
		return fmt.Errorf("writing Envoy's bootstrap: %w", err)
	}
	return write(made{"envoy/envoy.yaml", envoyUser, text})
}

// shared gives the volumes in which services write to their users.
func shared() error {
	for _, name := range []string{"check", "issued"} {
		if err := os.Chown(filepath.Join(volumes, name), rolepassUser, rolepassUser); err != nil {
			return err
		}
	}
	return os.Chmod(filepath.Join(volumes, "check"), 0o750)
}

func prepareOnce(ctx context.Context, authority string) error {
	root, role, app, owner := rand.Text(), rand.Text(), rand.Text(), rand.Text()
	secretKey := rand.Text() + rand.Text()
	files := []made{
		{"studio/secret-key", studioUser, []byte(secretKey)},
		{"studio/owner-password", studioUser, []byte(owner)},
		{"rolepass/label-studio.secret", rolepassUser, []byte(secretKey)},
		{"samlsts/role.secret", rolepassUser, []byte(role)},
		{"minio/root-password", 0, []byte(root)},
		{"seed/root", 0, []byte(root)}, {"seed/role", 0, []byte(role)}, {"seed/app", 0, []byte(app)}, {"seed/secret-key", 0, []byte(secretKey)},
	}
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	for _, one := range []struct {
		certificate, key string
		uid              int
		names            []string
	}{
		{"envoy/tls.crt", "envoy/tls.key", envoyUser, []string{"localhost", "127.0.0.1"}},
		{"keycloak/tls.crt", "keycloak/tls.key", keycloakUser, []string{"keycloak", "127.0.0.1"}},
		{"samlsts/tls.crt", "samlsts/tls.key", rolepassUser, []string{"samlsts"}},
		{"minio/certs/public.crt", "minio/certs/private.key", 0, []string{"minio", "store"}},
	} {
		certificate, key, err := ca.issues(one.names...)
		if err != nil {
			return err
		}
		files = append(files, made{one.certificate, one.uid, certificate}, made{one.key, one.uid, key})
	}
	files = append(files, made{"minio/certs/CAs/ca.crt", 0, ca.certificate})
	// In tests Label Studio begins with the tables that it would make itself,
	// for some minutes.
	if template, err := os.ReadFile("/template.sqlite3"); err == nil {
		if err := os.Chown(filepath.Join(volumes, "studio-data"), studioUser, 0); err != nil {
			return err
		}
		files = append(files, made{"studio-data/label_studio.sqlite3", studioUser, template})
	}
	for _, file := range files {
		if err := write(file); err != nil {
			return err
		}
	}
	if err := sealingKey(ctx); err != nil {
		return err
	}
	// The last: what comes before it is complete when it is there.
	return os.WriteFile(authority, ca.certificate, 0o644)
}

// write gives a file to the one user that may read it.
func write(m made) error {
	path := filepath.Join(volumes, m.path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o400)
	if strings.HasPrefix(m.path, "studio-data/") {
		mode = 0o600 // a database, which is written to
	}
	if err := os.WriteFile(path, m.body, mode); err != nil {
		return fmt.Errorf("writing %s: %w", m.path, err)
	}
	return os.Chown(path, m.uid, -1)
}

// sealingKey has Rolepass make its own key.
func sealingKey(ctx context.Context) error {
	keys := filepath.Join(volumes, "rolepass", "keys")
	if err := os.RemoveAll(keys); err != nil {
		return err
	}
	var said bytes.Buffer
	command := exec.CommandContext(ctx, "/rolepass", "keys", "new", keys)
	command.Stdout, command.Stderr = &said, &said
	if err := command.Run(); err != nil {
		return fmt.Errorf("making Rolepass's key: %w\n%s", err, said.Bytes())
	}
	return filepath.WalkDir(keys, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, rolepassUser, rolepassUser)
	})
}
