// Command rolepass gives each person who opens Label Studio exactly the S3
// data that their SAML role allows. It answers Envoy's external authorization
// calls, and has the small tools that its operators need.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(status)
}
