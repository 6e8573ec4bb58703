// Package structure_test holds the code against docs/structure.md.
package structure_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/rolepass/rolepass/"

// listed is what `go list -json` says of one package.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var one listed
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
}

// table reads the rows below a heading of docs/structure.md, by first cell.
func table(t *testing.T, heading string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/structure.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), heading)
	if !found {
		t.Fatalf("no heading %q", heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	rows := map[string][]string{}
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		var values []string
		for value := range strings.SplitSeq(cells[len(cells)-1], ",") {
			if value = strings.TrimSpace(value); value != "–" {
				values = append(values, value)
			}
		}
		rows[strings.Trim(strings.TrimSpace(cells[0]), "`")] = values
	}
	return rows
}

// support says that a package is for tests only.
func support(path string) bool {
	return path == "saml/samltest" || path == "decision/decisiontest" || path == "e2e" || strings.HasPrefix(path, "e2e/")
}

func TestImportsAreAsDocumented(t *testing.T) {
	documented := table(t, "## Packages")
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if support(name) {
			continue
		}
		want, ok := documented[name]
		if !ok {
			t.Errorf("package %s is not in docs/structure.md: say there what it holds, and in docs/decisions why it is needed", name)
			continue
		}
		delete(documented, name)
		var got []string
		for _, path := range p.Imports {
			if ours, ok := strings.CutPrefix(path, module); ok {
				got = append(got, ours)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("package %s imports %v; docs/structure.md says %v", name, got, want)
		}
	}
	delete(documented, "Package")
	for name := range documented {
		t.Errorf("docs/structure.md has package %s, the code has not", name)
	}
}

func TestLibrariesHaveTheirImporters(t *testing.T) {
	documented := table(t, "## Libraries")
	delete(documented, "Library")
	for library, want := range documented {
		var got []string
		for _, p := range list(t) {
			name := strings.TrimPrefix(p.ImportPath, module)
			if !support(name) && slices.ContainsFunc(p.Imports, func(path string) bool { return path == library || strings.HasPrefix(path, library+"/") }) {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s is imported by %v; docs/structure.md says %v", library, got, want)
		}
	}
}

// What a test may do must not be in what an operator runs.
func TestTheProgramsLinkNothingOfTheTests(t *testing.T) {
	programs := 0
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if !strings.HasPrefix(name, "cmd/") {
			continue
		}
		programs++
		for _, dep := range p.Deps {
			ours, isOurs := strings.CutPrefix(dep, module)
			if isOurs && support(ours) || dep == "testing" || strings.HasPrefix(dep, "github.com/minio/") || strings.HasPrefix(dep, "github.com/chromedp/") {
				t.Errorf("%s links %s", name, dep)
			}
		}
	}
	if programs < 2 {
		t.Errorf("%d programs were looked at; want rolepass and samlsts", programs)
	}
}

// Two parsers that agree leave no room for a trick that deceives one; they
// must not be one parser.
func TestTheTwoVerifiersShareNoCodeOfOurs(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath != module+"samlsts" {
			continue
		}
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, module) || strings.HasPrefix(dep, "github.com/russellhaering/gosaml2") {
				t.Errorf("samlsts depends on %s", dep)
			}
		}
		return
	}
	t.Error("there is no package samlsts")
}
