package config_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/config"
)

// TestTheFirstConfigurationIsFine: docs/setup.md has one to begin with, which is
// copied before anything else is read.
func TestTheFirstConfigurationIsFine(t *testing.T) {
	page, err := os.ReadFile("../docs/setup.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 1 {
		t.Fatalf("setup.md has %d configurations", len(blocks))
	}
	text := strings.NewReplacer("/etc/rolepass/keys", "keys", "/etc/rolepass/label-studio.secret", "label-studio.secret").Replace(blocks[0][1])
	for _, needs := range []config.Needs{config.Everything, config.ForEnvoy} {
		read, err := load(t, home(t), text, needs)
		if err != nil {
			t.Errorf("it is refused: %v", err)
			continue
		}
		if len(read.Warnings) > 0 {
			t.Errorf("it is warned of: %v", read.Warnings)
		}
	}
}
