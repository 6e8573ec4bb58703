//go:build idps

package idps

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// abandonedIn names the folder in which this process starts a program as the
// providers are started, to be killed itself.
const abandonedIn = "ROLEPASS_IDPS_ABANDONED"

// abandons starts a program, says which, and waits to be killed.
func abandons(dir string) {
	p, err := starts(dir, "abandoned", nil, "/bin/sh", "-c", "sleep 600 & wait")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("started", p.cmd.Process.Pid)
	select {}
}

// A run that is killed leaves no provider behind, nor what that started.
func TestNothingRunsOnWhenTheRunIsKilled(t *testing.T) {
	killed := exec.Command(os.Args[0])
	killed.Env = append(os.Environ(), abandonedIn+"="+t.TempDir())
	said, err := killed.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = killed.Process.Kill() }()
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	group, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(line), "started "))
	if err != nil || syscall.Kill(-group, 0) != nil {
		t.Fatalf("%q starts nothing (%v)", line, err)
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for syscall.Kill(-group, 0) == nil {
		select {
		case <-tick.C:
		case <-deadline:
			_ = syscall.Kill(-group, syscall.SIGKILL)
			t.Fatal("it runs on")
		}
	}
}
