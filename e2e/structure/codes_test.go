package structure_test

import (
	"os"
	"os/exec"
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
