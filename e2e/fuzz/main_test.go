package main

import (
	"errors"
	"regexp"
	"slices"
	"testing"
)

// TestTheTargetsAreFound reads what go test prints, with packages that have no
// target, one, and two.
func TestTheTargetsAreFound(t *testing.T) {
	const text = "?   \tm/a\t[no test files]\nok  \tm/b\t0.1s\nFuzzOne\nok  \tm/c\t0.1s\nFuzzTwo\nFuzzThree\nok  \tm/d\t0.1s [no tests to run]\n"
	if got, want := parse(text, regexp.MustCompile(".")), []target{{"m/c", "FuzzOne"}, {"m/d", "FuzzTwo"}, {"m/d", "FuzzThree"}}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if got, want := parse(text, regexp.MustCompile("Two")), []target{{"m/d", "FuzzTwo"}}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
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
