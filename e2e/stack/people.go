package stack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"encoding/json"

	"github.com/rolepass/rolepass/e2e/demo/idp"
)

// Enrols makes somebody known to the identity provider, or changes who they are
// there. Their persistent name there hangs on Name.
func (s *Stack) Enrols(a Account) {
	who := idp.Person{Name: a.Name, Password: a.Password, Email: a.Email, First: a.Name, Last: "Enrolled"}
	for _, role := range a.Roles {
		who.Roles = append(who.Roles, role+","+provider)
	}
	s.idp.Enrols(who)
}

// Database changes what no API of Label Studio's changes, as its administration
// would; the one ? of the statement is the number of a user.
func (s *Stack) Database(ctx context.Context, statement string, user int64) error {
	const program = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1], timeout=30) as db: db.execute(sys.argv[2], [int(sys.argv[3])])"
	python := filepath.Join(filepath.Dir(s.Tools.LabelStudio), "python")
	file := filepath.Join(s.Dir, "label-studio", "label_studio.sqlite3")
	if said, err := exec.CommandContext(ctx, python, "-c", program, file, statement, strconv.FormatInt(user, 10)).CombinedOutput(); err != nil {
		return fmt.Errorf("changing Label Studio's database: %w\n%s", err, said)
	}
	return nil
}

// WithTokens is WithConfig without Label Studio's SECRET_KEY: with a personal
// access token of its owner's.
func (s *Stack) WithTokens(ctx context.Context, do func()) error {
	token, err := s.ownersToken(ctx)
	if err != nil {
		return fmt.Errorf("making the owner's token: %w", err)
	}
	file := filepath.Join(s.Dir, "label-studio-owner.token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		return err
	}
	return s.WithLabelStudio(ctx, map[string]any{"secret_key_file": nil, "sign_in": "token", "owner_token_file": file}, do)
}

// WithLabelStudio is WithConfig with some of label_studio's keys replaced; nil
// takes one out.
func (s *Stack) WithLabelStudio(ctx context.Context, replaced map[string]any, do func()) error {
	return s.WithConfig(ctx, map[string]any{"label_studio": s.LabelStudio(replaced)}, do)
}

// LabelStudio is label_studio as it is configured, with some keys replaced.
func (s *Stack) LabelStudio(replaced map[string]any) map[string]any {
	below, _ := s.config["label_studio"].(map[string]any)
	below = maps.Clone(below)
	for key, value := range replaced {
		if below[key] = value; value == nil {
			delete(below, key)
		}
	}
	return below
}

// ownersToken is the one that Label Studio lets its owner have.
func (s *Stack) ownersToken(ctx context.Context) (string, error) {
	response, err := s.Directly(ctx, ownerID, "POST", "/api/token/", "application/json", bytes.NewReader([]byte("{}")))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	var made struct{ Token string }
	if err := json.Unmarshal(text, &made); err != nil || made.Token == "" {
		return "", fmt.Errorf("Label Studio answers %s", response.Status)
	}
	return made.Token, nil
}
