package structure_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// T-DEP-01: the first releases without the holes that docs/advisories.md names.
func TestLibrariesAreAboveTheAdvisories(t *testing.T) {
	for module, floor := range map[string]string{
		"google.golang.org/grpc":                       "v1.82.1",
		"github.com/russellhaering/goxmldsig":          "v1.6.1",
		"github.com/russellhaering/gosaml2":            "v0.11.0",
		"github.com/golang-jwt/jwt/v5":                 "v5.2.2",
		"github.com/envoyproxy/go-control-plane/envoy": "v1.36.0",
	} {
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", module).Output()
		if err != nil {
			t.Fatalf("go list -m %s: %v", module, err)
		}
		if got := strings.TrimSpace(string(out)); !atLeast(t, got, floor) {
			t.Errorf("%s is %s: take %s or later", module, got, floor)
		}
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.GoVersion}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); !atLeast(t, "v"+got, "v1.26.6") {
		t.Errorf("go.mod wants Go %s: take 1.26.6 or later", got)
	}
}

// atLeast compares versions without pre-releases.
func atLeast(t *testing.T, version, floor string) bool {
	t.Helper()
	parts := func(v string) (n [3]int) {
		found := regexp.MustCompile(`^v(\d+)\.(\d+)\.(\d+)`).FindStringSubmatch(v)
		if found == nil {
			t.Fatalf("%q is no version", v)
		}
		for i := range n {
			n[i], _ = strconv.Atoi(found[i+1])
		}
		return n
	}
	is, least := parts(version), parts(floor)
	for i := range is {
		if is[i] != least[i] {
			return is[i] > least[i]
		}
	}
	return true
}

// T-PATH-04: url.Parse takes //evil/x for a host (CVE-2026-26205). What reads
// request targets does not call it.
func TestTargetsAreNotParsedAsAddresses(t *testing.T) {
	looked := 0
	for _, dir := range []string{"extauthz", "decision", "labelstudio"} {
		files, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			looked++
			if strings.Contains(string(text), "url.Parse(") {
				t.Errorf("%s calls url.Parse: split the target at the first question mark instead", file)
			}
		}
	}
	if looked < 20 {
		t.Errorf("%d files were looked at", looked)
	}
}
