package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	if err := s.asOwner(ctx, "POST", "/api/storages/s3/", s.Storage(made.ID, c.bucket), nil); err != nil {
		return Project{}, err
	}
	var tasks []map[string]any
	for _, o := range c.objects {
		tasks = append(tasks, map[string]any{"data": map[string]any{c.field: o.data()}})
	}
	if err := s.asOwner(ctx, "POST", fmt.Sprintf("/api/projects/%d/import", made.ID), tasks, nil); err != nil {
		return Project{}, err
	}
	return s.readBack(ctx, made.ID, c)
}

// readBack asks which task got which object: an import does not promise to keep
// the order.
func (s *Stack) readBack(ctx context.Context, id int64, c content) (Project, error) {
	var there struct {
		Tasks []struct {
			ID   int64                      `json:"id"`
			Data map[string]json.RawMessage `json:"data"`
		} `json:"tasks"`
	}
	page := fmt.Sprintf("/api/tasks/?project=%d&page_size=%d&resolve_uri=false", id, len(c.objects)+1)
	if err := s.asOwner(ctx, "GET", page, nil, &there); err != nil {
		return Project{}, err
	}
	byData := map[string]int64{}
	for _, task := range there.Tasks {
		byData[canonical(task.Data[c.field])] = task.ID
	}
	project := Project{ID: id, Title: c.title}
	for _, o := range c.objects {
		said, err := json.Marshal(o.data())
		if err != nil {
			return Project{}, err
		}
		id, ok := byData[canonical(said)]
		if !ok {
			return Project{}, fmt.Errorf("Label Studio has no task for %s", o.uri)
		}
		task := Task{ID: id, URI: o.uri, May: may(c.role)}
		for _, other := range o.more {
			task.More = append(task.More, other.uri)
		}
		project.Tasks = append(project.Tasks, task)
	}
	return project, nil
}

// data is what the task of the object says in its field.
func (o object) data() any {
	if o.value != nil {
		return o.value
	}
	return o.uri
}

// canonical spells a JSON value in one way.
func canonical(text []byte) string {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return ""
	}
	spelled, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(spelled)
}

// asOwner asks Label Studio's API as its owner, past the recorder.
func (s *Stack) asOwner(ctx context.Context, method, path string, body, into any) error {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return err
		}
	}
	response, err := s.Directly(ctx, ownerID, method, path, "application/json", &sent)
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
