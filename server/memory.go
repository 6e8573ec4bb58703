package server

import (
	"os"
	"runtime/debug"
)

// besidesMiB is for what does not grow with the state: the program, and garbage.
const besidesMiB = 96

// opened is how many bytes of credentials are ready for use, in memory beside
// a state of this size. Those of others are opened when they come.
func opened(stateMiB int) int { return stateMiB << 20 / 8 }

// openedSessions is the same for sessions, which take a kilobyte each.
func openedSessions(stateMiB int) int { return stateMiB << 10 / 16 }

// answers is how many bytes of the application's answers are kept.
func answers(stateMiB int) int { return min(stateMiB/8, 64) << 20 }

// Tune sets the garbage collector's pace, unless the operator has, and the most
// that the process may take. What is in use is bounded, so the collector never has
// to run all the time: beside the state are the opened credentials and sessions (an
// eighth and a sixteenth of it) and the answers, and an eighth is room for more.
func Tune(stateMiB int) {
	if os.Getenv("GOGC") == "" {
		keepPace()
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(stateMiB+stateMiB*5/16+answers(stateMiB)>>20+besidesMiB) << 20)
	}
}
