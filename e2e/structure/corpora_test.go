package structure_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var fuzzTarget = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// TestEveryFuzzTargetHasACorpus: go test runs it, so that what a fuzzer found
// once is looked at each time. It is small: tests are to stay quick.
func TestEveryFuzzTargetHasACorpus(t *testing.T) {
	const most, largest = 48, 32 << 10
	targets := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2:
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range fuzzTarget.FindAllStringSubmatch(string(text), -1) {
			targets++
			corpus := filepath.Join(filepath.Dir(path), "testdata", "fuzz", found[1])
			files, err := os.ReadDir(corpus)
			if err != nil || len(files) == 0 || len(files) > most {
				t.Errorf("%s has %d files (%v): keep 1 to %d", corpus, len(files), err, most)
			}
			for _, file := range files {
				if info, err := file.Info(); err != nil || info.Size() > largest {
					t.Errorf("%s in %s: %v, larger than %d bytes", file.Name(), corpus, err, largest)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if targets < 20 {
		t.Errorf("%d targets were found", targets)
	}
}
