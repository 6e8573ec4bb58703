package decision_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/rolepass/rolepass/decision"
)

// A page of tasks that passes is asked for once more when its first object is
// fetched, as this person and with URIs as stored; that answers for the others.
func TestAPageThatPassesAnswersForItsObjects(t *testing.T) {
	w := newWorld(t)
	w.App.ByProject = true
	var questions []string
	w.app = func(out http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		questions = append(questions, r.URL.Path)
		if r.URL.Path != "/api/tasks/" || q.Get("resolve_uri") != "false" || q.Get("page") != "2" || q.Get("page_size") != "30" || q.Get("view") != "3" || q.Get("project") != "12" || r.Header.Get("Authorization") != "Bearer of-42" {
			out.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(out, `{"tasks": [{"id": 7, "project": 12, "data": {"image": "s3://imaging/radiology/lung.png"}}, {"id": 9, "project": 12, "data": {"image": "s3://imaging/radiology/heart.png"}}]}`)
	}
	cookie := w.signedIn(radiology)
	if got := w.Decide(t.Context(), request("GET", "/api/tasks?page=2&page_size=30&view=3&project=12", cookie)); got.Kind != decision.Pass || len(questions) != 0 {
		t.Fatalf("the page: decided %v, and asked %v", got.Kind, questions)
	}
	for _, c := range []struct {
		task, uri string
		want      decision.Kind
	}{
		{"7", "s3://imaging/radiology/lung.png", decision.Stream},
		{"9", "s3://imaging/radiology/heart.png", decision.Stream},
		{"9", "s3://imaging/radiology/lung.png", decision.Refuse}, // another task's
	} {
		if got := w.Decide(t.Context(), request("GET", fetching(c.task, c.uri), cookie)); got.Kind != c.want {
			t.Errorf("%s in task %s: decided %v %s", c.uri, c.task, got.Kind, got.Code)
		}
	}
	if len(questions) != 1 {
		t.Errorf("asked %v", questions)
	}
}
