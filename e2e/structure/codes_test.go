package structure_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A code that the troubleshooting page explains is one that the code has.
func TestExplainedCodesExist(t *testing.T) {
	text, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("git", "ls-files", "*.go")
	list.Dir = "../.."
	files, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	var source strings.Builder
	for file := range strings.Lines(string(files)) {
		file = strings.TrimSpace(file)
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		content, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(content)
	}
	explained := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, code := range regexp.MustCompile("`([a-z_0-9]+)`").FindAllStringSubmatch(cells[1], -1) {
			explained++
			if !strings.Contains(source.String(), `"`+code[1]+`"`) {
				t.Errorf("docs/troubleshooting.md explains %s, which nothing refuses with", code[1])
			}
		}
	}
	if explained < 20 {
		t.Errorf("%d codes are explained; the page was not read", explained)
	}
}

// Every code with which a login is refused stands in docs/saml.md, with the
// setting that causes it; and nothing else does.
func TestEveryReasonIsExplained(t *testing.T) {
	used := map[string]bool{}
	for _, pattern := range []string{"../../saml/*.go", "../../login/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, code := range regexp.MustCompile(`"(saml_[a-z_0-9]+)"`).FindAllStringSubmatch(string(text), -1) {
				used[code[1]] = true
			}
		}
	}
	text, err := os.ReadFile("../../docs/saml.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| Code | Setting")
	table, _, _ = strings.Cut(table, "\n\n")
	told := map[string]bool{}
	for line := range strings.Lines(table) {
		for _, code := range regexp.MustCompile("`(saml_[a-z_0-9]+)`").FindAllStringSubmatch(strings.Split(line+"||", "|")[1], -1) {
			told[code[1]] = true
		}
	}
	for code := range used {
		if !told[code] {
			t.Errorf("docs/saml.md does not explain %s", code)
		}
	}
	for code := range told {
		if !used[code] {
			t.Errorf("docs/saml.md explains %s, which nothing refuses with", code)
		}
	}
}
