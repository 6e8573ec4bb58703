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
	tasks, workspaces := map[string]any{}, map[string]int64{}
	for _, project := range s.Demo.Projects {
		workspaces[fmt.Sprint(project.ID)] = workspaceOf(project)
		for _, task := range project.Tasks {
			tasks[fmt.Sprint(task.ID)] = map[string]any{"id": task.ID, "project": project.ID, "data": map[string]string{"image": task.URI}}
		}
	}
	tasks[fmt.Sprint(TaskElsewhere)] = map[string]any{"id": TaskElsewhere, "project": s.projectIDs["Research"], "data": map[string]string{"image": RadiologysElsewhere}}
	settings, err := json.Marshal(map[string]any{
		"public": o.Public, "token": observedToken, "organization": 1, "workspaces": workspaces, "tasks": tasks,
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

// The application has two workspaces, as Enterprise has and Community has not.
const (
	clinic = 7 // Radiology and Ultrasound
	study  = 8 // everything else

	// TaskElsewhere is a task in the study's workspace that names an object of
	// radiology's.
	TaskElsewhere       = 900001
	RadiologysElsewhere = "s3://imaging/radiology/2026/chest-000.png"
)

func workspaceOf(project Project) int64 {
	if project.Title == "Radiology" || project.Title == "Ultrasound" {
		return clinic
	}
	return study
}

// startObserver starts Rolepass and Envoy before the application. What is
// narrowed to two projects elsewhere is narrowed to their workspace here.
func (s *Stack) startObserver(ctx context.Context, o *Observed, app string) error {
	grants := s.GrantsByNumber()
	delete(grants[0], "projects")
	grants[0]["workspaces"] = []int64{clinic}
	_, err := s.startBeside(ctx, "observer", s.observed, map[string]any{
		"grants": grants,
		"label_studio": map[string]any{"url": app, "sign_in": "observe", "acs": []any{map[string]any{
			"path": strings.TrimPrefix(o.ACS, o.Public), "idp": "demo", "organization": 1,
		}}},
	})
	return err
}
