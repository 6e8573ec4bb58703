package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// tailLines is how much of a log is shown when its program fails.
const tailLines = 25

// command runs a program with its output going to the log.
func command(ctx context.Context, log *os.File, environment []string, program string, args ...string) error {
	fmt.Fprintf(log, "$ %s %s\n", program, strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = os.TempDir()
	cmd.Env = environment
	cmd.Stdout, cmd.Stderr = log, log
	// A group of its own, so that what it starts ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w; the end of %s:\n%s", program, err, log.Name(), tail(log.Name(), tailLines))
	}
	return nil
}

// inherited is our environment, without what would turn a program to another
// Python or Go, and with what is set here.
func inherited(set ...string) []string {
	var kept []string
	for _, variable := range os.Environ() {
		switch name, _, _ := strings.Cut(variable, "="); name {
		case "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "GOFLAGS", "GOBIN", "GOWORK", "GOOS", "GOARCH":
		default:
			kept = append(kept, variable)
		}
	}
	return append(kept, set...)
}

// tail is the last lines of a file, indented.
func tail(file string, lines int) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return "    " + strings.Join(all[max(0, len(all)-lines):], "\n    ")
}
