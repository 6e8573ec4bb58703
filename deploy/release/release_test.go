//go:build release

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is released of HEAD: two builds were one, the archive holds what an
// operator needs, and what is said of it is true.
func TestTheRelease(t *testing.T) {
	out := t.TempDir()
	if err := release(t.Context(), "../..", out); err != nil {
		t.Fatal(err)
	}
	s, err := look(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	archive, err := os.ReadFile(filepath.Join(out, s.name()+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, archive, s.name()+"/")
	for _, name := range []string{
		"rolepass", "samlsts", "rolepass.cdx.json", "samlsts.cdx.json", "rolepass.yaml", "rolepass.service", "README.md", "docs/operate.md",
		"chart/rolepass/values.yaml", "chart/rolepass/values.schema.json", "completion/rolepass.bash", "completion/rolepass.zsh", "completion/rolepass.fish",
		"man/man1/rolepass.1", "man/man1/rolepass-generate-istio.1",
	} {
		if len(files[name]) == 0 {
			t.Errorf("the archive has no %s", name)
		}
	}
	var statement struct {
		Subject []struct{ Digest struct{ SHA256 string } }
	}
	text, err := os.ReadFile(filepath.Join(out, s.name()+".tar.gz.intoto.json"))
	if err != nil || json.Unmarshal(text, &statement) != nil || len(statement.Subject) != 1 || statement.Subject[0].Digest.SHA256 != digest(archive) || !strings.Contains(string(text), s.commit) {
		t.Errorf("the provenance is of something else: %v\n%s", err, text)
	}
	looksAtTheManual(t, s, looksAtTheProgram(t, s, files), files)
}

// looksAtTheProgram runs what was packed, compares it with its bill of
// materials, and gives its place.
func looksAtTheProgram(t *testing.T, s *source, files map[string][]byte) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "rolepass")
	if err := os.WriteFile(program, files["rolepass"], 0o755); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(program, "version").CombinedOutput()
	if err != nil || !strings.Contains(string(said), s.commit) || strings.Contains(string(said), "modified") {
		t.Errorf("it says that it is %s (%v)", said, err)
	}
	if checkout, err := filepath.Abs("../.."); err != nil || bytes.Contains(files["rolepass"], []byte(checkout)) {
		t.Errorf("the program names a directory of this machine (%v)", err)
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range info.Deps {
		if !strings.Contains(string(files["rolepass.cdx.json"]), "pkg:golang/"+module.Path+"@"+module.Version) {
			t.Errorf("the bill of materials does not have %s", module.Path)
		}
	}
	return program
}

// looksAtTheManual looks for a page for each command that the program has, of
// this commit and its day, whenever it was packed.
func looksAtTheManual(t *testing.T, s *source, program string, files map[string][]byte) {
	t.Helper()
	const pages = "man/man1/"
	head := fmt.Sprintf(`.TH "ROLEPASS" "1" %q %q "Rolepass"`, s.time.UTC().Format("Jan 2006"), "rolepass "+s.version)
	if top := string(files[pages+"rolepass.1"]); !strings.Contains(top, head) {
		t.Errorf("the manual has no %s:\n%.300s", head, top)
	}
	said, err := exec.Command(program, "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(said), "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list) {
		if command := strings.Fields(line)[0]; command != "help" && len(files[pages+"rolepass-"+command+".1"]) == 0 {
			t.Errorf("the manual has no page for %s", command)
		}
	}
	if _, is := files[pages+"rolepass-man.1"]; is || strings.Contains(list, "\n  man ") {
		t.Error("what writes the manual is in the program")
	}
}

func unpack(t *testing.T, archive []byte, below string) map[string][]byte {
	t.Helper()
	decompressed, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for reader := tar.NewReader(decompressed); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		name, ok := strings.CutPrefix(header.Name, below)
		if !ok {
			t.Errorf("%s is not below %s", header.Name, below)
		}
		if files[name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}
