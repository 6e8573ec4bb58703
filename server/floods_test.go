package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rolepass/rolepass/decision"
)

// T-DOS-09 (GO-2026-6061, CVE-2023-44487): frames by the ten thousand on one
// connection to the door neither keep others from their answers nor stay in
// memory.
func TestFloodsAtTheDoor(t *testing.T) {
	for name, flood := range map[string]func(*http2.Framer, uint32) error{
		"rapid resets": func(f *http2.Framer, i uint32) error {
			if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: check(), EndHeaders: true}); err != nil {
				return err
			}
			return f.WriteRSTStream(2*i+1, http2.ErrCodeCancel)
		},
		"settings": func(f *http2.Framer, i uint32) error {
			return f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<16 + i})
		},
		"pings": func(f *http2.Framer, i uint32) error { return f.WritePing(false, [8]byte{byte(i)}) },
		"continuations": func(f *http2.Framer, i uint32) error {
			if i == 0 {
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: check()})
			}
			return f.WriteContinuation(1, false, encoded("x-more", strings.Repeat("a", 1000)))
		},
		"streams that stay open": func(f *http2.Framer, i uint32) error {
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: check(), EndHeaders: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			address := door(t)
			client := authv3.NewAuthorizationClient(dialled(t, address))
			ended := make(chan struct{})
			go func() { defer close(ended); floods(t, address, flood) }()
			asked := 0
			for going := true; going; asked++ {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				out, err := client.Check(ctx, &authv3.CheckRequest{})
				cancel()
				if err != nil || out.GetDeniedResponse() == nil {
					t.Fatalf("Check %d during the flood: %v, %v", asked, out, err)
				}
				select {
				case <-ended:
					going = false
				default:
				}
			}
			var after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&after)
			if after.HeapAlloc > 200<<20 {
				t.Errorf("%d MiB are in use after the flood", after.HeapAlloc>>20)
			}
			t.Logf("%d Checks answered meanwhile", asked)
		})
	}
}

// door serves Check as Rolepass does.
func door(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewGRPC(func(context.Context, decision.Request) decision.Decision { return decision.Decision{} }, true)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

func dialled(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// floods writes frames until the server ends the connection, or until that is
// enough, and reads what it answers.
func floods(t *testing.T, address string, flood func(*http2.Framer, uint32) error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	framer := http2.NewFramer(conn, nil)
	if _, err := fmt.Fprint(conn, http2.ClientPreface); err != nil || framer.WriteSettings() != nil {
		t.Error("the connection does not begin")
		return
	}
	for i := range uint32(30_000) {
		if flood(framer, i) != nil {
			return
		}
	}
}

// check is the head of a Check.
func check() []byte {
	return encoded(":method", "POST", ":scheme", "http", ":path", "/envoy.service.auth.v3.Authorization/Check", ":authority", "rolepass", "content-type", "application/grpc", "te", "trailers")
}

func encoded(fields ...string) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return block.Bytes()
}
