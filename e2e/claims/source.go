package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rolepass/rolepass/e2e/testlog"
)

// sourceTests are the tests that stand in the files of a checkout, fuzz tests
// included: go test runs them on their corpus.
func sourceTests(root string) ([]testlog.Test, error) {
	var tests []testlog.Test
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && file != root && (hidden(entry.Name()) || ownModule(file)):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(file, "_test.go"):
			return nil
		}
		if in, err := laneOf(file); err != nil || in {
			return err
		}
		names, err := testsOf(file)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		for _, name := range names {
			tests = append(tests, testlog.Test{Package: path.Join(module, filepath.ToSlash(folder)), Name: name})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading which tests there are: %w", err)
	}
	return tests, nil
}

// hidden says that the go command does not look into a folder.
func hidden(name string) bool {
	return name[0] == '.' || name[0] == '_' || name == "testdata"
}

// ownModule says that a folder is a module beside ours, with tests of its own.
func ownModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// belowOwnModule says that a file belongs to such a module.
func belowOwnModule(root, file string) bool {
	for dir := path.Dir(file); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if ownModule(filepath.Join(root, filepath.FromSlash(dir))) {
			return true
		}
	}
	return false
}

// lanes are the build tags of tests that .ci/run runs by themselves, when what
// they test has changed (e2e/lane). No other tag may hide a test.
var lanes = []string{"gateway", "idps", "mesh", "release"}

// laneOf says that a file's tests are those of a lane.
func laneOf(file string) (bool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	tag, constrained := strings.CutPrefix(first, "//go:build ")
	return constrained && slices.Contains(lanes, strings.TrimSpace(tag)), nil
}

// skips says that something in a file skips a test.
func skips(file string) (found bool, err error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return false, err
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) {
			found = true
		}
		return !found
	})
	return found, nil
}

func testsOf(file string) ([]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, declaration := range parsed.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if ok && f.Recv == nil && f.Name.Name != "TestMain" && (begins(f.Name.Name, "Test") || begins(f.Name.Name, "Fuzz")) {
			names = append(names, f.Name.Name)
		}
	}
	return names, nil
}

// begins says whether a name is one of a test, as the go command reads it.
func begins(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return false
	}
	first, _ := utf8.DecodeRuneInString(rest)
	return rest == "" || !unicode.IsLower(first)
}

// checkRun says what is wrong with a run as a whole.
func checkRun(results testlog.Results, written []testlog.Test) []string {
	var problems []string
	for test, how := range results {
		if test.Name != "" && how != "pass" {
			problems = append(problems, fmt.Sprintf("%s %s: %s; every test must run and pass", test.Package, test.Name, words[how]))
		}
		if test.Name == "" && how == "fail" {
			problems = append(problems, test.Package+": failed as a package")
		}
	}
	ran := map[string]bool{}
	for _, test := range written {
		if _, found := results[test]; !found {
			problems = append(problems, fmt.Sprintf("%s %s: stands in the source but did not run", test.Package, test.Name))
			continue
		}
		ran[test.Package] = true
	}
	for _, name := range indispensable {
		if !ran[module+"/"+name] {
			problems = append(problems, module+"/"+name+": no test of this package ran, and it must")
		}
	}
	slices.Sort(problems)
	return problems
}

var words = map[string]string{"fail": "failed", "skip": "was skipped", "run": "did not end"}
