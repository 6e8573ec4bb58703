package envoytest_test

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// floors are the first releases of each line without the known holes in
// ext_authz and in what it stands on (CVE-2026-73547 and others).
var floors = map[int]int{36: 10, 37: 6, 38: 4, 39: 1}

// T-DEP-01.
func TestEnvoyIsAboveTheAdvisories(t *testing.T) {
	for _, binary := range []string{envoyBinary(t), oldest(t)} {
		out, err := exec.Command(binary, "--version").Output()
		if err != nil {
			t.Fatal(err)
		}
		version := regexp.MustCompile(`/1\.(\d+)\.(\d+)/`).FindStringSubmatch(string(out))
		if version == nil {
			t.Fatalf("%s says %q", binary, out)
		}
		minor, _ := strconv.Atoi(version[1])
		patch, _ := strconv.Atoi(version[2])
		if floor, known := floors[minor]; minor < 36 || known && patch < floor {
			t.Errorf("%s is 1.%d.%d, which has known holes", binary, minor, patch)
		}
	}
}

// What is shown with the newest Envoy holds with the oldest that is supported.
func TestTheOldestEnvoyToo(t *testing.T) {
	if os.Getenv("ROLEPASS_ENVOY") == oldest(t) {
		return // this is that run
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.count=1", "-test.skip=^TestAttaching|UnderLoad$") // which say nothing about a version, or cost too much
	again.Env = append(os.Environ(), "ROLEPASS_ENVOY="+oldest(t))
	if out, err := again.CombinedOutput(); err != nil {
		t.Errorf("with %s: %v\n%s", oldest(t), err, strings.TrimSpace(string(out)))
	}
}

func oldest(t *testing.T) string {
	t.Helper()
	binary := os.Getenv("ROLEPASS_ENVOY_OLDEST")
	if binary == "" {
		t.Fatal("ROLEPASS_ENVOY_OLDEST does not name an Envoy binary: run through make test")
	}
	return binary
}
