package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/config"
)

// Shadow is asked for by its word, is told in capitals, and is never the
// default or what a slip of the hand comes to.
func TestShadowIsAskedForByItsWord(t *testing.T) {
	text, err := os.ReadFile("testdata/rolepass.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]config.Mode{"": config.Enforce, "mode: enforce": config.Enforce, "mode: shadow": config.Shadow} {
		c, err := config.Parse("rolepass.yaml", []byte(strings.Replace(string(text), "mode: enforce", line, 1)), config.ForEnvoy)
		if err != nil {
			t.Fatal(err)
		}
		warned := strings.Contains(c.Warnings.Error(), "SHADOW MODE")
		if c.Mode != want || warned != (want == config.Shadow) {
			t.Errorf("%q: the mode is %q, warned %v", line, c.Mode, warned)
		}
	}
	for _, line := range []string{"mode: Shadow", "mode: on", "mode: true", "mode: ''", "mode:", "mode: observe"} {
		if c, err := config.Parse("rolepass.yaml", []byte(strings.Replace(string(text), "mode: enforce", line, 1)), config.ForEnvoy); err == nil {
			t.Errorf("%q is taken for %q", line, c.Mode)
		}
	}
}
