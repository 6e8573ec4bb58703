package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rolepass/rolepass/e2e/testlog"
)

// summary turns events into the lines that a person reads.
type summary struct {
	out io.Writer
	// progress says each test of its own when it begins and when it ends.
	progress bool
	output   map[testlog.Test]*strings.Builder // of tests that have not passed
	counts   map[string]int                    // of tests, by how they ended
}

func newSummary(out io.Writer) *summary {
	return &summary{out: out, output: map[testlog.Test]*strings.Builder{}, counts: map[string]int{}}
}

func (s *summary) add(event testlog.Event) {
	key := testlog.Test{Package: event.Package, Name: event.Test}
	if s.progress && event.Test != "" && !strings.Contains(event.Test, "/") {
		s.says(event)
	}
	switch event.Action {
	case "build-output":
		fmt.Fprint(s.out, event.Output)
	case "output":
		if s.output[key] == nil {
			s.output[key] = &strings.Builder{}
		}
		s.output[key].WriteString(event.Output)
	case "pass", "fail", "skip":
		s.ended(key, event)
		delete(s.output, key)
	}
}

func (s *summary) says(event testlog.Event) {
	switch event.Action {
	case "run":
		fmt.Fprintf(s.out, "  %s\n", event.Test)
	case "pass", "fail", "skip":
		fmt.Fprintf(s.out, "  %s: %s, %v\n", event.Test, event.Action, seconds(event.Elapsed))
	}
}

func (s *summary) ended(key testlog.Test, event testlog.Event) {
	if key.Name != "" {
		s.counts[event.Action]++
	}
	output := s.output[key]
	switch {
	case key.Name == "" && !(event.Action == "skip"):
		s.unended(key.Package)
		if event.Action == "fail" && output != nil {
			fmt.Fprint(s.out, output)
		}
		fmt.Fprintf(s.out, "%s  %s  %v\n", event.Action, key.Package, seconds(event.Elapsed))
	case key.Name != "" && event.Action != "pass" && output != nil:
		fmt.Fprint(s.out, output)
	}
}

// unended shows what tests said that had no time to end: one panicked, or the
// deadline passed.
func (s *summary) unended(pkg string) {
	for key, output := range s.output {
		if key.Package == pkg && key.Name != "" {
			fmt.Fprint(s.out, output)
			delete(s.output, key)
		}
	}
}

func (s *summary) end() {
	fmt.Fprintf(s.out, "%d tests passed, %d failed, %d skipped\n", s.counts["pass"], s.counts["fail"], s.counts["skip"])
}

func seconds(n float64) time.Duration {
	return time.Duration(n * float64(time.Second)).Round(100 * time.Millisecond)
}
