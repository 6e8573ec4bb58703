package server

import (
	"runtime"
	"runtime/metrics"
	"testing"
)

// However much is in use, a collection comes after about as much garbage: a small
// heap may grow to five times its size, and one of hundreds of megabytes by a part.
func TestAHeapGrowsByAsMuchWhateverIsInUse(t *testing.T) {
	keepPace()
	paced := make(chan struct{}, 1)
	afterCollections(func() {
		select {
		case paced <- struct{}{}:
		default:
		}
	})
	goal := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}, {Name: "/gc/heap/live:bytes"}}
	grows := func(kept int) (by uint64) {
		held := make([]byte, kept)
		for range 3 { // the pace follows the collection that has found it
			runtime.GC()
			<-paced
		}
		metrics.Read(goal)
		runtime.KeepAlive(held)
		return (goal[0].Value.Uint64() - goal[1].Value.Uint64()) >> 20
	}
	for _, kept := range []int{20 << 20, 300 << 20, 20 << 20} {
		if by := grows(kept); by < 25 || by > 70 {
			t.Errorf("with %d MiB in use the heap grows by %d MiB", kept>>20, by)
		}
	}
}

func TestThePaceOfTheCollector(t *testing.T) {
	for live, want := range map[uint64]int{0: 400, 1 << 20: 400, 10 << 20: 400, 40 << 20: 100, 200 << 20: 20, 8 << 30: 10} {
		if got := percent(live); got != want {
			t.Errorf("with %d MiB in use: %d %%, want %d", live>>20, got, want)
		}
	}
}
