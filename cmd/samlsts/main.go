// Command samlsts is AWS STS's AssumeRoleWithSAML in front of an S3 server
// that has only AssumeRole: see package samlsts.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/rolepass/rolepass/samlsts"
)

func main() {
	config := flag.String("config", "", "the configuration `file` (required)")
	ready := flag.Bool("ready", false, "only say, by the exit status, whether one that runs with this configuration takes connections")
	flag.Parse()
	if *config == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do := run
	if *ready {
		do = samlsts.Ready
	}
	if err := do(ctx, *config); err != nil {
		fmt.Fprintln(os.Stderr, "samlsts:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, config string) error {
	server, err := samlsts.Open(config)
	if err != nil {
		return err
	}
	defer server.Close()
	return server.Serve(ctx, func(address string) { fmt.Println("samlsts: listening on", address) })
}
