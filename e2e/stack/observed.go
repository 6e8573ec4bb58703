package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// observedToken is the organization's part of the address of its consumer
// service, as Label Studio Enterprise writes it.
const observedToken = "b1f7c0de5eed"

// Observed is an application that is itself the SAML service provider, with a
// Rolepass of its own before it that reads along. It shares the stack's
// identity provider, token service and store.
type Observed struct {
	Public string
	// Login is where the application begins a login, ACS its consumer service.
	Login, ACS string
	// Log is what the application saw, Audit what Rolepass decided.
	Log, Audit string
	// directory is a file with what the application itself knows of people.
	directory string
}

// Knows tells the application whom its administrator removed, and under which
// address it goes on knowing whom the identity provider gave another.
func (o *Observed) Knows(removed []string, as map[string]string) error {
	if as == nil {
		as = map[string]string{}
	}
	text, err := json.Marshal(map[string]any{"removed": append([]string{}, removed...), "known_as": as})
	if err != nil {
		return err
	}
	before := o.directory + ".new"
	if err := os.WriteFile(before, text, 0o600); err != nil {
		return err
	}
	return os.Rename(before, o.directory)
}

// observedACS is the application's own consumer service.
func (s *Stack) observedACS() string {
	address, _ := public(s.observed) // our own address has a port
	return address + "/saml/" + observedToken + "/acs"
}

// Observe starts the application (e2e/enterprise) with Rolepass and Envoy
// before it. python has pysaml2.
func (s *Stack) Observe(ctx context.Context, python string) (*Observed, error) {
	address, err := public(s.observed)
	if err != nil {
		return nil, err
	}
	o := &Observed{
		Public: address, ACS: s.observedACS(), Login: strings.TrimSuffix(s.observedACS(), "acs") + "login",
		Log: filepath.Join(s.Dir, "enterprise-requests.log"), Audit: filepath.Join(s.Dir, "observer-audit.log"),
		directory: filepath.Join(s.Dir, "enterprise-directory.json"),
	}
	app, err := s.startEnterprise(ctx, python, o)
	if err != nil {
		return nil, err
	}
	return o, s.startObserver(ctx, o, app)
}

// startEnterprise starts the application and says where it is.
func (s *Stack) startEnterprise(ctx context.Context, python string, o *Observed) (app string, err error) {
	root, err := repository(ctx)
	if err != nil {
		return "", err
	}
	listen, err := s.ports.address()
	if err != nil {
		return "", err
	}
	tasks := map[string]any{}
	for _, project := range s.Demo.Projects {
		for _, task := range project.Tasks {
			tasks[fmt.Sprint(task.ID)] = map[string]any{"id": task.ID, "project": project.ID, "data": map[string]string{"image": task.URI}}
		}
	}
	settings, err := json.Marshal(map[string]any{
		"public": o.Public, "token": observedToken, "organization": 1, "tasks": tasks,
		"metadata": filepath.Join(s.Dir, "idp.xml"), "directory": o.directory,
	})
	if err != nil {
		return "", err
	}
	file := filepath.Join(s.Dir, "enterprise.json")
	if err := os.WriteFile(filepath.Join(s.Dir, "idp.xml"), s.idp.Metadata(), 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(file, settings, 0o600); err != nil {
		return "", err
	}
	_, port, _ := strings.Cut(listen, ":")
	p, err := s.starts("enterprise", nil, python, filepath.Join(root, "e2e", "enterprise", "app.py"), port, file, o.Log)
	if err != nil {
		return "", err
	}
	return "http://" + listen, p.await(ctx, "http://"+listen+"/user/login")
}

// startObserver starts Rolepass and Envoy before the application.
func (s *Stack) startObserver(ctx context.Context, o *Observed, app string) error {
	_, err := s.startBeside(ctx, "observer", s.observed, map[string]any{
		"grants": s.GrantsByNumber(),
		"label_studio": map[string]any{"url": app, "sign_in": "observe", "acs": []any{map[string]any{
			"path": strings.TrimPrefix(o.ACS, o.Public), "idp": "demo", "organization": 1,
		}}},
	})
	return err
}
