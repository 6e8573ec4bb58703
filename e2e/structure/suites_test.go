package structure_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
)

// searched are the packages whose tests write what Rolepass and Envoy write.
var searched = []string{"credcache", "decision", "e2e", "e2e/idps", "extauthz", "labelstudio/client", "login", "samlsts", "server", "telemetry"}

// Their TestMain looks for the secrets of all their tests in all of that.
func TestEverySuiteThatWritesIsSearched(t *testing.T) {
	for _, folder := range searched {
		files, err := filepath.Glob(filepath.Join("../..", folder, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no tests: %v", folder, err)
		}
		mains, searches := 0, 0
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, declaration := range parsed.Decls {
				if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "TestMain" {
					mains++
					searches += callsOfAfter(f)
				}
			}
		}
		if mains != 1 || searches != 1 {
			t.Errorf("%s has %d TestMain with %d searches after the tests (secrets.After)", folder, mains, searches)
		}
	}
}

// callsOfAfter counts the calls of secrets.After in a function.
func callsOfAfter(f *ast.FuncDecl) (calls int) {
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "After" {
			if name, ok := s.X.(*ast.Ident); ok && name.Name == "secrets" {
				calls++
			}
		}
		return true
	})
	return calls
}
