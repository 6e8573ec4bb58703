package main

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"

	"github.com/rolepass/rolepass/extauthz"
)

// handler takes the place of a server: what it registers is called with nothing
// around it.
type handler struct{ check grpc.MethodHandler }

func (h *handler) RegisterService(desc *grpc.ServiceDesc, _ any) { h.check = desc.Methods[0].Handler }

// BenchmarkCheck is what a server does between reading a message and writing one:
// read, decide, answer. A thousand sessions ask for a thousand objects in turn, as
// in the comparison of servers, so that little of it is in the processor's caches.
func BenchmarkCheck(b *testing.B) {
	for _, of := range []struct {
		name, asks string
		codec      extauthz.Codec
	}{{"fetch", "fetch", extauthz.Codec{}}, {"scanned fetch", "fetch", extauthz.Codec{Scan: true}}, {"pass", "pass", extauthz.Codec{}}, {"scanned pass", "pass", extauthz.Codec{Scan: true}}} {
		b.Run(of.name, func(b *testing.B) {
			w, err := newWorld(usual)
			if err != nil {
				b.Fatal(err)
			}
			var h handler
			extauthz.Register(&h, w.Decide)
			all, err := requests(of.asks, usual)
			if err != nil {
				b.Fatal(err)
			}
			ask := func(n int) {
				out, err := h.check(nil, context.Background(), func(v any) error {
					return of.codec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(all[n%len(all)])}, v)
				}, nil)
				if err != nil {
					b.Fatal(err)
				}
				data, err := of.codec.Marshal(out)
				if err != nil {
					b.Fatal(err)
				}
				data.Free()
			}
			for n := range all {
				ask(n)
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				ask(n)
			}
		})
	}
}
