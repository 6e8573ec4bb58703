package canary

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Suite is what a suite of tests keeps secret, and where it writes. The zero
// value is ready; a nil Suite takes everything and finds nothing. It is safe
// for many goroutines.
type Suite struct {
	mu      sync.Mutex
	secrets map[string]string        // their kinds
	written map[string]*bytes.Buffer // by the place
	folders []folder
	wrong   []string // what of it cannot be searched for
}

// folder is a folder of logs, and which kinds of secrets may stand in which.
type folder struct {
	path string
	may  map[string][]string
}

// Keep has a secret looked for; its kind is what a finding calls it.
func (s *Suite) Keep(kind, secret string) {
	if s == nil || secret == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(secret) < shortest {
		s.wrong = append(s.wrong, fmt.Sprintf("%s of %d bytes is too short to be looked for", kind, len(secret)))
		return
	}
	if s.secrets == nil {
		s.secrets = map[string]string{}
	}
	s.secrets[secret] = kind
}

// Fails has the search fail for a reason of the suite's own.
func (s *Suite) Fails(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, why)
}

// Writer is a place where something is written that must hold no secret.
func (s *Suite) Writer(where string) io.Writer { return writer{s, where} }

type writer struct {
	suite *Suite
	where string
}

func (w writer) Write(text []byte) (int, error) {
	s := w.suite
	if s == nil {
		return len(text), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written == nil {
		s.written = map[string]*bytes.Buffer{}
	}
	if s.written[w.where] == nil {
		s.written[w.where] = &bytes.Buffer{}
	}
	return s.written[w.where].Write(text)
}

// endings are those of what is searched: logs, and what a Valkey server
// keeps on its disk.
var endings = []string{".log", ".aof", ".rdb"}

// Logs has every file below a folder searched whose name ends in one of endings
// and that is there at the end. In a file that may names, secrets of these kinds
// may stand; a kind "*" is every one.
func (s *Suite) Logs(path string, may map[string][]string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.folders = append(s.folders, folder{path, may})
}

// Found searches everything that was written until now. A finding has the
// place, the kind of the secret and its encoding, and never the secret.
func (s *Suite) Found() ([]string, Searched, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	needles, searched := index{}, Searched{Secrets: len(s.secrets), Kinds: map[string]int{}}
	for secret, kind := range s.secrets {
		needles.add(kind, secret)
		searched.Kinds[kind]++
	}
	found := findings{}
	for where, text := range s.written {
		searched.add(text.Bytes())
		found.in(needles, where, text.Bytes(), nil)
	}
	for _, f := range s.folders {
		err := f.each(func(name string, text []byte) {
			searched.add(text)
			found.in(needles, name, text, f.may[filepath.Base(name)])
		})
		if err != nil {
			return nil, searched, fmt.Errorf("reading the logs: %w", err)
		}
	}
	slices.Sort(s.wrong)
	return append(slices.Compact(slices.Clone(s.wrong)), found.lines()...), searched, nil
}

// each calls a function for every such file below a folder.
func (f folder) each(do func(name string, text []byte)) error {
	return filepath.WalkDir(f.path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains(endings, filepath.Ext(path)) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(f.path, path)
		do(name, text)
		return err
	})
}

// Searched says how much a search looked at.
type Searched struct {
	Secrets, Texts, Bytes int
	Kinds                 map[string]int // how many secrets there are of each
}

func (s *Searched) add(text []byte) { s.Texts, s.Bytes = s.Texts+1, s.Bytes+len(text) }

func (s Searched) String() string {
	return fmt.Sprintf("%d secrets of %d kinds were looked for in %d texts of %d kB", s.Secrets, len(s.Kinds), s.Texts, s.Bytes/1000)
}

// findings are the places of each secret in one encoding: how many, and the
// line of the first.
type findings map[string]*places

type places struct{ first, more int }

func (f findings) in(needles index, where string, text []byte, may []string) {
	needles.in(text, func(n needle, at int) {
		if slices.Contains(may, n.kind) || slices.Contains(may, "*") {
			return
		}
		what := fmt.Sprintf("%s is in %s (%s)", n.kind, where, n.encoding)
		if f[what] != nil {
			f[what].more++
			return
		}
		f[what] = &places{first: 1 + bytes.Count(text[:at], []byte("\n"))}
	})
}

func (f findings) lines() []string {
	var all []string
	for what, p := range f {
		line := fmt.Sprintf("%s, line %d", what, p.first)
		if p.more > 0 {
			line += fmt.Sprintf(", and %d times more", p.more)
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}

// tests is what TestMain is given.
type tests interface{ Run() int }

// After gives the tests of a package with the search after them: when
// something is found, the run fails and says what and where. A whole run that
// kept or wrote nothing fails as well, for its search would show nothing. The
// functions are called before the search: they end what still writes.
func (s *Suite) After(m tests, first ...func()) tests {
	return &after{s, m, first, os.Stderr, wholeRun}
}

type after struct {
	suite *Suite
	tests tests
	first []func()
	say   io.Writer
	whole func() bool
}

func (a *after) Run() int {
	code := a.tests.Run()
	for _, do := range a.first {
		do()
	}
	found, searched, err := a.suite.Found()
	if err != nil {
		found = append(found, err.Error())
	}
	if a.whole() && (searched.Secrets == 0 || searched.Bytes == 0) {
		found = append(found, "no secret was kept, or nothing was written: the search shows nothing")
	}
	fmt.Fprintf(a.say, verdict, searched, len(found))
	for _, one := range found {
		fmt.Fprintln(a.say, "canary:", one)
	}
	if len(found) > 0 && code == 0 {
		return 1
	}
	return code
}

// verdict is the line that a search ends with.
const verdict = "canary: %v: %d found\n"

// Clean says that what a suite printed has the end of a search that found nothing.
func Clean(said string) bool {
	return slices.ContainsFunc(strings.Split(said, "\n"), func(line string) bool {
		return strings.HasPrefix(line, "canary: ") && strings.HasSuffix(line, ": 0 found")
	})
}

// wholeRun says that no flag chooses among the tests.
func wholeRun() bool {
	for _, name := range []string{"test.run", "test.fuzz", "test.skip", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}
