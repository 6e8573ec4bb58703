package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// raw hands encoded messages through, so that the client costs little.
type raw struct{}

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

func (raw) Name() string { return "proto" }

// measured is one contestant in one round.
type measured struct {
	requests int
	cpu      float64 // microseconds per request
	p50, p99 time.Duration
	rss      float64 // MiB
}

// ask sends requests for a while, or until there were enough, going on where the
// last call stopped, and checks every hundredth answer.
func ask(address string, p plan, all [][]byte, enough int, next *atomic.Int64, wants func(*authv3.CheckResponse) error) ([]time.Duration, error) {
	var durations []time.Duration
	var problems error
	last := next.Load() + int64(min(enough, math.MaxInt32))
	var mu sync.Mutex
	var group sync.WaitGroup
	ctx, cancel := context.WithTimeout(context.Background(), p.each)
	defer cancel()
	due := p.pace(ctx)
	for range p.conns {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{})))
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		for range p.flight {
			group.Go(func() {
				var own []time.Duration
				var problem error
				for problem == nil && ctx.Err() == nil {
					began, ok := due()
					if !ok {
						break
					}
					n := next.Add(1)
					if n > last {
						break
					}
					var answer []byte
					if problem = conn.Invoke(context.Background(), authv3.Authorization_Check_FullMethodName, all[int(n)%len(all)], &answer); problem == nil {
						own = append(own, time.Since(began))
						if n%100 == 0 {
							problem = verify(answer, wants)
						}
					}
				}
				mu.Lock()
				defer mu.Unlock()
				durations = append(durations, own...)
				problems = errors.Join(problems, problem)
			})
		}
	}
	group.Wait()
	slices.Sort(durations)
	return durations, problems
}

// pace says when the next request is due: at once, or in an open loop at its
// time, from which its latency counts.
func (p plan) pace(ctx context.Context) func() (time.Time, bool) {
	if p.rate == 0 {
		return func() (time.Time, bool) { return time.Now(), true }
	}
	start, every := time.Now(), time.Second/time.Duration(p.rate)
	var n atomic.Int64
	return func() (time.Time, bool) {
		at := start.Add(time.Duration(n.Add(1)) * every)
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		select {
		case <-timer.C:
			return at, true
		case <-ctx.Done():
			return at, false
		}
	}
}

func verify(answer []byte, wants func(*authv3.CheckResponse) error) error {
	out := &authv3.CheckResponse{}
	if err := proto.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("an answer that cannot be read: %w", err)
	}
	return wants(out)
}
