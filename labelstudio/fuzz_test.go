package labelstudio_test

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/labelstudio"
)

// servers are what the parts of a deployment do to a path, written anew with
// the standard library, so that reader and oracle share no code.
var servers = []func(string) string{
	func(p string) string { // percent-decoding, where it is well-formed
		if d, err := url.PathUnescape(p); err == nil {
			return d
		}
		return p
	},
	path.Clean,
	func(p string) string { return strings.ReplaceAll(p, `\`, "/") },
	func(p string) string { return regexp.MustCompile(`;[^/]*`).ReplaceAllString(p, "") },
	func(p string) string { return regexp.MustCompile(`/+`).ReplaceAllString(p, "/") },
	func(p string) string { head, _, _ := strings.Cut(p, "?"); return head },
	strings.ToLower,
}

// served is what Label Studio's routes match, in any case, from any prefix on.
var served = regexp.MustCompile(`(?i)(^|/)((tasks|projects)/[0-9]+/(resolve|presign)/?$|storage-data/uploaded/?$)|(?i)data/local-files(/|$)`)

// Whatever order a deployment rewrites a path in: what is passed on never
// becomes a fetch there, and what is a fetch decodes to the same object there.
func FuzzRead(f *testing.F) {
	for _, target := range []string{
		"/tasks/3/resolve/?fileuri=" + red, "/tasks/3/presign?lsref=1&fileuri=" + red, "//tasks/3/resolve/", "/tasks/3/%2572esolve/",
		"/x/%252e%252e/tasks/3/resolve", `/tasks\3;x\resolve`, "/data/upload/1/a%20b.png", "/mydata/local-files/", "/storage%2ddata/uploaded/",
		"/tasks/3/y/x%252f../../resolve", "/projects/3/data?task=1", "/tasks/%33/resolve/?fileuri=" + red + "&fileuri=" + red, "/a/..;/tasks/3/resolve",
	} {
		f.Add("GET", target, []byte{0, 1, 0, 1, 2, 3, 4, 5, 6})
	}
	f.Fuzz(func(t *testing.T, method, target string, order []byte) {
		got := labelstudio.Read(method, target)
		switch got.Kind {
		case labelstudio.Refused:
			if got.Refusal == nil {
				t.Fatal("a refusal without a reason")
			}
		case labelstudio.Fetch:
			checkFetch(t, got, target)
		default:
			p, _, _ := strings.Cut(target, "?")
			for _, i := range order[:min(len(order), 12)] {
				p = servers[int(i)%len(servers)](p)
				if served.MatchString(p) {
					t.Fatalf("%s %q is read as %s, and becomes %q", method, target, got.Kind, p)
				}
			}
		}
	})
}

// checkFetch reads the fetch again as Django and Python do.
func checkFetch(t *testing.T, got labelstudio.Reading, target string) {
	p, query, _ := strings.Cut(target, "?")
	values, err := url.ParseQuery(query)
	if err != nil || len(values["fileuri"]) != 1 || !served.MatchString(p) || p != decodedAndCleaned(p) {
		t.Fatalf("%q is read as a fetch; the query is %v, %v", target, values, err)
	}
	uri, err := base64.URLEncoding.DecodeString(values.Get("fileuri"))
	if want := "s3://" + got.Location.Bucket + "/" + got.Location.Key; err != nil || !bytes.Equal(uri, []byte(want)) {
		t.Fatalf("%q asks for %q (%v) and is read as %q", target, uri, err, want)
	}
}

func decodedAndCleaned(p string) string {
	d, _ := url.PathUnescape(p)
	if clean := path.Clean(d); strings.HasSuffix(p, "/") {
		return clean + "/"
	} else {
		return clean
	}
}
