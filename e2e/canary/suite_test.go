package canary

import (
	"bytes"
	"encoding/hex"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const planted = `Zk7+/pl4nt3d"<0123456789>&'end`

// suite is one with a secret of each kind and some honest texts.
func suite(t *testing.T) (*Suite, string) {
	t.Helper()
	s, dir := &Suite{}, t.TempDir()
	s.Keep("a cookie", planted)
	s.Keep("a key", "another-secret-0123456789")
	s.Logs(dir, map[string][]string{"store.log": {"a key"}, "peer.log": {"*"}})
	_, _ = s.Writer("the metrics").Write([]byte("requests_total 7\n"))
	writes(t, filepath.Join(dir, "rolepass.log"), "{\"level\":\"INFO\"}\n")
	return s, dir
}

func writes(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

type passes struct{}

func (passes) Run() int { return 0 }

// ran gives how a run of passing tests ends, and what it says.
func ran(s *Suite, whole bool) (int, string) {
	var said bytes.Buffer
	a := &after{suite: s, tests: passes{}, say: &said, whole: func() bool { return whole }}
	return a.Run(), said.String()
}

// A secret in any log below the folder, or in anything else that was written,
// fails a run whose tests all passed. What is said has the place and the kind,
// and no form of the secret.
func TestAPlantedSecretFailsTheRun(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(s *Suite, dir string)
		says  string
	}{
		"in a log":               {func(_ *Suite, dir string) { writes(t, dir+"/envoy.log", "a\nb "+planted+"\n") }, "a cookie is in envoy.log (plain), line 2\n"},
		"in a log further in":    {func(_ *Suite, dir string) { writes(t, dir+"/observer/access.log", planted) }, "a cookie is in observer/access.log (plain), line 1\n"},
		"in what Valkey appends": {func(_ *Suite, dir string) { writes(t, dir+"/valkey/appendonly.aof.1.incr.aof", "*1\r\n"+planted) }, "a cookie is in valkey/appendonly.aof.1.incr.aof (plain), line 2\n"},
		"in Valkey's dump":       {func(_ *Suite, dir string) { writes(t, dir+"/valkey/dump.rdb", "REDIS0010\x00"+planted) }, "a cookie is in valkey/dump.rdb (plain), line 1\n"},
		"in hex":                 {func(_ *Suite, dir string) { writes(t, dir+"/x.log", hex.EncodeToString([]byte(planted))) }, "a cookie is in x.log (hex), line 1\n"},
		"in a page": {func(s *Suite, _ string) {
			_, _ = s.Writer("a page").Write([]byte("<p>" + html.EscapeString(planted) + "</p>"))
		}, "a cookie is in a page (HTML), line 1\n"},
		"before it was kept": {func(s *Suite, _ string) {
			_, _ = s.Writer("a page").Write([]byte("later-secret"))
			s.Keep("a bearer", "later-secret")
		}, "a bearer is in a page (plain), line 1\n"},
		"of another kind than may be there": {func(_ *Suite, dir string) { writes(t, dir+"/store.log", planted) }, "a cookie is in store.log (plain), line 1\n"},
		"thrice":                            {func(_ *Suite, dir string) { writes(t, dir+"/x.log", planted+planted+planted) }, "a cookie is in x.log (plain), line 1, and 2 times more\n"},
		"one too short to be found":         {func(s *Suite, _ string) { s.Keep("a password", "1234567") }, "a password of 7 bytes is too short to be looked for\n"},
		"a log that cannot be read":         {func(_ *Suite, dir string) { _ = os.Symlink(dir+"/none", dir+"/gone.log") }, "reading the logs"},
		"records that were lost":            {func(s *Suite, _ string) { s.Fails("3 records were lost") }, "3 records were lost\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := suite(t)
			c.plant(s, dir)
			code, said := ran(s, true)
			if code != 1 || !strings.Contains(said, c.says) || !strings.Contains(said, ": 1 found\n") {
				t.Errorf("the run ends with %d and says\n%s; want %s", code, said, c.says)
			}
			for _, form := range forms(planted) {
				if strings.Contains(said, form.text) {
					t.Error("what is said has the secret in it")
				}
			}
		})
	}
}

func TestAnHonestRunPasses(t *testing.T) {
	s, dir := suite(t)
	writes(t, dir+"/store.log", "another-secret-0123456789") // where it may be
	writes(t, dir+"/peer.log", "another-secret-0123456789"+planted)
	writes(t, dir+"/keys/one.key", planted) // no log
	if code, said := ran(s, true); code != 0 || !strings.HasPrefix(said, "canary: 2 secrets of 2 kinds were looked for in 4 texts") || !strings.Contains(said, ": 0 found") {
		t.Errorf("the run ends with %d and says\n%s", code, said)
	}
}

// A search for nothing, or in nothing, must not pass, unless somebody chose
// among the tests.
func TestASearchThatShowsNothingFails(t *testing.T) {
	empty := &Suite{}
	mute := &Suite{}
	mute.Keep("a cookie", planted)
	keepless := &Suite{}
	_, _ = keepless.Writer("log").Write([]byte("text"))
	for name, s := range map[string]*Suite{"nothing": empty, "nothing written": mute, "nothing kept": keepless} {
		if code, said := ran(s, true); code != 1 || !strings.Contains(said, "shows nothing") {
			t.Errorf("%s: %d, %s", name, code, said)
		}
		if code, said := ran(s, false); code != 0 {
			t.Errorf("%s, with -run: %d, %s", name, code, said)
		}
	}
}

// Tests that fail stay failed, and what they end is ended before the search.
func TestTheSearchComesLast(t *testing.T) {
	s, _ := suite(t)
	var said bytes.Buffer
	a := &after{suite: s, tests: passes{}, say: &said, whole: wholeRun, first: []func(){func() { _, _ = s.Writer("the last words").Write([]byte(planted)) }}}
	if code := a.Run(); code != 1 || !strings.Contains(said.String(), "a cookie is in the last words") {
		t.Errorf("%d: %s", code, said.String())
	}
	failing := &after{suite: s, tests: fails{}, say: &said, whole: wholeRun}
	if code := failing.Run(); code != 2 {
		t.Errorf("tests that end with 2 end with %d", code)
	}
}

type fails struct{}

func (fails) Run() int { return 2 }
