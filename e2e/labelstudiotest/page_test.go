package labelstudiotest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/presign"
)

// A page of the Data Manager is 30 tasks at once. Asked for one by one, each
// makes Label Studio ask a connected model; asked for together, none does.
func TestAPageIsFewQuestionsAndAsksNoModel(t *testing.T) {
	s := labelStudio(t)
	id := signsIn(t, s.accounts(), person(t, "ada"))
	project := s.project(t)
	var predicted atomic.Int64
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/predict"):
			predicted.Add(1)
			fmt.Fprint(w, `{"results": []}`)
		default:
			fmt.Fprint(w, `{"status": "UP", "model_class": "test", "model_version": "1"}`)
		}
	}))
	defer model.Close()
	s.must(t, "POST", "/api/ml/", ownerID, map[string]any{"project": project, "url": model.URL, "title": "model"}, nil)
	var tasks []int64
	for n := range 30 {
		tasks = append(tasks, s.task(t, project, map[string]any{"image": fmt.Sprintf("s3://imaging/%d.png", n)}))
	}

	shows := func(c *client.Client, session string, from, to int) {
		asker := s.asker(t, id)
		asker.Session = session
		var page sync.WaitGroup
		for n := from; n < to; n++ {
			page.Go(func() {
				answer, err := c.Task(t.Context(), asker, tasks[n])
				if err != nil || answer.Place != (grants.Place{Project: project}) || !answer.Names(presign.Location{Bucket: "imaging", Key: fmt.Sprintf("%d.png", n)}) {
					t.Errorf("task %d: %+v, %v", n, answer, err)
				}
			})
		}
		page.Wait()
	}
	var asked atomic.Int64
	c := s.client()
	c.ByProject, c.Asked = true, func(string) { asked.Add(1) }
	shows(c, "one", 0, 1) // tells the project
	asked.Store(0)
	predicted.Store(0)
	shows(c, "one", 1, 30)
	if asked.Load() > 3 || predicted.Load() != 0 {
		t.Errorf("together, 29 tasks are %d questions and %d runs of the model", asked.Load(), predicted.Load())
	}
	shows(s.client(), "two", 1, 6)
	if predicted.Load() == 0 {
		t.Error("one by one, the model is not asked either: then the list is not needed for its sake")
	}
}
