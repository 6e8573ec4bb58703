package client_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/presign"
)

// inUse is how many bytes are in use once the garbage is gone.
func inUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// An answer is held without the text that its URIs were taken from: whoever can
// import tasks writes megabytes around one URI, and the bound on what is held
// counts the URI.
func TestAnAnswerIsHeldWithoutWhatWasAroundIt(t *testing.T) {
	around := strings.Repeat("-", 512<<10)
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		var id int
		fmt.Sscanf(r.URL.Path, "/api/tasks/%d/", &id)
		fmt.Fprintf(w, `{"id": %d, "project": 12, "data": {"page": "%s<img src='s3://imaging/lung'>"}}`, id, around)
	})
	before := inUse()
	for id := range int64(64) {
		answer, err := c.Task(t.Context(), ada, id+1)
		if err != nil || !answer.Names(presign.Location{Bucket: "imaging", Key: "lung"}) {
			t.Fatalf("task %d does not name the object (%v)", id+1, err)
		}
	}
	c.HTTP.CloseIdleConnections()
	if held := inUse() - before; held > 8<<20 {
		t.Errorf("the answers about 64 tasks hold %d MiB", held>>20)
	}
	runtime.KeepAlive(c)
}

// A token is held without the request that it came in.
func TestATokenIsHeldWithoutItsRequest(t *testing.T) {
	c := serving(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"id": 7, "email": "ml@example.com"}`) })
	before := inUse()
	for i := range 64 {
		name := fmt.Sprint(i)
		request := "Token " + name + strings.Repeat("-", 512<<10)
		if _, err := c.Owner(t.Context(), client.Asker{Session: name, Credential: name, Authorization: presign.Secret(request[:len("Token ")+len(name)])}); err != nil {
			t.Fatal(err)
		}
	}
	if held := inUse() - before; held > 8<<20 {
		t.Errorf("the answers about 64 tokens hold %d MiB", held>>20)
	}
	runtime.KeepAlive(c)
}
