package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkout is a small one in which everything is in order, until a test
// changes a file of it.
type checkout map[string]string

func goodCheckout() checkout {
	files := checkout{
		"README.md":             "It is safe: [no cookie](e2e/fetch_test.go#L3 \"TestFetch/a picture\"), [plain](docs/security.md).\n",
		"docs/security.md":      "# Security\n\nAs said, [no\ncookie](../e2e/fetch_test.go \"TestFetch\").\n[In a lane](../e2e/slow/slow_test.go \"TestInALane\").\n[In a module](../e2e/own/own_test.go \"TestElsewhere\").\n",
		"e2e/fetch_test.go":     "package e2e_test\n\nfunc TestFetch(t *testing.T) {}\n\nfunc TestMain(m *testing.M) {}\n\nfunc Testimony() {}\n",
		".cache/x/bad_test.go":  "not Go",
		"testdata/bad_test.go":  "not Go",
		"e2e/own/go.mod":        "module own",
		"e2e/slow/slow_test.go": "//go:build idps\n\npackage slow\n\nfunc TestInALane(t *testing.T) {}\n",
		"e2e/own/own_test.go":   "package own\n\nfunc TestElsewhere(t *testing.T) {}\n",
	}
	events := pass("e2e", "") + pass("e2e", "TestFetch") + pass("e2e", "TestFetch/a_picture")
	for _, name := range indispensable[1:] {
		files[name+"/x_test.go"] = "package x\n\nfunc TestX(t *testing.T) {}\n\nfunc FuzzX(f *testing.F) {}\n"
		events += pass(name, "TestX") + pass(name, "FuzzX")
	}
	files["test.json"] = events
	return files
}

func pass(pkg, test string) string { return event("run", pkg, test) + event("pass", pkg, test) }

func event(action, pkg, test string) string {
	return `{"Action":"` + action + `","Package":"` + module + "/" + pkg + `","Test":"` + test + `"}` + "\n"
}

// problems writes the checkout and checks it.
func (c checkout) problems(t *testing.T) (string, error) {
	t.Helper()
	root := t.TempDir()
	for name, text := range c {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := run(root, filepath.Join(root, "test.json"), []string{"README.md", "docs/security.md"}, io.Discard)
	return strings.Join(found, "\n"), err
}

func TestAnHonestCheckoutPasses(t *testing.T) {
	if problems, err := goodCheckout().problems(t); err != nil || problems != "" {
		t.Errorf("%s, %v", problems, err)
	}
}

func TestNothingIsPassedOver(t *testing.T) {
	for name, c := range map[string]struct {
		file, old, new string
		says           string
	}{
		"a skipped test":             {"test.json", event("pass", "e2e", "TestFetch"), event("skip", "e2e", "TestFetch"), "e2e TestFetch: was skipped"},
		"a skipped subtest":          {"test.json", event("pass", "e2e", "TestFetch/a_picture"), event("skip", "e2e", "TestFetch/a_picture"), "e2e TestFetch/a_picture: was skipped"},
		"a failed test":              {"test.json", event("pass", "e2e", "TestFetch"), event("fail", "e2e", "TestFetch"), "e2e TestFetch: failed"},
		"a failed package":           {"test.json", event("pass", "e2e", ""), event("fail", "e2e", ""), "e2e: failed as a package"},
		"a test that hangs":          {"test.json", event("pass", "e2e", "TestFetch"), "", "e2e TestFetch: did not end"},
		"a test that did not run":    {"test.json", pass("e2e", "TestFetch"), "", "e2e TestFetch: stands in the source but did not run"},
		"a fuzz test left out":       {"test.json", pass("e2e/ststest", "FuzzX"), "", "e2e/ststest FuzzX: stands in the source but did not run"},
		"a package without tests":    {"e2e/ststest/x_test.go", "package x\n\nfunc TestX(t *testing.T) {}\n\nfunc FuzzX(f *testing.F) {}\n", "package x\n", "e2e/ststest: no test of this package ran"},
		"a claim without its file":   {"README.md", "e2e/fetch_test.go", "e2e/fetched_test.go", "README.md:1: e2e/fetched_test.go"},
		"a claim without its test":   {"README.md", "TestFetch", "TestFetched", "there is no test TestFetched in this file"},
		"a claim without a subtest":  {"README.md", "a picture", "a sound", "the test did not run"},
		"a claim over two lines":     {"docs/security.md", "TestFetch", "TestFetched", "docs/security.md:4: e2e/fetch_test.go \"TestFetched\""},
		"a lane's claim, gone":       {"e2e/slow/slow_test.go", "TestInALane", "TestInNone", "there is no test TestInALane in this file"},
		"a lane's subtest":           {"docs/security.md", "TestInALane", "TestInALane/sub", "claim the whole test"},
		"a lane's test that skips":   {"e2e/slow/slow_test.go", "{}", "{ t.Skipf(\"no\") }", "may skip itself"},
		"a module's claim, gone":     {"e2e/own/own_test.go", "TestElsewhere", "TestNowhere", "there is no test TestElsewhere in this file"},
		"a module's test that skips": {"e2e/own/own_test.go", "{}", "{ t.SkipNow() }", "may skip itself"},
		"a claim of no lane":         {"e2e/slow/slow_test.go", "//go:build idps", "//go:build other", "e2e/slow/slow_test.go \"TestInALane\": the test did not run"},
		"a claim by no test":         {"README.md", "TestFetch/a picture", "Testimony", "there is no test Testimony in this file"},
	} {
		t.Run(name, func(t *testing.T) {
			files := goodCheckout()
			changed := strings.Replace(files[c.file], c.old, c.new, 1)
			if changed == files[c.file] {
				t.Fatal("the change changes nothing")
			}
			files[c.file] = changed
			if problems, err := files.problems(t); err != nil || !strings.Contains(problems, c.says) {
				t.Errorf("says %s, %v; want %s", problems, err, c.says)
			}
		})
	}
}

func TestAllProblemsAreNamedAtOnce(t *testing.T) {
	files := goodCheckout()
	files["test.json"] = strings.ReplaceAll(files["test.json"], `"pass"`, `"skip"`)
	if problems, err := files.problems(t); err != nil || strings.Count(problems, "was skipped") < 10 || strings.Count(problems, "the test was skipped") != 2 {
		t.Errorf("says %s, %v", problems, err)
	}
}

// A check that finds nothing to check must not pass.
func TestNothingToCheckIsAnError(t *testing.T) {
	for name, change := range map[string]func(checkout){
		"no events":               func(c checkout) { delete(c, "test.json") },
		"events that are cut off": func(c checkout) { c["test.json"] = c["test.json"][:len(c["test.json"])-9] },
		"no document":             func(c checkout) { delete(c, "docs/security.md") },
		"a document with none":    func(c checkout) { c["README.md"] = "It is safe.\n" },
		"a test that is not Go":   func(c checkout) { c["e2e/fetch_test.go"] = "package" },
	} {
		files := goodCheckout()
		change(files)
		if problems, err := files.problems(t); err == nil {
			t.Errorf("%s: no error, says %s", name, problems)
		}
	}
}
