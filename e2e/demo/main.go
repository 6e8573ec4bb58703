// Command demo shows Rolepass on this machine: it starts everything that
// belongs to it on loopback, prints an address and accounts, and cleans up
// when it is told to end. `make demo` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// startPatience is how long all parts together may take to start.
	startPatience = 10 * time.Minute
	// wantedPort is where the application is, if nobody else is there.
	wantedPort = 8080
)

func main() {
	detach := flag.Bool("detach", false, "return when everything is ready, and leave it running")
	stop := flag.Bool("stop", false, "end the demonstration that is running")
	dir := flag.String("dir", filepath.Join("e2e", ".run"), "the `folder` for everything that is written")
	flag.Parse()
	if flag.NArg() > 0 || *detach && *stop {
		flag.Usage()
		os.Exit(2)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()
	if err := run(ctx, *dir, *detach, *stop); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, detach, stop bool) error {
	switch {
	case stop:
		return end(ctx, dir)
	case detach:
		return startDetached(ctx, dir)
	}
	return show(ctx, dir)
}

// errRunning says that only one demonstration runs at a time.
var errRunning = errors.New("a demonstration is running already: end it with make demo-stop")
