//go:build !race

// Package raced says whether the race detector runs. Under it pools lose some
// of what they keep, so tests that count allocations leave room for that.
package raced

// Room is how many allocations more an operation may take than without the
// race detector.
const Room = 0
