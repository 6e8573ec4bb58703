package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	pidFile = "demo.pid"
	pollFor = 100 * time.Millisecond
	// endPatience is how long the parts may take to end.
	endPatience = time.Minute
	// tail is how much of a log an error shows, in bytes.
	tail = 4000
)

// claim empties the folder and says in it who is running.
func claim(dir string) error {
	if _, ok := running(dir); ok {
		return errRunning
	}
	kept, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, entry := range kept {
		if entry.Name() == "demo.log" {
			continue // our own, when detached
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, pidFile), []byte(strconv.Itoa(os.Getpid())), 0o600)
}

func release(dir string) {
	_ = os.Remove(filepath.Join(dir, pidFile))
	_ = os.Remove(filepath.Join(dir, "demo.json"))
}

// running gives the process of a demonstration that is alive. A number that
// was given to another program since is not one.
func running(dir string) (pid int, ok bool) {
	text, err := os.ReadFile(filepath.Join(dir, pidFile))
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 || pid == os.Getpid() || syscall.Kill(pid, 0) != nil {
		return 0, false
	}
	command, err := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	return pid, err == nil && strings.Contains(string(command), "demo")
}

// end ends the demonstration that is running; none is fine, too.
func end(ctx context.Context, dir string) error {
	pid, ok := running(dir)
	if !ok {
		fmt.Println("No demonstration is running.")
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("ending the demonstration: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	if err := wait(ctx, func() bool { return syscall.Kill(pid, 0) != nil }); err != nil {
		return fmt.Errorf("process %d did not end in time", pid)
	}
	fmt.Println("The demonstration has ended.")
	return nil
}

// startDetached starts this program again in a session of its own, and returns
// when that is ready.
func startDetached(ctx context.Context, dir string) error {
	if _, ok := running(dir); ok {
		return errRunning
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	program, err := stay(dir)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(dir, "demo.log"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	_ = os.Remove(filepath.Join(dir, "demo.json"))
	child := exec.Command(program, "-dir", dir)
	child.Stdout, child.Stderr = log, log
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	return follow(ctx, dir, child, ended)
}

// stay copies this program to where it can outlive `go run`.
func stay(dir string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(self)
	if err != nil {
		return "", err
	}
	// Beside the folder, which is emptied at the start.
	program := strings.TrimRight(dir, "/") + "-demo"
	_ = os.Remove(program)
	return program, os.WriteFile(program, text, 0o700)
}

// follow shows what the other process says until it is ready or has failed.
func follow(ctx context.Context, dir string, child *exec.Cmd, ended <-chan error) error {
	shown := 0
	tick := time.NewTicker(pollFor)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(filepath.Join(dir, "demo.log"))
		if err == nil && len(text) > shown {
			fmt.Print(string(text[shown:]))
			shown = len(text)
		}
		if _, err := os.Stat(filepath.Join(dir, "demo.json")); err == nil && strings.Contains(string(text), "Ctrl-C") {
			fmt.Println("It runs in the background; make demo-stop ends it.")
			return nil
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(filepath.Join(dir, "demo.log"))
			return fmt.Errorf("the demonstration did not start:\n%s", text[max(0, len(text)-tail):])
		case <-ctx.Done():
			_ = child.Process.Signal(syscall.SIGTERM)
			<-ended
			return errors.New("ended while it started")
		case <-tick.C:
		}
	}
}

func wait(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(pollFor)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
