package server

import (
	"os"
	"runtime/debug"
)

const (
	// gcPercent lets the heap grow to five times what is in use before it is
	// collected. Each Check leaves some kilobytes of garbage and little is in
	// use, so Go's default of 100 collects all the time (docs/performance.md).
	gcPercent = 400
	// besidesMiB is for what does not grow with the state: the program, the
	// application's answers, garbage.
	besidesMiB = 128
)

// opened is how many bytes of credentials are ready for use, in memory beside
// a state of this size. Those of others are opened when they come.
func opened(stateMiB int) int { return stateMiB << 20 / 8 }

// Tune sets the garbage collector's pace, unless the operator has: a small heap
// may grow, and one as large as the configuration allows is collected often
// enough to stay so. What is in use is bounded, so this never has to collect all
// the time: beside the state are an eighth of it for opened credentials and at
// most as much for the index of sessions, and an eighth is room for garbage.
func Tune(stateMiB int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(stateMiB+stateMiB*3/8+besidesMiB) << 20)
	}
}
