//go:build idps

package idps

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rolepass/rolepass/e2e/stack"
)

// startPatience bounds the start of one identity provider.
const startPatience = 5 * time.Minute

// program is one that we started, in a process group of its own.
type program struct {
	cmd    *exec.Cmd
	log    string
	exited chan struct{}
}

func starts(dir, name string, env []string, path string, args ...string) (*program, error) {
	p := &program{cmd: exec.Command(path, args...), log: filepath.Join(dir, name+".log"), exited: make(chan struct{})}
	output, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, output, output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() { _ = p.cmd.Wait(); close(p.exited) }()
	g, err := guardian()
	if err != nil {
		p.stop()
		return nil, err
	}
	return p, g.Watch(p.cmd.Process.Pid)
}

// guardian ends Keycloak and PHP when this process is killed.
var guardian = sync.OnceValues(stack.NewGuardian)

func (p *program) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(15 * time.Second):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // and what it started
	<-p.exited
	if g, err := guardian(); err == nil {
		_ = g.Forget(p.cmd.Process.Pid) // if it is gone, it cannot do harm
	}
}

// await asks until the answer is 200.
func (p *program) await(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := get(ctx, address); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return fmt.Errorf("it ended while it started:\n%s", tail(p.log))
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer:\n%s", address, tail(p.log))
		}
	}
}

func tail(log string) []byte {
	text, err := os.ReadFile(log)
	if err != nil {
		return []byte(err.Error())
	}
	return text[max(0, len(text)-3000):]
}

// get gives the body of an answer with status 200.
func get(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %.300s", address, response.Status, body)
	}
	return body, err
}

// freePort is a port below those that systems give to connections.
func freePort(from int) int {
	for port := from; ; port++ {
		if stack.PortFree(port) {
			return port
		}
	}
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
