package stack

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rolepass/rolepass/labelstudio/signin"
	"github.com/rolepass/rolepass/presign"
)

// seed makes the projects, with storages under Label Studio's own key, and
// their tasks.
func (s *Stack) seed(ctx context.Context) error {
	s.projectIDs = map[string]int64{}
	for _, content := range contents() {
		project, err := s.seedProject(ctx, content)
		if err != nil {
			return fmt.Errorf("making project %s: %w", content.title, err)
		}
		s.projectIDs[content.title] = project.ID
		s.Demo.Projects = append(s.Demo.Projects, project)
	}
	return nil
}

func (s *Stack) seedProject(ctx context.Context, c content) (Project, error) {
	var made struct {
		ID int64 `json:"id"`
	}
	if err := s.asOwner(ctx, "POST", "/api/projects/", map[string]any{"title": c.title, "label_config": c.config}, &made); err != nil {
		return Project{}, err
	}
	storage := map[string]any{
		"project": made.ID, "title": c.bucket, "bucket": c.bucket, "region_name": region, "s3_endpoint": s.Demo.S3,
		"aws_access_key_id": appKey, "aws_secret_access_key": s.appSecret, "presign": true, "use_blob_urls": true,
	}
	if err := s.asOwner(ctx, "POST", "/api/storages/s3/", storage, nil); err != nil {
		return Project{}, err
	}
	project := Project{ID: made.ID, Title: c.title, Tasks: make([]Task, len(c.objects))}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(1) // one writer: the database is SQLite
	for i, o := range c.objects {
		group.Go(func() error {
			var task struct {
				ID int64 `json:"id"`
			}
			err := s.asOwner(ctx, "POST", "/api/tasks/", map[string]any{"project": made.ID, "data": map[string]string{c.field: o.uri}}, &task)
			project.Tasks[i] = Task{ID: task.ID, URI: o.uri, May: may(c.role)}
			return err
		})
	}
	return project, group.Wait()
}

// asOwner asks Label Studio's API as its owner, past the recorder.
func (s *Stack) asOwner(ctx context.Context, method, path string, body, into any) error {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, s.direct.String()+path, &sent)
	if err != nil {
		return err
	}
	bearer, err := signin.Bearer{Key: presign.Secret(s.secretKey), Now: time.Now, Rand: rand.Reader}.Authorization(ownerID)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", bearer.Reveal())
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %d %.500s", method, path, response.StatusCode, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
