package application_test

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/application"
	"github.com/rolepass/rolepass/labelstudio"
)

func reader(t testing.TB, pairs ...string) *application.Reader {
	t.Helper()
	var all []application.Fetch
	for pair := range slices.Chunk(pairs, 2) {
		f, err := application.ParseFetch(pair[0], pair[1])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	r, err := application.NewReader(all...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func viewer(t testing.TB) *application.Reader {
	return reader(t, "/files/{key...}", "s3://imaging/{key}", "/study/{study}/slice/{n}", "s3://scans/{study}/raw/{n}.dcm")
}

// What is a fetch, of which object; what is the application's; and with which
// code the rest is refused.
func TestReading(t *testing.T) {
	r := viewer(t)
	for _, c := range []struct{ method, target, want string }{
		{"GET", "/files/a.png", "s3://imaging/a.png"},
		{"HEAD", "/files/a.png", "s3://imaging/a.png"},
		{"GET", "/files/radiology/2026/red%20lung+1&x=(2)!.png", "s3://imaging/radiology/2026/red lung+1&x=(2)!.png"},
		{"GET", "/files/Gr%C3%B6%C3%9Fe/%E6%97%A5.png", "s3://imaging/Größe/日.png"},
		{"GET", "/files/hash%23tag%5B1%5D.png", "s3://imaging/hash#tag[1].png"},
		{"GET", "/files/%7Bkey%7D.png", "s3://imaging/{key}.png"},
		{"GET", "/files/folder/", "s3://imaging/folder/"},
		{"GET", "/study/7/slice/12", "s3://scans/7/raw/12.dcm"},
		{"GET", "/study/%7Bn%7D/slice/12", "s3://scans/{n}/raw/12.dcm"},

		{"GET", "/", "app"}, {"GET", "/files", "app"}, {"GET", "/files/", "app"}, {"POST", "/upload?x=1", "app"}, {"GET", "/filesystem/a", "app"},
		{"GET", "/api/files/a", "app"}, {"GET", "/study/7", "app"}, {"GET", "/study/7/slice/12/more", "app"}, {"GET", "/a%20b;c/..d?x=%zz", "app"},

		{"POST", "/files/a.png", "fetch_method"}, {"DELETE", "/files/a.png", "fetch_method"}, {"TRACE", "/files/a.png", "method_unknown"},
		{"GET", "/files/a.png?", "fetch_query"}, {"GET", "/files/a.png?key=b", "fetch_query"},
		{"GET", "/files//a.png", "fetch_key"}, {"GET", "/files/a//b", "fetch_key"}, {"GET", "/files/a/../b", "fetch_key"}, {"GET", "/files/./b", "fetch_key"},
		{"GET", "/files/a%2Fb", "fetch_key"}, {"GET", "/files/a%2fb", "fetch_key"}, {"GET", "/files/%2e%2e/b", "fetch_key"}, {"GET", "/files/a%5Cb", "fetch_key"},
		{"GET", `/files/a\b`, "fetch_key"}, {"GET", "/files/%61", "fetch_key"}, {"GET", "/files/%c3%b6", "fetch_key"}, {"GET", "/files/%252Fb", "fetch_key"},
		{"GET", "/files/100%25", "fetch_key"}, {"GET", "/files/a;b", "fetch_key"}, {"GET", "/files/a%3Fb", "fetch_key"}, {"GET", "/files/a%00", "fetch_key"},
		{"GET", "/files/%FF", "fetch_key"}, {"GET", "/files/a%", "fetch_key"}, {"GET", "/files/a%4", "fetch_key"}, {"GET", `/files/"a"`, "fetch_key"},
		{"GET", "/files/" + strings.Repeat("k", 1025), "fetch_key"}, {"GET", "/study/7%2F8/slice/12", "fetch_key"}, {"GET", "/study/../slice/12", "fetch_key"},

		{"GET", "//files/a.png", "fetch_path"}, {"GET", "/./files/a.png", "fetch_path"}, {"GET", "/x/../files/a.png", "fetch_path"}, {"GET", "/Files/a.png", "fetch_path"},
		{"GET", "/%66iles/a.png", "fetch_path"}, {"GET", "/files%2Fa.png", "fetch_path"}, {"GET", `/files\a.png`, "fetch_path"}, {"GET", "/files;v=1/a.png", "fetch_path"},
		{"GET", "/x%2f..%2ffiles/a.png", "fetch_path"}, {"GET", "/files./a.png", "fetch_path"}, {"GET", "/%2566iles/a.png", "fetch_path"}, {"GET", "/study/7/slice/12/", "fetch_path"},
		{"GET", "/study//7/slice/12", "fetch_path"}, {"GET", "http://x/files/a", "target_malformed"}, {"GET", "/files/a#b", "target_malformed"}, {"GET", "/files/ö", "target_malformed"},
	} {
		if got := said(r.Read(c.method, c.target)); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.method, c.target, got, c.want)
		}
	}
}

func said(reading labelstudio.Reading) string {
	switch reading.Kind {
	case labelstudio.Fetch:
		return reading.Location.URI()
	case labelstudio.Refused:
		return string(reading.Refusal.Code)
	}
	return reading.Kind.String()
}

func TestFetchesThatCannotBe(t *testing.T) {
	for _, c := range []struct{ path, object, words string }{
		{"/files/{key...}/x", "s3://imaging/{key}", "put it last"},
		{"/files/{key}/{key}", "s3://imaging/{key}", "twice"},
		{"/files/a{key}", "s3://imaging/{key}", "no segment"},
		{"/files//{key}", "s3://imaging/{key}", "no segment"},
		{"/files/../{key}", "s3://imaging/{key}", "no segment"},
		{"/fi%6Ces/{key}", "s3://imaging/{key}", "no segment"},
		{"/files/{key}", "s3://imaging/{other}", "has not"},
		{"/files/{key}", "s3://imaging/{key}{key}", "twice"},
		{"/files/{a}/{b}", "s3://imaging/{a}", "leaves out"},
		{"/files/{bucket}/{key}", "s3://{bucket}/{key}", "bucket is a variable"},
		{"/files/{key}", "s3://imaging//{key}", "the object is none"},
		{"/files/{key}", "https://imaging/{key}", "the object is none"},
		{"/files/one", "s3://imaging/one", "no variable"},
	} {
		if _, err := application.ParseFetch(c.path, c.object); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s → %s: %v, want %q", c.path, c.object, err, c.words)
		}
	}
}

// FuzzRead holds the reader against what servers make of a path: one that
// decodes once and resolves dots, as most do, must find no object of the
// application's where the reader sees none, and the same one where it does.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"/files/a", "/x/../files/a%20b", "/%66iles/a", "//files/a", "/files/a%2Fb", "/study/1/slice/2", "/files/a;b", "/FILES/a"} {
		f.Add(seed)
	}
	r := viewer(f)
	f.Fuzz(func(t *testing.T, target string) {
		reading := r.Read("GET", target)
		raw, _, _ := strings.Cut(target, "?")
		decoded, err := url.PathUnescape(raw)
		if err != nil || !strings.HasPrefix(decoded, "/") {
			return
		}
		key, isFetch := strings.CutPrefix(path.Clean(decoded), "/files/")
		switch reading.Kind {
		case labelstudio.App:
			if isFetch {
				t.Errorf("%q is the application's, which would serve %q", target, key)
			}
		case labelstudio.Fetch:
			if isFetch && strings.TrimSuffix(reading.Location.Key, "/") != key {
				t.Errorf("%q is read as %q, the application would serve %q", target, reading.Location.Key, key)
			}
		}
	})
}
