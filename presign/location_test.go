package presign_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rolepass/rolepass/presign"
)

func TestLocationIsKeptByteForByte(t *testing.T) {
	for _, key := range append(hardKeys, strings.Repeat("k", 1024), strings.Repeat("ü", 512), "\ufffd", "a/b/") {
		l, err := presign.ParseLocation("s3://imaging/" + key)
		if err != nil || l.Bucket != "imaging" || l.Key != key {
			t.Errorf("%q: %q in %q, %v", key, l.Key, l.Bucket, err)
		}
		if l.URI() != "s3://imaging/"+key {
			t.Errorf("%q became %q", key, l.URI())
		}
	}
	for _, bucket := range []string{"abc", "a.b", "1.2.3.4.5", "a1-b.c-2", strings.Repeat("b", 63), "127.0.0.1x", "s3alias"} {
		if l, err := presign.ParseLocation("s3://" + bucket + "/k"); err != nil || l.Bucket != bucket {
			t.Errorf("bucket %s: %v", bucket, err)
		}
	}
}

func TestKeysHaveNoControlCharacters(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		if !utf8.ValidRune(r) || r == '?' || r == '/' {
			continue
		}
		if _, err := presign.ParseLocation("s3://imaging/a" + string(r) + "b"); (err != nil) != unicode.IsControl(r) {
			t.Errorf("%U: %v", r, err)
		}
	}
}

func TestWhatIsNoLocation(t *testing.T) {
	for _, uri := range []string{
		"", "s3:", "s3://", "s3:///k", "s3://imaging", "s3://imaging/", "S3://imaging/k", "s3a://imaging/k", "s3:/imaging/k", " s3://imaging/k", "https://imaging/k", "file:///etc/passwd", "gs://imaging/k", "http://169.254.169.254/",
		// not the name of an ordinary bucket
		"s3://ab/k", "s3://" + strings.Repeat("b", 64) + "/k", "s3://Imaging/k", "s3://ima_ging/k", "s3://-imaging/k", "s3://imaging-/k", "s3://.imaging/k", "s3://imaging./k", "s3://ima..ging/k",
		"s3://127.0.0.1/k", "s3://999.0.0.1/k", "s3://user@imaging/k", "s3://imaging:9000/k", "s3://imaging?x=/k", "s3://imaging#/k", "s3://imag%69ng/k", "s3://imaging\\x/k", "s3://imäging/k", "s3://imaging\x00/k",
		"s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/k", "s3://xn--imaging/k", "s3://sthree-x/k", "s3://my-ap-s3alias/k", "s3://x--ol-s3/k", "s3://mfzwi23gnjvgw.mrap/k", "s3://x--use1-az4--x-s3/k", "s3://x--table-s3/k",
		// keys that something on the way could take for another
		"s3://imaging//k", "s3://imaging/a//b", "s3://imaging/a///b", "s3://imaging/a//", "s3://imaging/.", "s3://imaging/..", "s3://imaging/./a", "s3://imaging/../a", "s3://imaging/a/./b", "s3://imaging/a/../b", "s3://imaging/a/.", "s3://imaging/a/..", "s3://imaging/a/../", "s3://imaging/../payroll/2026.csv",
		// keys that are none
		"s3://imaging/a\x00b", "s3://imaging/a\rb", "s3://imaging/a\nb", "s3://imaging/a\tb", "s3://imaging/a\x7fb", "s3://imaging/a\u0085b", "s3://imaging/\xff", "s3://imaging/\xc0\xaf", "s3://imaging/\xed\xa0\x80", "s3://imaging/" + strings.Repeat("k", 1025), "s3://imaging/" + strings.Repeat("ü", 513),
	} {
		l, err := presign.ParseLocation(uri)
		if err == nil {
			t.Errorf("%q is taken for %q", uri, l.URI())
		}
		if l != (presign.Location{}) {
			t.Errorf("%q: refused, and yet it gives %q", uri, l.URI())
		}
	}
}

func TestAQuestionMarkHasItsOwnSentence(t *testing.T) {
	for _, uri := range []string{"s3://imaging/a?b", "s3://imaging/?", "s3://imaging/a/b?versionId=1", "s3://imaging/a?/../b"} {
		if _, err := presign.ParseLocation(uri); !errors.Is(err, presign.ErrQuestionMark) {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

func TestErrorsAndLogsKeepTheKeyToThemselves(t *testing.T) {
	const patient = "mustermann-1961"
	for _, uri := range []string{patient, "s3://" + patient + "?/k", "s3://imaging//" + patient, "s3://imaging/" + patient + "?", "s3://imaging/" + patient + "/..", "s3://imaging/" + patient + "\x00", "s3://imaging/" + patient + "\xff", "s3://imaging/" + strings.Repeat(patient, 99)} {
		if _, err := presign.ParseLocation(uri); err == nil || strings.Contains(err.Error(), patient) {
			t.Errorf("the error is %v", err)
		}
	}
	l := location(t, "s3://imaging/"+patient+".png")
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "location", l, "in", []presign.Location{l})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "location", l, "pointer", &l)
	inJSON, err := json.Marshal(map[string]any{"location": l})
	if err != nil {
		t.Fatal(err)
	}
	shown := log.String() + string(inJSON) + fmt.Sprint(l, &l, []any{l}) + fmt.Sprintf("%v %+v %#v %s %q", l, l, l, l, l)
	if strings.Contains(shown, patient) || !strings.Contains(shown, "s3://imaging/[redacted]") {
		t.Errorf("shown is %s", shown)
	}
}

// FuzzParseLocation holds that what is accepted survives everything on its
// way: the standard library's readers of paths give the key back as it was.
func FuzzParseLocation(f *testing.F) {
	for _, key := range hardKeys {
		f.Add("s3://imaging/" + key)
	}
	f.Add("s3://a//b")
	f.Add("s3://abc/../d")
	f.Fuzz(func(t *testing.T, uri string) {
		l, err := presign.ParseLocation(uri)
		if err != nil {
			return
		}
		if l.URI() != uri || !utf8.ValidString(uri) || len(l.Key) == 0 || len(l.Key) > 1024 {
			t.Fatalf("%q became %q", uri, l.URI())
		}
		if cleaned := path.Clean("/" + l.Key); cleaned != strings.TrimSuffix("/"+l.Key, "/") {
			t.Fatalf("%q is folded to %q", l.Key, cleaned)
		}
		b := presign.Bucket{Name: l.Bucket, Region: "eu-west-1", STS: "aws", Scheme: "https", Host: "s3.example.com"}
		signed, err := at(noon).Presign("GET", b, l, credentials("token"))
		if err != nil {
			t.Fatalf("%q is a location and cannot be signed: %v", uri, err)
		}
		request, err := http.NewRequest("GET", signed.URL(), nil)
		if err != nil {
			t.Fatalf("%q: %v", uri, err)
		}
		read, err := url.ParseRequestURI(signed.Target())
		if err != nil || read.Path != "/"+l.Bucket+"/"+l.Key || request.URL.Path != read.Path || request.URL.EscapedPath() != escapePath(read.Path) {
			t.Fatalf("%q is read as %q (%v)", uri, read, err)
		}
	})
}
