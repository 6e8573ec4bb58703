// Command peers is another authorization server, for Rolepass's benchmark to ask
// beside Rolepass: OPA's library behind Envoy's ext_authz.
//
//	peers -cookies FILE     # prints its address, and ends with its input
//
// opa-envoy-plugin, which people run, could not be had as a module. This is a
// thin server in its place: it builds the input that the plugin documents out of
// the whole CheckRequest and evaluates a prepared query. It writes no decision
// log, keeps no status and has no bundles, so the plugin costs more than this.
//
// It is a module of its own: what OPA requires is nothing of Rolepass's.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
)

func main() {
	cookies := flag.String("cookies", "", "the `file` with the cookies that are somebody's, one a line")
	flag.Parse()
	if err := run(*cookies); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(cookies string) error {
	text, err := os.ReadFile(cookies)
	if err != nil {
		return err
	}
	policy, err := newPolicy(context.Background(), strings.Fields(string(text)))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	authv3.RegisterAuthorizationServer(server, policy)
	fmt.Println(listener.Addr())
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); server.Stop() }() // ends with whoever started it
	return server.Serve(listener)
}
