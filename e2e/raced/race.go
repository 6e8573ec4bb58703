//go:build race

package raced

// Room is how many allocations more an operation may take than without the
// race detector.
const Room = 5
