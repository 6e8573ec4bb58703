package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	// stopPatience is how long a program may take to end by itself.
	stopPatience = 10 * time.Second
	// pollEvery is how often a program that starts is looked at.
	pollEvery = 50 * time.Millisecond
	// tail is how much of a log an error shows, in bytes.
	tail = 3000
)

// process is one program of the stack, in a process group of its own.
type process struct {
	name   string
	log    string
	admin  string // of a Rolepass
	cmd    *exec.Cmd
	exited chan struct{}
	ending sync.Once
}

// starts runs a program with this environment and nothing else of ours. It is
// in a process group of its own, so that Ctrl-C reaches the stack alone, which
// then ends the parts in order.
func (s *Stack) starts(name string, env []string, program string, args ...string) (*process, error) {
	log := filepath.Join(s.Dir, name+".log")
	output, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	defer output.Close()
	p := &process{name: name, log: log, cmd: exec.Command(program, args...), exited: make(chan struct{})}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.Dir, "LANG=C.UTF-8"}, env...)
	p.cmd.Dir = s.Dir
	p.cmd.Stdout, p.cmd.Stderr = output, output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() { _ = p.cmd.Wait(); close(p.exited) }()
	s.mu.Lock()
	s.processes = append(s.processes, p)
	s.mu.Unlock()
	return p, s.guardian.Watch(p.cmd.Process.Pid)
}

// ends ends the program and whatever it started, once.
func (s *Stack) ends(p *process) {
	p.ending.Do(func() {
		group := p.cmd.Process.Pid
		s.counted(p.admin)
		_ = syscall.Kill(-group, syscall.SIGTERM)
		select {
		case <-p.exited:
		case <-time.After(stopPatience):
		}
		_ = syscall.Kill(-group, syscall.SIGKILL)
		<-p.exited
		_ = s.guardian.Forget(group) // if it is gone, it cannot do harm
	})
}

// kills ends the program at once, once.
func (s *Stack) kills(p *process) {
	p.ending.Do(func() {
		group := p.cmd.Process.Pid
		_ = syscall.Kill(-group, syscall.SIGKILL)
		<-p.exited
		_ = s.guardian.Forget(group)
	})
}

// await asks until the answer is 200, the program ends, or nobody waits.
func (p *process) await(ctx context.Context, address string) error {
	return p.until(ctx, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	})
}

// until asks again and again until there is no error.
func (p *process) until(ctx context.Context, ready func(context.Context) error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended while it started; its log ends with:\n%s", p.name, tailOf(p.log))
		case <-ctx.Done():
			return fmt.Errorf("%s did not become ready (%w; last it said: %v); its log ends with:\n%s", p.name, context.Cause(ctx), err, tailOf(p.log))
		case <-tick.C:
		}
	}
}

func tailOf(log string) []byte {
	text, err := os.ReadFile(log)
	if err != nil {
		return []byte(err.Error())
	}
	return text[max(0, len(text)-tail):]
}

// serves answers on a loopback address within this process.
func (s *Stack) serves(handler http.Handler) (address string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s.servesOn(listener, handler)
	return listener.Addr().String(), nil
}

// named gives the processes with a name, those that have ended too.
func (s *Stack) named(name string) (found []*process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.processes {
		if p.name == name {
			found = append(found, p)
		}
	}
	return found
}
