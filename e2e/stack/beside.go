package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/rolepass/rolepass/e2e/demo/viewer"
)

// Beside is another Rolepass with an Envoy of its own, beside the stack's. It
// shares the stack's identity provider, token service and store.
type Beside struct {
	Public string
	// Audit is what Rolepass decided, Access Envoy's log, Said what Rolepass
	// said.
	Audit, Access, Said string
	// Viewer is the application; nil where it is Label Studio.
	Viewer *viewer.Viewer

	name     string
	settings map[string]any // of its rolepass.yaml
	config   string         // the file
	rolepass *process
}

// RedirectLife is how long a location is good for, of those to which Redirecting
// sends browsers.
const RedirectLife = "15s"

// Redirecting starts a Rolepass before the same Label Studio that redirects
// browsers to the store, and signs by headers what goes by route all the same.
func (s *Stack) Redirecting(ctx context.Context) (*Beside, error) {
	return s.startBeside(ctx, "redirecting", s.besides.redirecting, map[string]any{
		"delivery": "redirect", "presign": map[string]any{"by": "header", "expires": RedirectLife},
	})
}

// MountPath is where Mounted has Label Studio.
const MountPath = "/label"

// Mounted starts a Rolepass with the same Label Studio below a path.
func (s *Stack) Mounted(ctx context.Context) (*Beside, error) {
	below, ok := s.config["label_studio"].(map[string]any)
	if !ok {
		return nil, errors.New("the configuration has no label_studio")
	}
	below = maps.Clone(below)
	below["path"] = MountPath
	return s.startBeside(ctx, "mounted", s.besides.mounted, map[string]any{"label_studio": below})
}

// View starts another application, the viewer, with a Rolepass before it. What
// the radiologists' grant opens is told to the application, the rest goes by
// route.
func (s *Stack) View(ctx context.Context) (*Beside, error) {
	var keys []string
	for _, project := range s.Demo.Projects {
		for _, task := range project.Tasks {
			if key, ok := strings.CutPrefix(task.URI, "s3://imaging/"); ok && strings.HasSuffix(key, ".png") && !strings.Contains(key, "%") && len(keys) < 12 {
				keys = append(keys, key)
			}
		}
	}
	app := viewer.New(keys)
	address, err := s.serves(app)
	if err != nil {
		return nil, err
	}
	b, err := s.startBeside(ctx, "viewer", s.besides.viewer, map[string]any{
		"label_studio": nil,
		"application": map[string]any{"url": "http://" + address, "fetches": []any{
			map[string]any{"path": "/files/{key...}", "object": "s3://imaging/{key}"},
			map[string]any{"path": "/studies/{study}/notes/{note}", "object": "s3://notes/{study}/{note}.txt"},
		}},
		"grants": []any{
			map[string]any{"role": radiology, "read": []string{"s3://imaging/radiology/"}, "anywhere": true, "deliver": "header"},
			map[string]any{"role": research, "read": []string{"s3://imaging/anonymised/", "s3://notes/"}, "anywhere": true},
		},
	})
	if err != nil {
		return nil, err
	}
	b.Viewer = app
	return b, nil
}

// besides are the addresses of Envoys that are started when somebody asks.
type besides struct{ redirecting, viewer, mounted, alone, balanced, replicas string }

// applications are their service providers, known before they run.
func (s *Stack) applications() []string {
	var all []string
	for _, listen := range []string{s.besides.redirecting, s.besides.viewer, s.besides.mounted, s.besides.replicas} {
		address, _ := public(listen) // our own address has a port
		all = append(all, address)
	}
	return append(all, s.balancedPublic())
}

// startBeside starts Rolepass and Envoy with the stack's configuration, changed;
// nil takes a key out.
func (s *Stack) startBeside(ctx context.Context, name, listen string, changes map[string]any) (*Beside, error) {
	address, err := public(listen)
	if err != nil {
		return nil, err
	}
	addresses, err := s.ports.addresses(3)
	if err != nil {
		return nil, err
	}
	at := func(file string) string { return filepath.Join(s.Dir, name+file) }
	b := &Beside{Public: address, Audit: at("-audit.log"), Access: at("-access.log"), Said: at(".log"), name: name}
	config, edge := maps.Clone(s.config), map[string]any{"listen": listen, "admin": addresses[2], "access_log": b.Access}
	maps.Copy(config, map[string]any{
		"public_url": b.Public, "listen": addresses[0], "admin": addresses[1], "admin_socket": nil, "audit": b.Audit,
	})
	maps.Copy(config, changes)
	more, _ := changes["envoy"].(map[string]any)
	maps.Copy(edge, more)
	config["envoy"] = edge
	maps.DeleteFunc(config, func(_ string, value any) bool { return value == nil })
	b.settings = config
	if b.config, err = s.writesYAML(name+".yaml", config); err != nil {
		return nil, err
	}
	if err := s.runsBeside(b); err != nil {
		return nil, err
	}
	if err := b.rolepass.await(ctx, b.rolepass.admin+"/readyz"); err != nil {
		return nil, err
	}
	var bootstrap bytes.Buffer
	if err := s.rolepass(ctx, &bootstrap, "generate", "envoy", "--config", b.config); err != nil {
		return nil, err
	}
	if err := os.WriteFile(at("-envoy.yaml"), bootstrap.Bytes(), 0o600); err != nil {
		return nil, err
	}
	envoy, err := s.starts(name+"-envoy", nil, s.Tools.Envoy, "--config-path", at("-envoy.yaml"), "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning", "--file-flush-interval-msec", "50")
	if err != nil {
		return nil, fmt.Errorf("starting Envoy: %w", err)
	}
	return b, envoy.await(ctx, "http://"+addresses[2]+"/ready")
}

// runsBeside starts its Rolepass, with the configuration that it has.
func (s *Stack) runsBeside(b *Beside) (err error) {
	if b.rolepass, err = s.starts(b.name, nil, filepath.Join(s.Dir, "bin", "rolepass"), "serve", "--config", b.config); err != nil {
		return err
	}
	b.rolepass.admin = fmt.Sprintf("http://%v", b.settings["admin"])
	return nil
}
