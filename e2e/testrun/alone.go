package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolepass/rolepass/e2e/canary"
	"github.com/rolepass/rolepass/e2e/testlog"
)

// A test that drives a browser and a dozen programs can fail because the machine
// stood still. One that did is run alone, and must pass each time; more than a
// few at once are no accident. See docs/decisions/0043.
const (
	timesAlone = 3
	mostAlone  = 2
)

// failures are what went wrong in one run.
type failures struct {
	tests    []testlog.Test // each of its own, no part of another
	packages []string
	said     map[string]*strings.Builder // by package, of the package itself
	grave    []string                    // what no second run excuses
}

func newFailures() *failures {
	return &failures{said: map[string]*strings.Builder{}}
}

func (f *failures) add(event testlog.Event) {
	switch event.Action {
	case "output":
		f.hears(event)
	case "fail", "build-fail":
		if event.Test == "" {
			f.packages = append(f.packages, event.Package)
		} else if !strings.Contains(event.Test, "/") {
			f.tests = append(f.tests, testlog.Test{Package: event.Package, Name: event.Test})
		}
	}
}

func (f *failures) hears(event testlog.Event) {
	for _, sign := range []string{"WARNING: DATA RACE", "panic: ", "fatal error: "} {
		if strings.HasPrefix(event.Output, sign) {
			f.grave = append(f.grave, event.Package+": "+strings.TrimSpace(event.Output))
		}
	}
	if event.Test == "" {
		if f.said[event.Package] == nil {
			f.said[event.Package] = &strings.Builder{}
		}
		f.said[event.Package].WriteString(event.Output)
	}
}

// excusable says nothing when a run alone may show that the machine was to
// blame, and why not when it may not: every package that failed is one of those,
// failed by its tests only, and its search for secrets came to its end.
func (f *failures) excusable(packages []string) error {
	if len(f.grave) > 0 {
		return fmt.Errorf("no run alone excuses it: %s", f.grave[0])
	}
	if len(f.tests) == 0 || len(f.tests) > mostAlone {
		return fmt.Errorf("%d tests failed; one or %d are run alone", len(f.tests), mostAlone)
	}
	for _, pkg := range f.packages {
		if !slices.Contains(packages, pkg) {
			return fmt.Errorf("%s needs nothing that could stand still", pkg)
		}
		if said := f.said[pkg]; said == nil || !canary.Clean(said.String()) {
			return fmt.Errorf("%s did not come to the end of its search for secrets, or found one", pkg)
		}
		if !slices.ContainsFunc(f.tests, func(t testlog.Test) bool { return t.Package == pkg }) {
			return fmt.Errorf("%s failed, and none of its tests did", pkg)
		}
	}
	return nil
}

// alone runs each test that failed by itself, each time with everything started
// anew.
func (f *failures) alone(how goTest, packages []string) error {
	if err := f.excusable(packages); err != nil {
		return err
	}
	for _, test := range f.tests {
		fmt.Fprintf(how.out, "%s failed. It is run alone, and must pass %d times:\n", test.Name, timesAlone)
		for range timesAlone {
			if err := aloneOnce(how, test); err != nil {
				return err
			}
		}
	}
	for _, test := range f.tests {
		fmt.Fprintf(how.out, "UNSTEADY: %s failed once and passed %d times alone. What it said is above: find out why.\n", test.Name, timesAlone)
	}
	return nil
}

// aloneOnce runs one test. The last argument of a run is its packages.
func aloneOnce(how goTest, test testlog.Test) error {
	passed := false
	how.args = append(slices.Clone(how.args[:len(how.args)-1]), "-run", "^"+test.Name+"$", test.Package)
	err := how.run(func(event testlog.Event) {
		passed = passed || event.Action == "pass" && event.Test == test.Name
	})
	if err == nil && !passed {
		return fmt.Errorf("%s did not run", test.Name)
	}
	return err
}
