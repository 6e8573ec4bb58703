package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	pidFile  = "demo.pid" // locked while a demonstration runs
	demoFile = "demo.json"
	pollFor  = 100 * time.Millisecond
	// endPatience is how long the parts may take to end.
	endPatience = time.Minute
)

// claim says who is running, and empties the folder. The lock lasts as long as
// this process does, however that ends.
func claim(dir string) (lock *os.File, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err = os.OpenFile(filepath.Join(dir, pidFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, errRunning
	}
	err = lock.Truncate(0)
	if err == nil {
		_, err = lock.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	}
	if err == nil {
		err = empty(dir)
	}
	if err != nil {
		release(dir, lock)
		return nil, fmt.Errorf("emptying %s: %w", dir, err)
	}
	return lock, nil
}

// empty removes what an earlier demonstration left, but not the lock, and not
// the log that we are writing to when detached.
func empty(dir string) error {
	kept, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	ours, err := os.Stdout.Stat()
	if err != nil {
		return err
	}
	for _, entry := range kept {
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if entry.Name() == pidFile || os.SameFile(ours, info) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// release leaves the file with the lock where it is, empty: who opens it now
// and who opened it before must mean the same file.
func release(dir string, lock *os.File) {
	_ = os.Remove(filepath.Join(dir, demoFile))
	_ = lock.Truncate(0)
	_ = lock.Close()
}

// running gives the process that holds the lock. A number that an ended
// demonstration left behind, and that may be another program's by now, is none.
func running(dir string) (pid int, ok bool) {
	lock, err := os.Open(filepath.Join(dir, pidFile))
	if err != nil {
		return 0, false
	}
	defer lock.Close()
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return 0, false
	}
	text, err := io.ReadAll(lock)
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	return pid, err == nil && pid > 1
}

// end ends the demonstration that is running; none is fine, too.
func end(ctx context.Context, dir string) error {
	pid, ok := running(dir)
	if !ok {
		_ = os.Remove(filepath.Join(dir, demoFile)) // of one that was killed
		fmt.Println("No demonstration is running.")
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("ending the demonstration: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	if err := wait(ctx, func() bool { _, ok := running(dir); return !ok }); err != nil {
		return fmt.Errorf("the demonstration, process %d, has not ended yet: %w", pid, err)
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
	program, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(dir, "demo.log"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := os.Remove(filepath.Join(dir, demoFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
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

// follow shows what the other process says until it is ready or has failed.
func follow(ctx context.Context, dir string, child *exec.Cmd, ended <-chan error) error {
	log := filepath.Join(dir, "demo.log")
	shown := 0
	show := func() {
		if text, err := os.ReadFile(log); err == nil && len(text) > shown {
			fmt.Print(string(text[shown:]))
			shown = len(text)
		}
	}
	tick := time.NewTicker(pollFor)
	defer tick.Stop()
	for {
		_, missing := os.Stat(filepath.Join(dir, demoFile)) // written last
		show()
		if missing == nil {
			fmt.Println("It runs in the background; make demo-stop ends it.")
			return nil
		}
		select {
		case <-ended:
			show()
			return fmt.Errorf("the demonstration did not start; what it said stands above and in %s", log)
		case <-ctx.Done():
			_ = child.Process.Signal(syscall.SIGTERM)
			<-ended
			return errors.New("ended while it started; nothing is left running")
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
