package stack

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

//go:embed guardian.sh
var guardianScript string

// Guardian ends the programs of a stack when this process ends without
// having done so: a test that ran out of time, a kill, a closed terminal. It is
// a shell in a session of its own that waits for the end of its input, which
// comes when we end, however that happens.
type Guardian struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	told io.WriteCloser
}

// NewGuardian starts one, which watches nothing yet.
func NewGuardian() (*Guardian, error) {
	g := &Guardian{cmd: exec.Command("/bin/sh", "-c", guardianScript)}
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var err error
	if g.told, err = g.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting the guardian: %w", err)
	}
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the guardian: %w", err)
	}
	return g, nil
}

// Watch has a process group ended with us.
func (g *Guardian) Watch(group int) error { return g.says("watch", group) }

// Forget is for a group that has ended: its number may be another's soon.
func (g *Guardian) Forget(group int) error { return g.says("forget", group) }

func (g *Guardian) says(word string, group int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := fmt.Fprintln(g.told, word, group); err != nil {
		return fmt.Errorf("telling the guardian: %w", err)
	}
	return nil
}

// Close lets the guardian end what it still watches, and then itself.
func (g *Guardian) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return errors.Join(g.told.Close(), g.cmd.Wait())
}
