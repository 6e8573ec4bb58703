package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fake is a step that counts how often it is made.
type fake struct {
	made  int
	fails error
	leave bool // leave out the file that must be there
	step
}

func newFake(name string, inputs ...string) *fake {
	f := &fake{}
	f.step = step{name: name, title: name, inputs: inputs, files: []string{"program"}, make: func(_ context.Context, dir string, _ *os.File) error {
		f.made++
		if err := os.WriteFile(filepath.Join(dir, "half"), nil, 0o600); err != nil {
			return err
		}
		if f.fails != nil || f.leave {
			return f.fails
		}
		return os.WriteFile(filepath.Join(dir, "program"), nil, 0o700)
	}}
	return f
}

// installs runs steps as one chain.
func installs(t *testing.T, cache string, steps ...*fake) error {
	t.Helper()
	var chain []step
	for _, f := range steps {
		chain = append(chain, f.step)
	}
	return install(t.Context(), cache, [][]step{chain}, newProgress(io.Discard))
}

func TestWhatIsThereIsNotInstalledAgain(t *testing.T) {
	cache, f := t.TempDir(), newFake("tool", "1.0")
	for range 2 {
		if err := installs(t, cache, f); err != nil {
			t.Fatal(err)
		}
	}
	if f.made != 1 {
		t.Errorf("made %d times", f.made)
	}
}

func TestAChangeInstallsAgain(t *testing.T) {
	cache := t.TempDir()
	if err := installs(t, cache, newFake("tool", "1.0")); err != nil {
		t.Fatal(err)
	}
	stray := filepath.Join(cache, "tool", "stray")
	if err := os.WriteFile(stray, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	newer := newFake("tool", "1.1")
	if err := installs(t, cache, newer); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stray); newer.made != 1 || err == nil {
		t.Errorf("made %d times; what the older version left: %v", newer.made, err)
	}
}

// The stamp holds the folder's own path: a virtual environment cannot move.
func TestAMovedFolderIsInstalledAgain(t *testing.T) {
	parent := t.TempDir()
	if err := installs(t, filepath.Join(parent, "a"), newFake("tool", "1.0")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(parent, "a"), filepath.Join(parent, "b")); err != nil {
		t.Fatal(err)
	}
	f := newFake("tool", "1.0")
	if err := installs(t, filepath.Join(parent, "b"), f); err != nil || f.made != 1 {
		t.Errorf("made %d times, %v", f.made, err)
	}
}

func TestInputsAreNotRunTogether(t *testing.T) {
	if newFake("tool", "ab", "c").stamp("/d") == newFake("tool", "a", "bc").stamp("/d") {
		t.Error("different inputs have one stamp")
	}
}

func TestAFailedInstallIsStartedOver(t *testing.T) {
	cache, f := t.TempDir(), newFake("tool", "1.0")
	f.fails = errors.New("the network is down")
	if err := installs(t, cache, f); err == nil || !strings.Contains(err.Error(), "installing tool: the network is down") {
		t.Fatalf("got %v", err)
	}
	f.fails, f.leave = nil, true
	if err := installs(t, cache, f); err == nil || !strings.Contains(err.Error(), "program is not where it should be") {
		t.Fatalf("got %v", err)
	}
	f.leave = false
	if err := installs(t, cache, f); err != nil || f.made != 3 {
		t.Errorf("made %d times, %v", f.made, err)
	}
}

func TestADeletedProgramIsInstalledAgain(t *testing.T) {
	cache, f := t.TempDir(), newFake("tool", "1.0")
	if err := installs(t, cache, f); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(cache, "tool", "program")); err != nil {
		t.Fatal(err)
	}
	if err := installs(t, cache, f); err != nil || f.made != 2 {
		t.Errorf("made %d times, %v", f.made, err)
	}
}

func TestAChainEndsWithItsFirstFailure(t *testing.T) {
	cache, first, second := t.TempDir(), newFake("first"), newFake("second")
	first.fails = errors.New("no")
	if err := installs(t, cache, first, second); err == nil || second.made != 0 {
		t.Errorf("the second was made %d times, %v", second.made, err)
	}
}

func TestTheFirstFailureEndsTheOthers(t *testing.T) {
	bad := newFake("bad")
	bad.fails = errors.New("no room")
	waits := step{name: "waits", title: "waits", make: func(ctx context.Context, _ string, _ *os.File) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	err := install(t.Context(), t.TempDir(), [][]step{{waits}, {bad.step}}, newProgress(io.Discard))
	if err == nil || !strings.Contains(err.Error(), "installing bad: no room") {
		t.Errorf("got %v", err)
	}
}

// Whatever a program has started holds the pipe; its end is the end of all.
func TestAnInterruptEndsTheProgramsToo(t *testing.T) {
	output, log, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	s := step{name: "slow", title: "slow", make: func(ctx context.Context, _ string, _ *os.File) error {
		defer log.Close()
		return command(ctx, log, os.Environ(), "sh", "-c", "sleep 600 & echo started; wait")
	}}
	ctx, interrupt := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- install(ctx, t.TempDir(), [][]step{{s}}, newProgress(io.Discard)) }()

	if err := output.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() && lines.Text() != "started" {
	}
	interrupt(errors.New("interrupt signal received"))
	if err := <-done; err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("got %v", err)
	}
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("what the program started still runs: %v", err)
	}
}

const patience = 10 * time.Second

func TestAFailingProgramShowsTheEndOfItsLog(t *testing.T) {
	s := step{name: "tool", title: "Tool", make: func(ctx context.Context, _ string, log *os.File) error {
		return command(ctx, log, os.Environ(), "sh", "-c", "for i in $(seq 100); do echo line $i; done; exit 3")
	}}
	cache := t.TempDir()
	err := install(t.Context(), cache, [][]step{{s}}, newProgress(io.Discard))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"installing Tool", "exit status 3", filepath.Join(cache, "logs", "tool.log"), "line 100"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "line 50\n") {
		t.Error("the error has the whole log")
	}
}

func TestProgramsAreNotTurnedElsewhere(t *testing.T) {
	t.Setenv("PYTHONPATH", "/elsewhere")
	t.Setenv("GOFLAGS", "-mod=vendor")
	t.Setenv("KEPT", "yes")
	got := strings.Join(inherited("GOBIN=/here"), "\n") + "\n"
	if strings.Contains(got, "PYTHONPATH") || strings.Contains(got, "GOFLAGS") || !strings.Contains(got, "KEPT=yes\n") || !strings.HasSuffix(got, "GOBIN=/here\n") {
		t.Errorf("the environment is %s", got)
	}
}

func TestASecondInstallWaitsForTheFirst(t *testing.T) {
	cache := t.TempDir()
	unlock, err := lock(t.Context(), cache, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	short, cancel := context.WithTimeout(t.Context(), 3*lockPause)
	defer cancel()
	if _, err := lock(short, cache, &said); err == nil || !strings.Contains(said.String(), "waiting for it") {
		t.Fatalf("two installs at once: %v, said %q", err, said.String())
	}
	unlock()
	again, err := lock(t.Context(), cache, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	again()
}
