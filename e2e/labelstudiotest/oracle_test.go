package labelstudiotest_test

import (
	"strings"
	"testing"

	"github.com/rolepass/rolepass/e2e/corpus"
	"github.com/rolepass/rolepass/e2e/routetable"
	"github.com/rolepass/rolepass/labelstudio"
)

// judgement is what Label Studio's own code makes of a request target, behind
// one server.
type judgement struct {
	Route string
	// Serves says that data of S3, or of Label Studio's disk, can leave here.
	Serves bool
	// Bucket and Key are the object to which its view leads, if it does.
	Bucket, Key string
}

// oracle starts Label Studio's own decoder: its servers' reading of a target,
// Django's resolver, the view of proxy_api and the storage's way to S3.
func oracle(t testing.TB) *python {
	t.Helper()
	p := runs(t, "oracle.py")
	var first struct{ Ready bool }
	if !p.reads(t, &first) || !first.Ready {
		t.Fatal("the oracle does not begin")
	}
	return p
}

// judges gives the judgement by server: wsgiref (which Label Studio starts by
// itself), gunicorn, and nginx before either.
func (p *python) judges(t testing.TB, target string) map[string]judgement {
	t.Helper()
	var by map[string]judgement
	p.asks(t, map[string]any{"target": []byte(target)}, &by)
	if len(by) != 3 {
		t.Fatalf("the oracle says %v of %q", by, target)
	}
	return by
}

// agrees says that the reader reads a target as Label Studio does, or refuses.
func agrees(t testing.TB, p *python, target string) (led bool) {
	t.Helper()
	reading := labelstudio.Read("GET", target)
	for server, theirs := range p.judges(t, target) {
		led = led || theirs.Key != ""
		switch {
		case reading.Kind == labelstudio.Refused || !theirs.Serves:
		case reading.Kind != labelstudio.Fetch:
			t.Errorf("%q is read as %s; with %s it is %s and leads to %q in %q", target, reading.Kind, server, theirs.Route, theirs.Key, theirs.Bucket)
		case theirs.Key != "" && (reading.Location.Key != theirs.Key || reading.Location.Bucket != theirs.Bucket):
			t.Errorf("%q is read as %q in %q; with %s it leads to %q in %q", target, reading.Location.Key, reading.Location.Bucket, server, theirs.Key, theirs.Bucket)
		}
	}
	return led
}

var asked = corpus.Fetch{Task: 3, Project: 3, URI: "s3://imaging/radiology/red lung+1.png", Host: "label.test"}

// Whatever Label Studio's own decoder takes for an object of S3 is read as
// this very object, or refused.
func FuzzReadAsLabelStudioDoes(f *testing.F) {
	for _, target := range asked.Targets() {
		f.Add(target)
	}
	p := oracle(f)
	f.Fuzz(func(t *testing.T, target string) {
		if strings.ContainsAny(target, "\r\n") {
			return // the end of a request line
		}
		agrees(t, p, target)
	})
}

// The oracle is one: it leads to objects, and it knows every route by the
// example with which the table is held against the reader. (What matches
// anywhere in a path takes a few of another route: "thirdpartymodelversion/".)
func TestTheOracleKnowsTheRoutes(t *testing.T) {
	p := oracle(t)
	led := 0
	for _, target := range asked.Targets() {
		if agrees(t, p, target) {
			led++
		}
	}
	if led < 200 {
		t.Errorf("of the corpus, %d targets lead to an object", led)
	}
	groups, err := routetable.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range groups {
		for _, row := range group.Rows {
			for _, route := range row.Routes {
				bare, _, _ := strings.Cut(route, "?")
				if got := p.judges(t, routetable.Target(route))["wsgiref"].Route; got != bare && !strings.HasPrefix(got, "…") {
					t.Errorf("%s is an example of %s, not of %s", routetable.Target(route), got, bare)
				}
			}
		}
	}
}
