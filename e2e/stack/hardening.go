package stack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/rolepass/rolepass/labelstudio/signin"
	"github.com/rolepass/rolepass/presign"
)

// instanceKey is the key of a careless operator's machine (Options.Careless).
const instanceKey = "label-studio-instance"

// leastPolicy is the policy of Label Studio's own key: the one that
// docs/hardening.md prints, taken from the document, so that what operators
// copy is what every story of the stack runs with.
func leastPolicy(document []byte) (map[string]any, error) {
	found := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(document)
	if found == nil {
		return nil, errors.New("docs/hardening.md has no policy")
	}
	var policy map[string]any
	if err := json.Unmarshal(found[1], &policy); err != nil {
		return nil, fmt.Errorf("the policy in docs/hardening.md: %w", err)
	}
	return policy, nil
}

// hardeningDocument is docs/hardening.md.
func hardeningDocument(ctx context.Context) ([]byte, error) {
	root, err := repository(ctx)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(root, "docs", "hardening.md"))
}

// Directly sends a request to Label Studio itself, past Envoy and Rolepass, as
// one of its users; user 1 is its owner. Redirects are not followed.
func (s *Stack) Directly(ctx context.Context, user int64, method, path, contentType string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.direct.String()+path, body)
	if err != nil {
		return nil, err
	}
	bearer, err := s.Bearer(user)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", bearer.Reveal())
	request.Header.Set("Content-Type", contentType)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return client.Do(request)
}

// Bearer is what Label Studio takes for one of its users.
func (s *Stack) Bearer(user int64) (presign.Secret, error) {
	return signin.Bearer{Key: presign.Secret(s.secretKey), Now: time.Now, Rand: rand.Reader}.Authorization(user)
}

// DirectHost is where Label Studio itself listens.
func (s *Stack) DirectHost() string { return s.direct.Host }

// Storage is a storage of Label Studio's with its own key, as its API takes
// one; leave the two keys out and it takes those of its machine.
func (s *Stack) Storage(project int64, bucket string) map[string]any {
	return map[string]any{
		"project": project, "title": bucket, "bucket": bucket, "region_name": region, "s3_endpoint": s.Demo.S3,
		"aws_access_key_id": appKey, "aws_secret_access_key": s.appSecret, "presign": true, "use_blob_urls": true,
	}
}
