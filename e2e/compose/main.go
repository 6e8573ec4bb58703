// Command compose is what docker-compose.yml needs beside the parts of the
// demonstration: it makes certificates and keys, fills the store and Label
// Studio, and, in tests, watches what arrives there. It runs in containers.
//
//	compose prepare | seed | watch | forward FROM TO
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/rolepass/rolepass/e2e/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "compose:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "prepare":
		return stack.Prepare(ctx)
	case len(args) == 1 && args[0] == "seed":
		return stack.Seed(ctx, os.Stdout)
	case len(args) == 1 && args[0] == "watch":
		return stack.Watch(ctx)
	case len(args) == 3 && args[0] == "forward":
		return stack.Forward(ctx, args[1], args[2])
	}
	return errors.New("usage: compose prepare | seed | watch | forward FROM TO")
}
