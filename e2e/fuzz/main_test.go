package main

import (
	"errors"
	"regexp"
	"slices"
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
