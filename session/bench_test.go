package session_test

import (
	"testing"
)

// BenchmarkFind is on the way of every request.
func BenchmarkFind(b *testing.B) {
	w := newWorld(b)
	_, cookie := w.signedIn()
	lines := []string{"csrftoken=abc; theme=dark", cookie}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Find(b.Context(), lines); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFindAmongMany has ten thousand sessions, of which each is asked for
// in turn.
func BenchmarkFindAmongMany(b *testing.B) {
	w := newWorld(b)
	cookies := make([][]string, 10_000)
	for i := range cookies {
		_, cookie := w.signedIn()
		cookies[i] = []string{cookie}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := w.Find(b.Context(), cookies[i%len(cookies)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
