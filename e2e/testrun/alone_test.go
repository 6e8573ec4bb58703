package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/e2e/testlog"
)

// searched is the end of a suite that searched for secrets.
const searched = `fmt.Println("canary: 1 secrets of 1 kinds were looked for in 1 texts of 1 kB: 0 found")`

// counted makes a test that knows how often it ran before, in other processes.
func counted(body string) string {
	return `f, _ := os.OpenFile("runs", os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600); f.WriteString("."); said, _ := os.ReadFile("runs"); run := len(said); _ = run; ` + body
}

// suiteOf makes a module with tests that do this, and a TestMain that says that.
func suiteOf(t *testing.T, end string, bodies ...string) (events string) {
	t.Helper()
	events = module(t, "")
	text := "package x\n\nimport (\"fmt\"; \"os\"; \"testing\")\n\nfunc TestMain(m *testing.M) { code := m.Run(); " + end + "; os.Exit(code) }\nvar _ = fmt.Sprint\n"
	for i, body := range bodies {
		text += fmt.Sprintf("func Test%c(t *testing.T) { %s }\n", 'A'+i, body)
	}
	if err := os.WriteFile("more_test.go", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return events
}

func TestWhatFailedOnceMayPassAlone(t *testing.T) {
	once := counted(`if run == 1 { t.Error("stood still") }`)
	always := `t.Error("broken")`
	for name, c := range map[string]struct {
		end    string
		bodies []string
		runs   string // what must be left in the file of runs
		says   string // "" where the whole run passes
	}{
		"once":                              {searched, []string{once, ""}, "....", ""},
		"once and then the fourth time":     {searched, []string{counted(`if run == 1 || run == 4 { t.Error("unsteady") }`)}, "....", "go test"},
		"always":                            {searched, []string{counted(always)}, "..", "go test"},
		"three at once":                     {searched, []string{counted(always), always, always}, ".", "3 tests failed"},
		"with a race":                       {searched, []string{counted(`fmt.Println("WARNING: DATA RACE"); t.Error("raced")`)}, ".", "DATA RACE"},
		"with a panic":                      {searched, []string{counted(`panic("boom")`)}, ".", "panic"},
		"in a suite that found a secret":    {strings.Replace(searched, ": 0 found", ": 1 found", 1), []string{once}, ".", "search for secrets"},
		"in a suite that did not search":    {"", []string{once}, ".", "search for secrets"},
		"no test, but the suite, which did": {searched + `; code = 1`, []string{counted("")}, ".", "0 tests failed"},
	} {
		t.Run(name, func(t *testing.T) {
			events := suiteOf(t, c.end, c.bodies...)
			err := run(events, false, []string{"example.com/m"}, []string{"-count=1", "./..."})
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("ends with %v, want %q", err, c.says)
			}
			if runs, _ := os.ReadFile("runs"); string(runs) != c.runs {
				t.Errorf("it ran %d times, want %d", len(runs), len(c.runs))
			}
			if results, err := testlog.Read(events); c.says == "" && (err != nil || results[testlog.Test{Package: "example.com/m", Name: "TestA"}] != "pass") {
				t.Errorf("read %v, %v", results, err)
			}
		})
	}
}

// A package that was not named has nothing that stands still.
func TestWhatFailedElsewhereHasFailed(t *testing.T) {
	events := suiteOf(t, searched, counted(`if run == 1 { t.Error("wrong") }`))
	if err := run(events, false, []string{"example.com/other"}, []string{"-count=1", "./..."}); err == nil || !strings.Contains(err.Error(), "example.com/m needs nothing that could stand still") {
		t.Errorf("ends with %v", err)
	}
}
