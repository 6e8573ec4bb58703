package labelstudiotest_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/labelstudio"
)

// object is what Label Studio answers to a raw target: the object that it
// signs with its own key, if it does.
func (s *studio) object(t *testing.T, user int64, target string) (uri string, served bool) {
	t.Helper()
	authorization, err := s.bearer().Authorization(user)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", s.base.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nConnection: close\r\n\r\n", target, s.base.Host, authorization.Reveal())
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", false // not HTTP to Label Studio's server
	}
	defer response.Body.Close()
	location := response.Header.Get("Location")
	if response.StatusCode != http.StatusSeeOther || !strings.Contains(location, "X-Amz-Signature=") {
		return "", false
	}
	signed, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return "s3://" + strings.TrimPrefix(signed.Path, "/"), true
}

// Whatever Label Studio serves, the reader reads as the same object or refuses.
func (s *studio) agrees(t *testing.T, user int64, target string) (served bool) {
	t.Helper()
	uri, served := s.object(t, user, target)
	reading := labelstudio.Read("GET", target)
	switch {
	case served && reading.Kind != labelstudio.Fetch && reading.Kind != labelstudio.Refused:
		t.Errorf("%s\nis read as %s, and Label Studio serves %q", target, reading.Kind, uri)
	case reading.Kind == labelstudio.Fetch && (!served || uri != "s3://"+reading.Location.Bucket+"/"+reading.Location.Key):
		t.Errorf("%s\nis read as a fetch of %q, and Label Studio serves %q, %v", target, reading.Location, uri, served)
	}
	return served
}

func fileuri(uri string) string { return base64.URLEncoding.EncodeToString([]byte(uri)) }

func TestLabelStudioServesNothingThatIsPassedOn(t *testing.T) {
	s := labelStudio(t)
	id := signsIn(t, s.accounts(), person(t, "ada"))
	project := s.project(t)
	task := s.task(t, project, map[string]any{"image": "s3://imaging/red.png"})
	red := fileuri("s3://imaging/red.png")
	bare := strings.TrimRight(red, "=")

	served := 0
	in := strings.NewReplacer("{task}", fmt.Sprint(task), "{project}", fmt.Sprint(project), "{red}", red, "{host}", s.base.Host)
	for _, form := range []string{
		// As its own pages write them.
		"/tasks/{task}/resolve/?fileuri={red}", "/tasks/{task}/resolve?fileuri={red}", "/tasks/{task}/presign/?fileuri={red}",
		"/projects/{project}/resolve/?fileuri={red}", "/projects/{project}/presign?fileuri={red}", "/tasks/{task}/resolve/?lsref=1&fileuri={red}",
		"/tasks/{task}/resolve/?fileuri=" + strings.ReplaceAll(red, "=", "%3D") + "&lsref=1",
		// As it reads them too.
		"//tasks/{task}/resolve/?fileuri={red}", "/tasks/00{task}/resolve/?fileuri={red}", "/tasks/{task}/%72esolve/?fileuri={red}",
		"/tasks/{task}%2Fresolve/?fileuri={red}", "/%74asks/{task}/resolve?fileuri={red}", "/tasks/{task}/resolve/?fileuri=x&fileuri={red}",
		"/tasks/{task}/resolve/?file%75ri={red}", "/tasks/{task}/resolve/?fileuri={red}#x", "/tasks/{task}/resolve/?&&fileuri={red}&",
		"/tasks/{task}/resolve/?fileuri=!!{red}", "/tasks/{task}/resolve/?fileuri={red}=", "/tasks/{task}/resolve/?fileuri=s3://imaging/red.png",
		"/tasks/{task}/resolve/?fileuri=s3%3A%2F%2Fimaging%2Fred.png", "/tasks/{task}/resolve/?fileuri=" + bare + "%0A%3D",
		"/tasks/{task}/resolve/?fileuri=" + fileuri("s3x://imaging/red.png"), "/tasks/{task}/resolve/?fileuri=" + fileuri("s3://imaging/red\t.png"),
		"/tasks/{task}/resolve/?fileuri=" + fileuri(`<img src="s3://imaging/red.png">`),
		"http://{host}/tasks/{task}/resolve/?fileuri={red}",
		// As something in between might.
		"/tasks/{task}/./resolve/?fileuri={red}", "/x/../tasks/{task}/resolve/?fileuri={red}", "/tasks/{task}/resolve;x/?fileuri={red}",
		"/tasks/{task}/%2572esolve/?fileuri={red}", `/tasks\{task}\resolve\?fileuri={red}`, "/TASKS/{task}/resolve/?fileuri={red}",
		"/tasks/{task}/resolve/%3Ffileuri={red}", "/tasks/{task}/resolve/?fileuri=x;fileuri={red}", "/tasks//{task}//resolve/?fileuri={red}",
		"/api/tasks/{task}/resolve/?fileuri={red}",
	} {
		if s.agrees(t, id, in.Replace(form)) {
			served++
		}
	}
	if served < 20 {
		t.Errorf("Label Studio serves %d of these addresses; where it is as lenient as 1.23.2, it is more than 20", served)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		s.agrees(t, id, disguised(r, fmt.Sprintf("/tasks/%d/resolve/", task))+"?fileuri="+red)
	}
}

// Some keys Label Studio itself cannot name: it takes slashes off their front
// and cuts them at a question mark. What is read here is what was asked for.
func TestKeysThatLabelStudioMisreads(t *testing.T) {
	s := labelStudio(t)
	id := signsIn(t, s.accounts(), person(t, "ada"))
	task := s.task(t, s.project(t), map[string]any{"image": "s3://imaging/red.png"})
	for key, theirs := range map[string]string{"//red.png": "red.png", "red.png?versionId=1": "red.png"} {
		target := fmt.Sprintf("/tasks/%d/resolve/?fileuri=%s", task, fileuri("s3://imaging/"+key))
		if uri, _ := s.object(t, id, target); uri != "s3://imaging/"+theirs {
			t.Errorf("Label Studio reads %q as %q, no longer as %q", key, uri, theirs)
		}
		if reading := labelstudio.Read("GET", target); reading.Kind == labelstudio.App || reading.Kind == labelstudio.Fetch && reading.Location.Key != key {
			t.Errorf("%q is read as %s of %q", key, reading.Kind, reading.Location.Key)
		}
	}
}

// disguised escapes, doubles, folds and inserts, one to four times.
func disguised(r *rand.Rand, path string) string {
	for range 1 + r.IntN(4) {
		i := r.IntN(len(path))
		switch r.IntN(5) {
		case 0:
			path = path[:i] + fmt.Sprintf("%%%02X", path[i]) + path[i+1:]
		case 1:
			path = path[:i] + strings.ToUpper(path[i:i+1]) + path[i+1:]
		case 2:
			path = strings.Replace(path, "/", "//", 1)
		case 3:
			path = strings.Replace(path, "resolve", []string{"presign", "./resolve", "x/../resolve", ";/resolve", "resolve;a=b"}[r.IntN(5)], 1)
		case 4:
			path = strings.TrimSuffix(path, "/")
		}
		if path == "" {
			return "/"
		}
	}
	return path
}

// The routes through which data leaves Label Studio are those that the reader
// knows. A release with another one fails here before it is supported.
func TestTheDoorsAreTheKnownOnes(t *testing.T) {
	labelStudio(t)
	found, err := filepath.Glob(filepath.Join(filepath.Dir(os.Getenv("ROLEPASS_LABEL_STUDIO_BIN")), "..", "lib", "python3*", "site-packages", "label_studio", "core", "all_urls.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("Label Studio's list of routes is not beside its executable: %v, %v", found, err)
	}
	document, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	var routes []struct{ URL, Module string }
	if err := json.Unmarshal(document, &routes); err != nil {
		t.Fatal(err)
	}
	var doors []string
	for _, route := range routes {
		if regexp.MustCompile(`(?i)resolve|presign|proxy_api|storage-data|local-files|UploadedFile`).MatchString(route.URL + " " + route.Module) {
			doors = append(doors, route.URL)
		}
	}
	slices.Sort(doors)
	want := []string{
		"/data/local-files/", "/data/upload/<path:filename>",
		"/projects/<int:project_id>/presign/", "/projects/<int:project_id>/resolve/", "/storage-data/uploaded/",
		"/tasks/<int:task_id>/presign/", "/tasks/<int:task_id>/resolve/",
	}
	if !slices.Equal(doors, want) {
		t.Errorf("the doors are\n%s\nand were\n%s", strings.Join(doors, "\n"), strings.Join(want, "\n"))
	}
	for _, door := range want {
		target := strings.NewReplacer("<int:task_id>", "3", "<int:project_id>", "3", "<path:filename>", "3/a.png").Replace(door)
		if kind := labelstudio.Read("GET", target).Kind; kind == labelstudio.App && door != "/data/upload/<path:filename>" {
			t.Errorf("%s is passed on", target)
		}
	}
}
