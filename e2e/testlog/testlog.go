// Package testlog reads what `go test -json` wrote: which test of which
// package ended how. It runs nothing and judges nothing.
package testlog

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
)

// Event is one line of `go test -json` (see `go doc test2json`).
type Event struct {
	Time       time.Time
	Action     string // run, output, pass, fail, skip, …
	Package    string
	ImportPath string  // of build output
	Test       string  // "" for the package as a whole
	Elapsed    float64 // seconds
	Output     string
}

// Test names one test: TestName, or TestName/sub.
type Test struct{ Package, Name string }

// Results are the last words on each test, and on each package under the name
// "": pass, fail or skip. A test that never ended is "run".
type Results map[Test]string

// Read reads the events of a file.
func Read(file string) (Results, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the events of the tests, which make test writes: %w", err)
	}
	defer f.Close()
	results := Results{}
	if err := Each(f, results.Add); err != nil {
		return nil, fmt.Errorf("reading the events of the tests in %s: %w", file, err)
	}
	return results, nil
}

// Each calls a function for every event in a stream.
func Each(stream io.Reader, f func(Event)) error {
	decoder := json.NewDecoder(bufio.NewReader(stream))
	for {
		var event Event
		switch err := decoder.Decode(&event); err {
		case nil:
			f(event)
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

// Add takes one event into account.
func (r Results) Add(event Event) {
	switch event.Action {
	case "run", "pass", "fail", "skip":
		if event.Package != "" {
			r[Test{event.Package, event.Test}] = event.Action
		}
	}
}
