package config

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTheRegionsAreTheSDKs: an SDK that is brought up to date brings its regions.
func TestTheRegionsAreTheSDKs(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "internal/endpoints/awsrulesfn/partitions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var known struct {
		Partitions []struct{ Regions map[string]json.RawMessage }
	}
	if err := json.Unmarshal(text, &known); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, p := range known.Partitions {
		for region := range p.Regions {
			if !strings.HasSuffix(region, "-global") {
				want = append(want, region)
			}
		}
	}
	got := slices.Sorted(slices.Values(regions))
	slices.Sort(want)
	if len(want) < 40 || !slices.Equal(got, want) {
		t.Errorf("the regions are %v, the SDK's are %v", got, want)
	}
}
