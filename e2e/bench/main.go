// Command bench compares what a decision costs: Rolepass beside servers that
// decide nothing, all asked the same by a separate process, one after the
// other in each round. The figure is CPU per request of the server's process,
// and what counts is its ratio to the baseline of the same round.
//
//	go run ./e2e/bench            # forty rounds of a quarter of a second, everything
//	go run ./e2e/bench -set growth  # many sessions, grants and buckets
//	go run ./e2e/bench -set envoy   # through Envoy (make bench-envoy)
//	make bench-peers                # beside what others use
//	go run ./e2e/bench -rounds 1  # does it run
//
// Linux only: it has a clock for the CPU time of another process.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	serve := flag.String("serve", "", "be the server with this `name` (for bench itself)")
	profile := flag.String("profile", "", "write the servers' CPU profiles into this `folder`")
	rounds := flag.Int("rounds", 40, "how many rounds")
	each := flag.Duration("each", 250*time.Millisecond, "how long each is asked in a round")
	conns := flag.Int("conns", 2, "connections")
	flight := flag.Int("flight", 16, "requests under way on each connection")
	rate := flag.Int("rate", 0, "requests per second, open loop; 0: as many as it takes")
	half := flag.Bool("half", false, "open loop at half of what each server did in the first round")
	set := flag.String("set", "decision", "what is compared: decision, growth, peers, or envoy")
	only := flag.String("only", "", "leave out servers, but the baselines, whose name does not contain this `word`")
	plot := flag.String("plot", "", "draw the ratios into this `file`, as SVG")
	flag.StringVar(&spansTo, "spans", "", "the collector's `address`, for -serve")
	peers := flag.String("peers", "", "the `program` of the peers, for -set peers")
	s3 := flag.String("s3", "", "the S3 server's `host`, for -serve")
	flag.Parse()
	var err error
	if *serve != "" {
		err = serveAs(*set, *serve, *profile, *s3)
	} else {
		run := compare
		if *set == "envoy" {
			run = compareProxies
		}
		err = run(plan{rounds: *rounds, each: *each, conns: *conns, flight: *flight, rate: *rate, half: *half, profiles: *profile, set: *set, only: *only, plot: *plot, peers: *peers})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
