// Command fuzz runs every fuzz target of the module for a while, two at a
// time:
//
//	go run ./e2e/fuzz -each 10s
//	go run ./e2e/fuzz -each 60s -only FuzzForgery
//
// A target that finds something fails the run; go test has then written what it
// found below testdata/fuzz, where it stays as a test.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// atOnce is how many targets run at the same time, each on one processor.
const atOnce = 2

// target is one fuzz target.
type target struct{ pkg, name string }

// result is what became of one.
type result struct {
	target
	took, cpu time.Duration
	execs     string
	err       error
	output    string
}

func main() {
	each := flag.Duration("each", 10*time.Second, "for how `long` each target runs")
	only := flag.String("only", ".", "run the targets whose name matches this `pattern`")
	flag.Parse()
	targets, err := list(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
	results := make(chan result)
	var waiting sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, t := range targets {
		waiting.Go(func() {
			slots <- struct{}{}
			results <- run(t, *each)
			<-slots
		})
	}
	go func() { waiting.Wait(); close(results) }()
	if !report(results) {
		os.Exit(1)
	}
}

// list finds the targets in the source, so that nothing has to be built that
// has none.
func list(only string) ([]target, error) {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return nil, fmt.Errorf("-only: %w", err)
	}
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}|{{.Dir}}", "github.com/rolepass/rolepass/...").Output()
	if err != nil {
		return nil, fmt.Errorf("listing the packages: %w", err)
	}
	var targets []target
	for line := range strings.Lines(string(out)) {
		pkg, dir, _ := strings.Cut(strings.TrimSpace(line), "|")
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			targets = append(targets, parse(pkg, string(text), wanted)...)
		}
	}
	return targets, nil
}

var declared = regexp.MustCompile(`(?m)^func (Fuzz[A-Z]\w*)\(\w+ \*testing\.F\)`)

// parse finds the targets of one file.
func parse(pkg, text string, wanted *regexp.Regexp) (targets []target) {
	for _, name := range declared.FindAllStringSubmatch(text, -1) {
		if wanted.MatchString(name[1]) {
			targets = append(targets, target{pkg, name[1]})
		}
	}
	return targets
}

var execs = regexp.MustCompile(`execs: ([0-9]+)`)

// run fuzzes one target. What is new is hardly made smaller: with go test's
// default of a minute for that, a short run would do little else.
func run(t target, each time.Duration) result {
	began := time.Now()
	command := exec.Command("go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", each.String(), "-fuzzminimizetime", "50x", "-parallel", "1", t.pkg)
	out, err := command.CombinedOutput()
	r := result{target: t, took: time.Since(began), err: err, output: string(out)}
	if outOfTime(r.output) {
		r.err = nil
	}
	if usage, is := command.ProcessState.SysUsage().(*syscall.Rusage); is {
		r.cpu = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	if all := execs.FindAllStringSubmatch(r.output, -1); len(all) > 0 {
		r.execs = all[len(all)-1][1]
	}
	return r
}

// overtime is how go test ends, now and then, when the time is over while a
// worker is at work: a failure without a finding.
var overtime = regexp.MustCompile(`(?m)^--- FAIL: \w+ \([0-9.]+s\)\n\s+context deadline exceeded\nFAIL$`)

// outOfTime says that a run failed for that alone: what is found is written
// down, and said.
func outOfTime(output string) bool {
	return overtime.MatchString(output) && !strings.Contains(output, "Failing input") && !strings.Contains(output, "panic")
}

// report prints each result as it comes, and says whether all are good.
func report(results <-chan result) (good bool) {
	good = true
	n, cpu := 0, time.Duration(0)
	for r := range results {
		n, cpu = n+1, cpu+r.cpu
		fmt.Printf("%-28s %-24s %9s inputs %6.1f s (%.1f s CPU)\n", r.name, r.pkg[strings.Index(r.pkg, "rolepass/rolepass/")+len("rolepass/rolepass/"):], r.execs, r.took.Seconds(), r.cpu.Seconds())
		if r.err != nil {
			good = false
			fmt.Printf("%s\n%s: %v\n", r.output, r.name, r.err)
		}
	}
	if n == 0 {
		fmt.Println("no target was run")
		return false
	}
	fmt.Printf("%d targets, %.0f s of processor time\n", n, cpu.Seconds())
	return good
}
