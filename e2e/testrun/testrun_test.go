package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/e2e/testlog"
)

// summarized is what a person reads of these events.
func summarized(t *testing.T, events string) string {
	t.Helper()
	var said bytes.Buffer
	s := newSummary(&said)
	if err := testlog.Each(strings.NewReader(events), s.add); err != nil {
		t.Fatal(err)
	}
	s.end()
	return said.String()
}

func TestTheSummaryHasWhatFailedAndNoMore(t *testing.T) {
	got := summarized(t, `
{"Action":"run","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestGood"}
{"Action":"run","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"the reason\n"}
{"Action":"fail","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestLeft","Output":"not to be seen\n"}
{"Action":"skip","Package":"p","Test":"TestLeft"}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"fail","Package":"p","Elapsed":1.25}
{"Action":"output","Package":"q","Output":"ok q\n"}
{"Action":"pass","Package":"q","Elapsed":0.5}
{"Action":"skip","Package":"empty"}
{"Action":"build-output","ImportPath":"r","Output":"r/r.go:1: it does not compile\n"}
`)
	want := "the reason\nnot to be seen\nFAIL\nfail  p  1.3s\npass  q  500ms\nr/r.go:1: it does not compile\n1 tests passed, 1 failed, 1 skipped\n"
	if got != want {
		t.Errorf("says\n%s\nwant\n%s", got, want)
	}
}

// Where tests take long, somebody wants to see that they go on.
func TestProgressIsSaidOfEachTestOfItsOwn(t *testing.T) {
	var said bytes.Buffer
	s := newSummary(&said)
	s.progress = true
	if err := testlog.Each(strings.NewReader(`
{"Action":"run","Package":"p","Test":"TestLong"}
{"Action":"run","Package":"p","Test":"TestLong/part"}
{"Action":"pass","Package":"p","Test":"TestLong/part","Elapsed":1}
{"Action":"pass","Package":"p","Test":"TestLong","Elapsed":2}
`), s.add); err != nil {
		t.Fatal(err)
	}
	if want := "  TestLong\n  TestLong: pass, 2s\n"; said.String() != want {
		t.Errorf("says\n%s\nwant\n%s", said.String(), want)
	}
}

// A test that panics or runs into the deadline has no event of its own.
func TestWhatATestSaidBeforeThePanicIsShown(t *testing.T) {
	got := summarized(t, `
{"Action":"run","Package":"p","Test":"TestPanics"}
{"Action":"output","Package":"p","Test":"TestPanics","Output":"panic: boom\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\n"}
{"Action":"fail","Package":"p","Elapsed":1}
`)
	if !strings.HasPrefix(got, "panic: boom\nFAIL\tp\nfail  p  1s\n") {
		t.Errorf("says %s", got)
	}
}

// module makes one with a single test.
func module(t *testing.T, body string) (events string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "x_test.go": "package x\n\nimport \"testing\"\n\nfunc TestX(t *testing.T) { " + body + " }\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return filepath.Join(dir, "made", "test.json")
}

func TestTheEventsAreKeptAndTheFailureIsToo(t *testing.T) {
	for body, c := range map[string]struct {
		how  string
		fine bool
	}{
		`t.Log("good")`: {"pass", true}, `t.Error("bad")`: {"fail", false},
	} {
		t.Run(c.how, func(t *testing.T) {
			events := module(t, body)
			if err := run(events, false, nil, []string{"./..."}); (err == nil) != c.fine {
				t.Errorf("ended with %v", err)
			}
			results, err := testlog.Read(events)
			if err != nil || results[testlog.Test{Package: "example.com/m", Name: "TestX"}] != c.how {
				t.Errorf("read %v, %v", results, err)
			}
		})
	}
}

func TestWhatDoesNotCompileFails(t *testing.T) {
	if err := run(module(t, "nothing()"), false, nil, []string{"./..."}); err == nil {
		t.Error("no error")
	}
}
