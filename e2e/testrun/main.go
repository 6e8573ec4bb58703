// Command testrun runs `go test` and says in a few lines how it went: one line
// per package, and the whole output of what failed. All events go to a file,
// which other programs read with package testlog.
//
//	go run ./e2e/testrun -events e2e/artefacts/test.json -alone github.com/rolepass/rolepass/e2e -- -race ./...
//
// It fails when go test fails. Of the packages that -alone names, a test that
// failed is run alone once more (docs/decisions/0043).
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/rolepass/rolepass/e2e/testlog"
)

func main() {
	events := flag.String("events", "", "the file for the events, in a folder that is made if need be")
	progress := flag.Bool("progress", false, "say each test when it begins and when it ends")
	alone := flag.String("alone", "", "packages, with commas between them, that need browsers and other programs: what failed there is run alone")
	flag.Parse()
	if *events == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: testrun -events FILE -- ARGUMENTS OF GO TEST, of which the last is the packages")
		os.Exit(2)
	}
	if err := run(*events, *progress, strings.Split(*alone, ","), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(events string, progress bool, alone, args []string) error {
	if err := os.MkdirAll(filepath.Dir(events), 0o755); err != nil {
		return err
	}
	file, err := os.Create(events)
	if err != nil {
		return err
	}
	defer file.Close()
	how := goTest{args, file, os.Stdout, progress}
	failed := newFailures()
	if err := how.run(failed.add); err != nil {
		if why := failed.alone(how, alone); why != nil {
			return fmt.Errorf("%w: %w", err, why)
		}
	}
	return file.Close()
}

// goTest is how go test is run.
type goTest struct {
	args     []string
	events   io.Writer
	out      io.Writer
	progress bool
}

// run runs it, keeps the events, tells them to a function, and sums them up.
func (g goTest) run(tell func(testlog.Event)) error {
	cmd := exec.Command("go", slices.Concat([]string{"test", "-json"}, g.args)...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting go test: %w", err)
	}
	defer passOn(cmd.Process)()
	s := newSummary(g.out)
	s.progress = g.progress
	readErr := testlog.Each(io.TeeReader(stdout, g.events), func(event testlog.Event) {
		s.add(event)
		tell(event)
	})
	err = cmd.Wait()
	s.end()
	if err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	return readErr
}

// passOn lets go test end itself when we are asked to end. A terminal sends
// its interrupt to both of us.
func passOn(process *os.Process) (stop func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for s := range signals {
			if s == syscall.SIGTERM {
				_ = process.Signal(os.Interrupt)
			}
		}
	}()
	return func() { signal.Stop(signals); close(signals) }
}
