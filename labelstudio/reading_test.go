package labelstudio_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// reader reads targets and says what it expected, in three verbs.
type reader struct{ t *testing.T }

func reading(t *testing.T) reader { return reader{t} }

// file: a fetch of exactly this object, with GET and with HEAD.
func (r reader) file(target, bucket, key string) labelstudio.Reading {
	r.t.Helper()
	var got labelstudio.Reading
	for _, method := range []string{"HEAD", "GET"} {
		got = labelstudio.Read(method, target)
		if want := (presign.Location{Bucket: bucket, Key: key}); got.Kind != labelstudio.Fetch || got.Location != want {
			r.t.Errorf("%s %s\nis %s of %q %v\nwant a fetch of %q", method, target, got.Kind, got.Location, got.Refusal, want)
		}
	}
	return got
}

// notFile: something else of Label Studio's, with every method.
func (r reader) notFile(kind labelstudio.Kind, target string) {
	r.t.Helper()
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		if got := labelstudio.Read(method, target); got.Kind != kind || got.Refusal != nil {
			r.t.Errorf("%s %s\nis %s %v, want %s", method, target, got.Kind, got.Refusal, kind)
		}
	}
}

// bad: refused with this code.
func (r reader) bad(code refusal.Code, target string) {
	r.t.Helper()
	r.badMethod(code, "GET", target)
}

func (r reader) badMethod(code refusal.Code, method, target string) {
	r.t.Helper()
	got := labelstudio.Read(method, target)
	if got.Kind != labelstudio.Refused || got.Refusal == nil || got.Refusal.Code != code {
		r.t.Errorf("%s %q\nis %s %v, want refused as %s", method, target, got.Kind, got.Refusal, code)
	}
	if got.Location != (presign.Location{}) {
		r.t.Errorf("%s %q is refused and still names %q", method, target, got.Location)
	}
}

// fileuri encodes as Label Studio does.
func fileuri(uri string) string { return base64.URLEncoding.EncodeToString([]byte(uri)) }

const red = "czM6Ly9wcm9qLWEvaW1hZ2VzL3JlZC5wbmc=" // s3://proj-a/images/red.png, from a real page

func TestFetches(t *testing.T) {
	r := reading(t)
	if got := r.file("/tasks/3/resolve/?fileuri="+red, "proj-a", "images/red.png"); got.Task != 3 || got.Project != 0 {
		t.Errorf("task %d, project %d, want task 3 only", got.Task, got.Project)
	}
	if got := r.file("/projects/12/resolve/?fileuri="+red, "proj-a", "images/red.png"); got.Task != 0 || got.Project != 12 {
		t.Errorf("task %d, project %d, want project 12 only", got.Task, got.Project)
	}
	r.file("/tasks/3/presign/?fileuri="+red, "proj-a", "images/red.png")
	r.file("/tasks/3/resolve?fileuri="+red, "proj-a", "images/red.png")
	r.file("/tasks/999999999999999999/resolve/?fileuri="+red, "proj-a", "images/red.png")
	// The audio player adds a parameter, and with it escapes the padding.
	r.file("/tasks/3/resolve/?fileuri="+strings.ReplaceAll(red, "=", "%3D")+"&lsref=1", "proj-a", "images/red.png")
	r.file("/tasks/3/resolve/?fileuri="+strings.ReplaceAll(red, "=", "%3d")+"&lsref=1", "proj-a", "images/red.png")
	r.file("/tasks/3/resolve/?lsref=1&fileuri="+red, "proj-a", "images/red.png")
	for _, key := range []string{"a", "sub/a b.png", "a+b&c=d.png", "100%25.png", "größe/Ünï.png", "日本/語.dcm", "key#1.png", strings.Repeat("k", 1000)} {
		r.file("/tasks/3/resolve/?fileuri="+fileuri("s3://imaging/"+key), "imaging", key)
	}
}

func TestEverythingElseOfLabelStudio(t *testing.T) {
	r := reading(t)
	for _, target := range []string{
		"/", "/projects/", "/projects/3", "/projects/3/data?tab=1&task=7", "/projects/3/settings/storage",
		"/api/tasks/3/?resolve_uri=false", "/api/tasks?page=1&view=2&query=%7B%22a%22%3A%22s3%3A%2F%2Fb%2Fk%22%7D",
		"/api/projects/3/next/", "/api/projects/3/export?exportType=JSON&download_resources=true",
		"/data/upload/3/ab12-red%20lung.png", "/data/upload/3/gr%C3%B6%C3%9Fe.csv",
		"/data/upload/3/a;b.png", "/data/avatars/x.png", "/sw.js", "/static/js/app.js", "/react-app/main.js?v=1",
		"/tasks/3/", "/tasks/3", "/user/account/", "/api/current-user/whoami", "/version", "/health",
		"/static/admin/css/base.css", "/?next=/tasks/3/resolve/?fileuri=" + red, "/?u=/user/login/",
		"/tasks/3/resolved/", "/api/comments/3/resolve", "/favicon.ico", "/docs/api/schema/json/",
	} {
		r.notFile(labelstudio.App, target)
	}
}

func TestPagesAnsweredInItsPlace(t *testing.T) {
	r := reading(t)
	for _, target := range []string{
		"/user/login/", "/user/login", "/user/signup/?token=abc", "/user/signup", "/USER/Login/", "//user/login/", "/user//login",
		"/user/%6Cogin/", "/x/../user/login/", "/user/login;a=b/", `/user\login`, "/user%2flogin", "/user/%256cogin",
	} {
		r.notFile(labelstudio.SignIn, target)
	}
	for _, target := range []string{"/logout", "/logout/", "/logout?x=1", "/Logout/", "//logout", "/%6cogout/", "/logout;x", "/a/../logout"} {
		r.notFile(labelstudio.Logout, target)
	}
}

func TestSpellingsOfTheFetchPath(t *testing.T) {
	r := reading(t)
	for _, path := range []string{
		// Label Studio answers these four.
		"//tasks/3/resolve/", "/tasks/003/resolve/", "/tasks/3/%72esolve/", "/tasks/0/resolve/",
		// Its nginx, its WSGI server or something between might make a fetch of these.
		"/tasks//3/resolve/", "/tasks/3/resolve//", "/tasks/3/./resolve/", "/tasks/3/x/../resolve/", "/x/../tasks/3/resolve/",
		"/tasks/3%2Fresolve/", "/tasks%2f3%2fresolve", "/tasks/3/%2572esolve/", "/tasks/3/%252572esolve", "/%74%61%73%6b%73/3/presign",
		`/tasks\3\resolve\`, "/tasks/3/%5Cresolve", "/tasks%5c3%5cresolve", "/tasks/3;v=1/resolve/", "/tasks/3/resolve;x", "/tasks/3/resolve%3Bx/",
		"/;/tasks/3/resolve", "/..;/tasks/3/resolve", "/TASKS/3/resolve/", "/tasks/3/Resolve/", "/Projects/3/PRESIGN", "/tasks/3/re%C5%BFolve/",
		"/tasks/3/resolve%3Ffileuri=" + red, "/tasks/3/resolve%23", "/tasks/3/resolve.", "/tasks/3/resolve%20/", "/tasks/3/resolve/.",
		"/label-studio/tasks/3/resolve/", "/api/tasks/3/resolve/", "/tasks/3/resolve/extra", "/tasks/three/resolve/", "/tasks/-3/resolve/",
		"/tasks/3x/resolve", "/tasks/%D9%A3/resolve/", "/tasks/1000000000000000000/resolve/", "/a/%252e%252e/tasks/3/resolve",
		"/tasks/3/y/x%252f../../resolve", "/static/..%2ftasks/3/resolve", "/tasks/3/resolve/..", "/projects/1/../../tasks/3/presign/",
	} {
		r.bad(labelstudio.CodeFetchPath, path+"?fileuri="+red)
		r.badMethod(labelstudio.CodeFetchPath, "POST", path)
	}
}

func TestDoorsThatAreClosed(t *testing.T) {
	r := reading(t)
	for _, target := range []string{
		"/data/local-files/?d=a/b.png", "/data/local-files?d=a", "/x/data/local-files/?d=a", "/mydata/local-files/?d=a",
		"/data//local-files/?d=a", "/data/local%2Dfiles/?d=a", "/data%2flocal-files/?d=a", "/DATA/Local-Files/", "/api/tasks/data/local-files/",
	} {
		r.bad(labelstudio.CodeLocalFiles, target)
	}
	for _, target := range []string{"/storage-data/uploaded/?filepath=upload/3/a.png", "/storage%2Ddata/uploaded/", "//Storage-Data/uploaded"} {
		r.bad(labelstudio.CodeAppMedia, target)
	}
}

func TestTargetsThatNoBrowserSends(t *testing.T) {
	r := reading(t)
	for _, target := range []string{
		"", "*", "tasks/3/resolve/", "http://label.example/tasks/3/resolve/?fileuri=" + red, "label.example:443",
		"/tasks/3/resolve/?fileuri=" + red + "#x", "/projects/#x", "/projects/\x00", "/projects/\r\n", "/projects/ 1", "/projects/\x7f",
		"/projects/größe", "/projects/?q=\xff", "/projects/?q=a b", "\x00/",
	} {
		r.bad(labelstudio.CodeTarget, target)
	}
	for _, target := range []string{
		"/projects/%00", "/projects/%0d%0a", "/projects/%7f", "/projects/%ff", "/tasks/3%c0%afresolve/", "/projects/%2500",
		"/" + strings.Repeat("a", 5000), "/%" + strings.Repeat("25", 200) + "41",
	} {
		r.bad(labelstudio.CodePath, target)
	}
	for _, method := range []string{"", "get", "TRACE", "CONNECT", "PROPFIND", "GET "} {
		r.badMethod(labelstudio.CodeMethod, method, "/projects/")
		r.badMethod(labelstudio.CodeMethod, method, "/tasks/3/resolve/?fileuri="+red)
	}
}

func TestObjectsAreOnlyRead(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		reading(t).badMethod(labelstudio.CodeFetchMethod, method, "/tasks/3/resolve/?fileuri="+red)
	}
}

func TestQueries(t *testing.T) {
	r := reading(t)
	const path = "/tasks/3/resolve/?"
	for _, query := range []string{"", "fileuri", "fileuri=", "lsref=1", "file=a", "fileurl=a"} {
		r.bad(labelstudio.CodeFileURIMissing, path+query)
	}
	r.bad(labelstudio.CodeFileURIMissing, "/tasks/3/resolve/")
	for _, query := range []string{
		"fileuri=" + red + "&fileuri=" + red, "fileuri=" + red + "&FileUri=x", "FILEURI=" + red, "fileuri=&fileuri=" + red,
	} {
		r.bad(labelstudio.CodeFileURIRepeated, path+query)
	}
	for _, query := range []string{
		"fileuri=" + red + "&", "&fileuri=" + red, "fileuri=" + red + "&&lsref=1", "fileuri=" + red + "&lsref=1;fileuri=x",
		"fileuri=" + red + "&file%75ri=" + red, "fileuri[]=" + red, "fileuri=" + red + "&fileuri%5B%5D=x", "fileuri=" + red + "&a=%20",
		"fileuri=" + red + "&+fileuri=" + red, "fileuri=" + red + "&=x", "fileuri=" + red + "&a=b=c", "fileuri=" + red + "&?fileuri=x",
		"fileuri=" + red + strings.Repeat("&a=1", 20),
	} {
		r.bad(labelstudio.CodeFetchQuery, path+query)
	}
}

func TestEncodingsOfTheURI(t *testing.T) {
	r := reading(t)
	const path = "/tasks/3/resolve/?fileuri="
	bare := strings.TrimRight(red, "=")
	for _, value := range []string{
		bare, red + "=", red + "====", bare + "%3D%3D", "!" + red, red[:8] + "!*" + red[8:], red[:8] + "%0A" + red[8:], red[:8] + "%0a%0d" + red[8:],
		red + red, red + "%00", bare + "%253D", "%63" + red[1:], red[:4] + "+" + red[5:], "=" + red, red + ";x=1", red + ";fileuri=" + red,
		fileuri("s3://proj-a/images/red.pn\xff"), "=", "==", "%3D", "a", "czM6Ly9hL2J=", // not the canonical last letter
		base64.URLEncoding.EncodeToString([]byte(red)),
		strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte("s3://b/\xc3\xbf\xc3\xbf?>~")), "+", "%2B"),
	} {
		if value == base64.URLEncoding.EncodeToString([]byte(red)) {
			r.bad(labelstudio.CodeFileURILocation, path+value) // decodes once, to base64 again
			continue
		}
		r.bad(labelstudio.CodeFileURIEncoding, path+value)
	}
	for _, value := range []string{"s3://proj-a/images/red.png", "s3%3A%2F%2Fproj-a%2Fimages%2Fred.png", "S3:%2f%2fproj-a/red", "gs%3A%2F%2Fb%2Fk"} {
		r.bad(labelstudio.CodeFileURILegacy, path+value)
	}
}

func TestWhatIsNoLocation(t *testing.T) {
	r := reading(t)
	const path = "/tasks/3/resolve/?fileuri="
	for _, uri := range []string{"gs://b/k", "GS://b/k", "azure-blob://c/k"} {
		r.bad(labelstudio.CodeFileURICloud, path+fileuri(uri))
	}
	for _, uri := range []string{
		"http://169.254.169.254/", "file:///etc/passwd", "s3a://imaging/k", "s3x://imaging/k", "S3://imaging/k", "s3:/imaging/k", "s3//imaging/k",
		"s3://imaging", "s3://imaging/", "s3:///k", "s3://user@imaging/k", "s3://imaging:9000/k", "s3://imaging?x=/k",
		"s3://imaging/a\tb", "s3://imaging/a\nb", "s3://imaging/a\x00b", " s3://imaging/k", "<img src=\"s3://imaging/k\">", "redis://b/k", "x",
	} {
		r.bad(labelstudio.CodeFileURILocation, path+fileuri(uri))
	}
}

func TestARefusalNamesNoObject(t *testing.T) {
	for _, target := range []string{
		"/tasks/3/resolve/?fileuri=" + fileuri("s3a://canary/canary"), "/tasks/3/resolve/?fileuri=s3%3A%2F%2Fcanary", "/tasks/canary/resolve/",
	} {
		if got := labelstudio.Read("GET", target); got.Refusal == nil || strings.Contains(got.Refusal.Error(), "canary") {
			t.Errorf("%s is refused with %q, which repeats what was asked", target, got.Refusal)
		}
	}
}
