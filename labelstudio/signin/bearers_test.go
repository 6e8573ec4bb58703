package signin_test

import (
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/rolepass/rolepass/labelstudio/signin"
)

func TestABearerServesForHalfOfItsLife(t *testing.T) {
	now := time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)
	b := signin.NewBearers(signin.Bearer{Key: "key", Now: func() time.Time { return now }, Rand: rand.Reader})
	ask := func(user int64) string {
		t.Helper()
		authorization, err := b.Authorization(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		return authorization.Reveal()
	}
	first := ask(7)
	if ask(8) == first {
		t.Error("two people have one bearer")
	}
	now = now.Add(149 * time.Second)
	if ask(7) != first {
		t.Error("a bearer is made anew within half of its life")
	}
	now = now.Add(time.Second)
	if ask(7) == first {
		t.Error("a bearer goes on beyond half of its life")
	}
	if _, err := b.Authorization(t.Context(), 0); err == nil {
		t.Error("nobody got a bearer")
	}
}

func TestBearersForManyAtOnce(t *testing.T) {
	b := signin.NewBearers(signin.Bearer{Key: "key", Now: time.Now, Rand: rand.Reader})
	var group sync.WaitGroup
	for user := range 8 {
		group.Go(func() {
			for range 50 {
				if _, err := b.Authorization(t.Context(), int64(user+1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkAuthorization(b *testing.B) {
	bearer := signin.Bearer{Key: "key", Now: time.Now, Rand: rand.Reader}
	b.Run("made", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := bearer.Authorization(7); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("kept", func(b *testing.B) {
		bearers := signin.NewBearers(bearer)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := bearers.Authorization(b.Context(), 7); err != nil {
				b.Fatal(err)
			}
		}
	})
}
