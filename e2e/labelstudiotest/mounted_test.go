package labelstudiotest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/labelstudio"
)

const mount = "/label"

// before is what Envoy and Rolepass do to a path together: take the mount off,
// and let nothing else through. What Rolepass makes of it is kept.
func (s *studio) before(read *[]labelstudio.Reading) http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(s.base)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target, below := labelstudio.Below(mount, r.RequestURI)
		if !below {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		*read = append(*read, labelstudio.Read(r.Method, target))
		at, err := url.ParseRequestURI(target)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.URL = at
		proxy.ServeHTTP(w, r)
	})
}

// A Label Studio that is told of its path writes it on all its addresses and
// wants its requests without it: what it writes, read so, is what it serves.
func TestLabelStudioBelowAPath(t *testing.T) {
	var read []labelstudio.Reading
	var behind http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { behind.ServeHTTP(w, r) }))
	defer front.Close()
	s, err := start("LABEL_STUDIO_HOST=" + front.URL + mount)
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	behind = s.before(&read)
	uri := "s3://imaging/radiology/red lung+1.png"
	task := s.task(t, s.project(t), map[string]any{"image": uri})
	var shown struct {
		Data struct{ Image string }
	}
	s.must(t, "GET", fmt.Sprintf("/api/tasks/%d/", task), ownerID, nil, &shown)
	if !strings.HasPrefix(shown.Data.Image, front.URL+mount+"/tasks/") {
		t.Fatalf("the task shows its picture at %s", shown.Data.Image)
	}

	for _, address := range []string{shown.Data.Image, front.URL + mount + "/projects/"} {
		response := s.visits(t, address)
		if response.StatusCode != http.StatusSeeOther && response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", address, response.Status)
		}
	}
	if len(read) != 2 || read[0].Kind != labelstudio.Fetch || read[0].Task != task || read[0].Location.URI() != uri || read[1].Kind != labelstudio.App {
		t.Errorf("what it writes is read as %+v", read)
	}
	if response := s.visits(t, front.URL+"/projects/"); response.StatusCode != http.StatusForbidden {
		t.Errorf("beside the path: %s", response.Status)
	}
}

// visits asks as the owner and follows no redirect.
func (s *studio) visits(t *testing.T, address string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	authorization, err := s.bearer().Authorization(ownerID)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", authorization.Reveal())
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response
}
