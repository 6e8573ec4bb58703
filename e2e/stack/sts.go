package stack

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// startSTS starts samlsts before the store. A role is assumed only with an
// assertion that was sent to our own ACS (SAML:aud).
func (s *Stack) startSTS(ctx context.Context) error {
	address, err := s.ports.address()
	if err != nil {
		return err
	}
	secret := filepath.Join(s.Dir, "role.secret")
	if err := os.WriteFile(secret, []byte(s.roleSecret), 0o600); err != nil {
		return err
	}
	providers, trusts, err := s.trusted()
	if err != nil {
		return err
	}
	audiences := []string{s.acs(), s.observedACS()}
	for _, address := range s.applications() {
		audiences = append(audiences, address+acsPath)
	}
	var roles []map[string]any
	for role := range s.reads() {
		roles = append(roles, map[string]any{
			"arn":   role,
			"trust": map[string]any{"provider": trusts[role], "saml_aud": audiences},
			"store": map[string]any{"access_key_id": storeUser(role), "secret_access_key_file": secret},
		})
	}
	if _, err := s.writesYAML(stsConfig, map[string]any{
		"listen": address, "issued_log": filepath.Join(s.Dir, "sts.log"),
		"store":     map[string]any{"endpoint": s.store, "region": region},
		"providers": providers,
		"roles":     roles,
	}); err != nil {
		return err
	}
	s.sts = "http://" + address
	if s.Demo.STS, err = s.overheard(s.sts); err != nil {
		return err
	}
	return s.runSTS(ctx)
}

const stsConfig = "samlsts.yaml"

// runSTS runs samlsts with the configuration that is there.
func (s *Stack) runSTS(ctx context.Context) error {
	p, err := s.starts("samlsts", nil, filepath.Join(s.Dir, "bin", "samlsts"), "--config", filepath.Join(s.Dir, stsConfig))
	if err != nil {
		return err
	}
	return p.until(ctx, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.sts+"/", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close() // any answer will do
	})
}

// WithoutSTS ends the token service, does something, and starts it again at the
// same address.
func (s *Stack) WithoutSTS(ctx context.Context, do func()) (err error) {
	for _, p := range s.named("samlsts") {
		s.ends(p)
	}
	// Also when do ends the test.
	defer func() { err = s.runSTS(ctx) }()
	do()
	return nil
}

// acs is our assertion consumer service.
func (s *Stack) acs() string { return s.Demo.Public + acsPath }

const (
	acsPath    = "/rolepass/saml/acs"
	entityPath = "/rolepass/saml/metadata"
)

// entity is who we are to the identity provider.
func (s *Stack) entity() string { return s.Demo.Public + entityPath }

// writesYAML writes a configuration file.
func (s *Stack) writesYAML(name string, content any) (path string, err error) {
	text, err := yaml.Marshal(content)
	if err != nil {
		return "", fmt.Errorf("writing %s: %w", name, err)
	}
	path = filepath.Join(s.Dir, name)
	return path, os.WriteFile(path, text, 0o600)
}

// Exchange is one call of the token service.
type Exchange struct {
	Code        string `json:"code"` // "OK", or AWS's error code
	Role        string `json:"role"`
	SessionName string `json:"session_name"`
	AccessKeyID string `json:"access_key_id"`
	Narrowed    bool   `json:"narrowed"` // by a session policy
}

// Exchanges reads the calls of AssumeRoleWithSAML so far.
func (s *Stack) Exchanges() ([]Exchange, error) {
	all, err := readLines[Exchange](s.Demo.Logs["sts"])
	var calls []Exchange
	for _, one := range all {
		if one.Role != "" || one.Code != "InvalidAction" { // the question whether it is there
			calls = append(calls, one)
		}
	}
	return calls, err
}
