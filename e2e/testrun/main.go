// Command testrun runs `go test` and says in a few lines how it went: one line
// per package, and the whole output of what failed. All events go to a file,
// which other programs read with package testlog.
//
//	go run ./e2e/testrun -events e2e/artefacts/test.json -- -race ./...
//
// It fails when go test fails.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/rolepass/rolepass/e2e/testlog"
)

func main() {
	events := flag.String("events", "", "the file for the events, in a folder that is made if need be")
	progress := flag.Bool("progress", false, "say each test when it begins and when it ends")
	flag.Parse()
	if *events == "" {
		fmt.Fprintln(os.Stderr, "usage: testrun -events FILE -- ARGUMENTS OF GO TEST")
		os.Exit(2)
	}
	if err := run(*events, *progress, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(events string, progress bool, args []string) error {
	if err := os.MkdirAll(filepath.Dir(events), 0o755); err != nil {
		return err
	}
	file, err := os.Create(events)
	if err != nil {
		return err
	}
	defer file.Close()
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting go test: %w", err)
	}
	defer passOn(cmd.Process)()
	s := newSummary(os.Stdout)
	s.progress = progress
	readErr := testlog.Each(io.TeeReader(stdout, file), s.add)
	err = cmd.Wait()
	s.end()
	if err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	return errors.Join(readErr, file.Close())
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
