package server

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

const (
	// mostPercent lets a small heap grow to five times what is in use before it is
	// collected. Each Check leaves some kilobytes of garbage and little is in
	// use, so Go's default of 100 collects all the time (docs/performance.md).
	mostPercent = 400
	// garbage is how much a larger heap grows by. A percentage of what is in use
	// would give a hundred thousand sessions a gigabyte of garbage, and save
	// nothing: nearly all that is kept are records, which the collector need not
	// look through (package recent), so a collection costs about as much as with
	// few sessions.
	garbage = 40 << 20
	// leastPercent is for a heap of gigabytes, where so little would be collected
	// too often.
	leastPercent = 10
)

// percent is what the collector is told while so many bytes are in use.
func percent(live uint64) int {
	return int(min(mostPercent, max(leastPercent, garbage*100/max(live, 1))))
}

// keepPace sets the collector's pace, and again after each collection, by what it
// has found in use.
var keepPace = sync.OnceFunc(func() {
	now := mostPercent
	debug.SetGCPercent(now)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	afterCollections(func() {
		metrics.Read(live)
		// Setting it stops the world for a moment: not for a little.
		if to := percent(live[0].Value.Uint64()); to < now*7/8 || to > now*9/8 {
			now = to
			debug.SetGCPercent(now)
		}
	})
})

// afterCollections calls a function after each collection, for good: each finds
// that nothing refers to the sentinel of the one before.
func afterCollections(do func()) {
	type sentinel struct{ _ *int } // a pointer keeps it apart from small objects
	runtime.AddCleanup(&sentinel{}, func(do func()) { do(); afterCollections(do) }, do)
}
