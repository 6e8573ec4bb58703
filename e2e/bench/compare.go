package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"golang.org/x/sys/unix"
)

// plan is how the contestants are asked.
type plan struct {
	rounds        int
	each          time.Duration
	conns, flight int
	rate          int
	half          bool
	set           string
	only          string // a word in the name, or none
	plot          string // a file, or none
	profiles      string // a folder, or none
	peers         string // the program of the peers
}

// running is one server process.
type running struct {
	contestant
	cmd      *exec.Cmd
	address  string
	input    io.Closer // ends it
	requests [][]byte
	next     atomic.Int64 // of the requests, over all rounds
	results  []measured
	rate     int // of requests a second, if it has one of its own
}

// compare starts all servers and asks them in turn, round by round.
func compare(p plan) error {
	var all []*running
	defer func() {
		for _, r := range all {
			_ = r.input.Close()
			_ = r.cmd.Wait()
		}
	}()
	spans, end, err := collect()
	if err != nil {
		return err
	}
	defer end()
	for i, c := range sets[p.set] {
		if i > 1 && !strings.Contains(c.name, p.only) {
			continue
		}
		r, err := start(p, c, "-spans", spans)
		if err != nil {
			return fmt.Errorf("starting %s: %w", c.name, err)
		}
		all = append(all, r)
	}
	for round := range p.rounds + 1 { // the first warms up
		for _, r := range all {
			m, err := r.measure(p)
			if err != nil {
				return fmt.Errorf("asking %s: %w", r.name, err)
			}
			if round > 0 {
				r.results = append(r.results, m)
			} else if p.half {
				r.rate = int(float64(m.requests) / p.each.Seconds() / 2)
			}
		}
		fmt.Fprintf(os.Stderr, "\rround %d of %d ", round, p.rounds)
	}
	fmt.Fprintln(os.Stderr)
	report(p, all)
	if p.plot != "" {
		return plot(p.plot, all)
	}
	return nil
}

func start(p plan, c contestant, more ...string) (*running, error) {
	command, done, err := c.command(p, more)
	if err != nil {
		return nil, err
	}
	defer done()
	r := &running{contestant: c, cmd: exec.Command(command[0], command[1:]...)}
	r.cmd.Stderr = os.Stderr
	if r.input, err = r.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, err
	}
	r.address = strings.TrimSpace(line)
	if c.asks == peer {
		r.requests, err = peerRequests(c.size)
	} else {
		r.requests, err = requests(c.asks, c.size)
	}
	if err != nil {
		return nil, err
	}
	// Each request once: what is compared afterwards is what is known.
	_, err = ask(r.address, plan{each: time.Hour, conns: p.conns, flight: p.flight}, r.requests, len(r.requests), &r.next, r.right)
	return r, err
}

// command is this program, as a server, or a peer's.
func (c contestant) command(p plan, more []string) (command []string, done func(), err error) {
	if c.asks == peer {
		return peersCommand(p.peers, c.size)
	}
	self, err := os.Executable()
	return append([]string{self, "-serve", c.name, "-set", cmp.Or(p.set, "decision"), "-profile", p.profiles}, more...), func() {}, err
}

func (r *running) measure(p plan) (measured, error) {
	if r.rate > 0 {
		p.rate = r.rate
	}
	before, err := cpu(r.cmd.Process.Pid)
	if err != nil {
		return measured{}, err
	}
	took, err := ask(r.address, p, r.requests, math.MaxInt, &r.next, r.right)
	if err != nil {
		return measured{}, err
	}
	after, err := cpu(r.cmd.Process.Pid)
	if err != nil || len(took) == 0 {
		return measured{}, fmt.Errorf("nothing was answered (%w)", err)
	}
	return measured{requests: len(took), cpu: float64((after - before).Microseconds()) / float64(len(took)), p50: took[len(took)/2], p99: took[len(took)*99/100], rss: rss(r.cmd.Process.Pid)}, nil
}

// right says whether an answer is one of the right kind.
func (r *running) right(out *authv3.CheckResponse) error {
	if out.GetOkResponse() == nil {
		return fmt.Errorf("a refusal: %v", out.GetDeniedResponse().GetStatus())
	}
	if r.asks == peer && !names(out.GetOkResponse().GetHeaders()) {
		return fmt.Errorf("a yes for nobody")
	}
	if !strings.HasPrefix(r.name, "rolepass") {
		return nil
	}
	for _, h := range out.GetOkResponse().GetHeaders() {
		if strings.HasPrefix(r.asks, "fetch") && h.GetHeader().GetKey() == ":path" && strings.Contains(h.GetHeader().GetValue(), "X-Amz-Signature=") {
			return nil
		}
		if strings.HasPrefix(r.asks, "pass") && h.GetHeader().GetKey() == "authorization" && strings.HasPrefix(h.GetHeader().GetValue(), "Bearer ") {
			return nil
		}
	}
	return fmt.Errorf("an answer without what it is for")
}

// cpu is the processor time of a process so far, to the nanosecond, by the clock
// that Linux keeps for each (clock_getcpuclockid(3)).
func cpu(pid int) (time.Duration, error) {
	var took unix.Timespec
	err := unix.ClockGettime(int32(^pid<<3|2), &took) // 2: what the scheduler counts
	return time.Duration(took.Nano()), err
}

// rss is the memory that a process has of its own (proc(5), /proc/pid/status),
// in MiB; 0 if it cannot be read.
func rss(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(after + " ? ")[0])
	if err != nil {
		return 0
	}
	return float64(kib) / 1024
}

// report prints medians, and the median of the ratios within each round.
func report(p plan, all []*running) {
	fmt.Printf("%s, %d CPUs, %s; %d rounds of %s, %d connections x %d in flight", runtime.Version(), runtime.NumCPU(), time.Now().Format(time.DateOnly), p.rounds, p.each, p.conns, p.flight)
	switch {
	case p.half:
		fmt.Printf(", half of capacity, open loop")
	case p.rate > 0:
		fmt.Printf(", %d requests/s open loop", p.rate)
	}
	fmt.Printf("\n\n| Server | CPU µs/request | ÷ the first | ÷ the second | requests/s | p50 | p99 | RSS MiB |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range all {
		fmt.Printf("| %s | %.1f | %.2f | %.2f | %.0f | %s | %s | %.0f |\n", r.name,
			median(len(r.results), func(i int) float64 { return r.results[i].cpu }),
			median(len(r.results), func(i int) float64 { return r.results[i].cpu / all[0].results[i].cpu }),
			median(len(r.results), func(i int) float64 { return r.results[i].cpu / all[1].results[i].cpu }),
			median(len(r.results), func(i int) float64 { return float64(r.results[i].requests) / p.each.Seconds() }),
			time.Duration(median(len(r.results), func(i int) float64 { return float64(r.results[i].p50) })).Round(10*time.Microsecond),
			time.Duration(median(len(r.results), func(i int) float64 { return float64(r.results[i].p99) })).Round(10*time.Microsecond),
			median(len(r.results), func(i int) float64 { return r.results[i].rss }))
	}
}

func median(n int, of func(int) float64) float64 {
	values := make([]float64, n)
	for i := range n {
		values[i] = of(i)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
