package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

const (
	ownerEmail = "owner@hospital.example"
	// ownerID is the first user of an empty database.
	ownerID = 1
)

// startLabelStudio starts Label Studio on a copy of the migrated template,
// quiet, and puts the recorder before it.
func (s *Stack) startLabelStudio(ctx context.Context) error {
	data := filepath.Join(s.Dir, "label-studio")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	if err := copyFile(filepath.Join(data, "label_studio.sqlite3"), s.Tools.Template); err != nil {
		return fmt.Errorf("copying Label Studio's template: %w", err)
	}
	address, err := s.ports.address()
	if err != nil {
		return err
	}
	direct := &url.URL{Scheme: "http", Host: address}
	p, err := s.starts("label_studio", append(s.careless(), []string{
		"HOME=" + data, "LABEL_STUDIO_BASE_DATA_DIR=" + data, "LABEL_STUDIO_USERNAME=" + ownerEmail, "LABEL_STUDIO_PASSWORD=" + s.rootSecret,
		"SECRET_KEY=" + s.secretKey, "DISABLE_SIGNUP_WITHOUT_LINK=true", "COLLECT_ANALYTICS=False", "LATEST_VERSION_CHECK=False",
		"SENTRY_DSN=", "FRONTEND_SENTRY_DSN=", "SSRF_PROTECTION_ENABLED=false", // its storages are on this machine
	}...), s.Tools.LabelStudio, "start", "--no-browser", "--port", direct.Port(), "--internal-host", "127.0.0.1", "--log-level", "INFO")
	if err != nil {
		return err
	}
	s.direct = direct
	s.Demo.PIDs["label_studio"] = p.cmd.Process.Pid
	if err := p.until(ctx, s.knowsOwner); err != nil {
		return err
	}
	return s.startRecorder()
}

// careless is what Options.Careless gives Label Studio.
func (s *Stack) careless() []string {
	if !s.Careless {
		return nil
	}
	return []string{"AWS_ACCESS_KEY_ID=" + instanceKey, "AWS_SECRET_ACCESS_KEY=" + s.appSecret, "ALLOWED_HOSTS=127.0.0.1,localhost"}
}

// knowsOwner says that it is our Label Studio that answers, on our database:
// it silently moves to the next port when one is taken.
func (s *Stack) knowsOwner(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var who struct {
		Email string `json:"email"`
	}
	if err := s.asOwner(ctx, "GET", "/api/current-user/whoami", nil, &who); err != nil {
		return err
	}
	if who.Email != ownerEmail {
		return errors.New("the template already has people in it")
	}
	return nil
}

func copyFile(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
