package session_test

import (
	"testing"

	"github.com/rolepass/rolepass/e2e/valkeytest"
)

// BenchmarkFind is on the way of every request: with state in memory, and where
// replicas share it, read a moment ago and not.
func BenchmarkFind(b *testing.B) {
	shared, _ := replicas(b, valkeytest.Start(b))
	for _, of := range []struct {
		name string
		*world
		forgets bool
	}{{"memory", newWorld(b), false}, {"shared", shared, false}, {"shared, asked", shared, true}} {
		b.Run(of.name, func(b *testing.B) {
			_, cookie := of.signedIn()
			lines := []string{"csrftoken=abc; theme=dark", cookie}
			b.ReportAllocs()
			for b.Loop() {
				if of.forgets {
					of.passes(believed)
				}
				if _, err := of.Find(b.Context(), lines); err != nil {
					b.Fatal(err)
				}
			}
		})
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
