package structure_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// .dockerignore lets only what programs are built from into the images: a file
// that a program embeds and that is forgotten there breaks them, and nothing
// else would show it without Docker.
func TestWhatIsEmbeddedReachesTheImages(t *testing.T) {
	kept := keptForImages(t)
	out, err := exec.Command("go", "list", "-deps", "-json=Dir,EmbedFiles,Module", "../../cmd/rolepass", "../../cmd/samlsts", "../compose").Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	embedded := 0
	for packages := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Dir        string
			EmbedFiles []string
			Module     struct{ Main bool }
		}
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if !p.Module.Main {
			continue
		}
		for _, file := range p.EmbedFiles {
			name, err := filepath.Rel(root, filepath.Join(p.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			embedded++
			if !kept(name) {
				t.Errorf("%s is embedded, and .dockerignore keeps it from the images: add !%s there", name, name)
			}
		}
	}
	if embedded == 0 {
		t.Error("nothing is embedded: this test proves nothing")
	}
}

// keptForImages reads the exceptions of .dockerignore: names, patterns in one
// folder, and whole folders.
func keptForImages(t *testing.T) func(name string) bool {
	t.Helper()
	text, err := os.ReadFile("../../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	return func(name string) bool {
		for line := range strings.Lines(string(text)) {
			pattern, exception := strings.CutPrefix(strings.TrimSpace(line), "!")
			matches, err := filepath.Match(pattern, name)
			if err != nil {
				t.Fatalf(".dockerignore: %s: %v", pattern, err)
			}
			if exception && (matches || strings.HasPrefix(name, pattern+"/")) {
				return true
			}
		}
		return false
	}
}
