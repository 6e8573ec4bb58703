package main

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheTargetsAreFound reads a file that has two targets, and some words that
// only look like one.
func TestTheTargetsAreFound(t *testing.T) {
	const text = "package x\n\nfunc FuzzOne(f *testing.F) {\n}\n\nfunc FuzzTwo(f *testing.F) {}\n\n// func FuzzThree(f *testing.F)\nfunc Fuzzy(t *testing.T) {}\n\tx := \"func FuzzFour(f *testing.F)\"\n"
	if got, want := parse("m/d", text, regexp.MustCompile(".")), []target{{"m/d", "FuzzOne"}, {"m/d", "FuzzTwo"}}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if got, want := parse("m/d", text, regexp.MustCompile("Two")), []target{{"m/d", "FuzzTwo"}}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if all, err := list("."); err != nil || len(all) < 12 {
		t.Errorf("the module has the targets %v, %v", all, err)
	}
}

// TestARunThatFindsNothingToRunFails, or a mistyped name would pass for a
// clean run; so does one with a finding.
func TestARunThatFindsNothingToRunFails(t *testing.T) {
	for name, c := range map[string]struct {
		results []result
		good    bool
	}{
		"none":      {nil, false},
		"clean":     {[]result{{target: target{"github.com/rolepass/rolepass/saml", "FuzzX"}}}, true},
		"a finding": {[]result{{target: target{"github.com/rolepass/rolepass/saml", "FuzzX"}, err: errors.New("exit status 1")}}, false},
	} {
		results := make(chan result, len(c.results))
		for _, r := range c.results {
			results <- r
		}
		close(results)
		if report(results) != c.good {
			t.Errorf("%s: said to be good: %t", name, !c.good)
		}
	}
}

// A run that fails only because its time is over found nothing; one that wrote
// an input down did.
func TestAFailureWithoutAFinding(t *testing.T) {
	const over = "fuzz: elapsed: 10s, execs: 78408 (9442/sec)\n--- FAIL: FuzzScan (10.13s)\n    context deadline exceeded\nFAIL\nexit status 1\n"
	for output, want := range map[string]bool{
		over: true,
		strings.Replace(over, "    context", "    Failing input written to testdata/x\n    context", 1):       false,
		strings.Replace(over, "context deadline exceeded", "scan_test.go:7: accepted what was not signed", 1): false,
		over + "panic: index out of range": false,
		"ok  \tpkg\t10s\n":                 false,
	} {
		if outOfTime(output) != want {
			t.Errorf("%q: %v", output, !want)
		}
	}
}
