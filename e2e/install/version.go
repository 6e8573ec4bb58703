package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// version is the numbers of a version, the largest part first.
type version []int

// parseVersion reads the numbers at the beginning of a version, such as
// "go1.26.8", "3.13.0rc1" (3.13.0) or "15.5". It is nil when there are none.
func parseVersion(text string) version {
	text = strings.TrimPrefix(text, "go")
	var v version
	for part := range strings.SplitSeq(text, ".") {
		digits := part[:len(part)-len(strings.TrimLeft(part, "0123456789"))]
		n, err := strconv.Atoi(digits)
		if err != nil {
			return v
		}
		v = append(v, n)
		if digits != part {
			return v
		}
	}
	return v
}

// atLeast says whether v is w or later. Missing parts are 0; an unknown
// version is later than none.
func (v version) atLeast(w version) bool {
	for i := range max(len(v), len(w)) {
		if a, b := v.part(i), w.part(i); a != b {
			return a > b
		}
	}
	return len(v) > 0
}

func (v version) part(i int) int {
	if i < len(v) {
		return v[i]
	}
	return 0
}

func (v version) String() string {
	var parts []string
	for _, n := range v {
		parts = append(parts, strconv.Itoa(n))
	}
	return strings.Join(parts, ".")
}

// wantedGo is the version in the go line of a go.mod.
func wantedGo(file string) (version, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "go "); ok {
			return parseVersion(strings.TrimSpace(rest)), nil
		}
	}
	return nil, fmt.Errorf("%s has no go line", file)
}
