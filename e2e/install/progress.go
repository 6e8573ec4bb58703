package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// heartbeatPause is how long there may be no line.
const heartbeatPause = 30 * time.Second

// progress says in lines what is being done. It may be used concurrently.
type progress struct {
	mu      sync.Mutex
	out     io.Writer
	running []string
}

func newProgress(out io.Writer) *progress { return &progress{out: out} }

func (p *progress) begin(title string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, title)
	fmt.Fprintf(p.out, "  installing %s\n", title)
}

func (p *progress) end(title string, took time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = slices.DeleteFunc(p.running, func(t string) bool { return t == title })
	word := "installed"
	if err != nil {
		word = "did not install"
	}
	fmt.Fprintf(p.out, "  %s %s (%v)\n", word, title, took.Round(time.Second))
}

// heartbeat says from time to time what is still being done.
func (p *progress) heartbeat() (stop func()) {
	done := make(chan struct{})
	ticker := time.NewTicker(heartbeatPause)
	start := time.Now()
	go func() {
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				p.still(time.Since(start))
			}
		}
	}()
	return func() { ticker.Stop(); close(done) }
}

func (p *progress) still(since time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.running) > 0 {
		fmt.Fprintf(p.out, "  … %v: still at %s\n", since.Round(time.Second), strings.Join(p.running, ", "))
	}
}
