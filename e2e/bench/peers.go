package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/proto"
)

// peer is what other servers are asked: what Rolepass is, with the headers as
// Envoy writes them where nobody asks for raw ones, which is what they read.
const peer = "peer"

// peersCommand is how a peer's program is run: it takes the cookies of all
// sessions from a file, and otherwise behaves as our own servers.
func peersCommand(program string, s size) (command []string, done func(), err error) {
	if program == "" {
		return nil, nil, fmt.Errorf("the peers are programs of their own: run make bench-peers")
	}
	all, err := cookies(s.sessions)
	if err != nil {
		return nil, nil, err
	}
	file, err := os.CreateTemp("", "bench-cookies-")
	if err != nil {
		return nil, nil, err
	}
	_, err = file.WriteString(strings.Join(all, "\n"))
	return []string{program, "-cookies", file.Name()}, func() { _ = os.Remove(file.Name()) }, errors.Join(err, file.Close())
}

// peerRequests are the same requests as ours.
func peerRequests(s size) ([][]byte, error) {
	all, err := requests("fetch", s)
	if err != nil {
		return nil, err
	}
	for i, text := range all {
		in := &authv3.CheckRequest{}
		if err := proto.Unmarshal(text, in); err != nil {
			return nil, err
		}
		http := in.GetAttributes().GetRequest().GetHttp()
		http.Headers = map[string]string{}
		for _, h := range http.GetHeaderMap().GetHeaders() {
			http.Headers[h.GetKey()] = string(h.GetRawValue())
		}
		http.HeaderMap = nil
		if all[i], err = proto.Marshal(in); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// names says that a peer's yes is for somebody.
func names(headers []*corev3.HeaderValueOption) bool {
	for _, h := range headers {
		if h.GetHeader().GetKey() == "x-user" && strings.HasPrefix(h.GetHeader().GetValue(), "person-") {
			return true
		}
	}
	return false
}
