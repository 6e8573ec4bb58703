package recent_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/recent"
)

// What was used is passed over once, and what was not leaves first.
func TestWhatWasUsedStaysLonger(t *testing.T) {
	var left []string
	m := recent.New(func(name string, _ int) { left = append(left, name) })
	for i, name := range []string{"a", "b", "c", "d"} {
		m.Put(name, i)
	}
	m.Get("a")
	m.Peek("b")
	m.Get("c")
	for range 5 {
		m.RemoveOldest()
	}
	if want := []string{"b", "d", "a", "c"}; !slices.Equal(left, want) {
		t.Fatalf("left in the order %v, want %v", left, want)
	}
}

// row is what a Map does, written in the plainest way: entries, the oldest first.
type row []struct {
	key, value int
	used       bool
}

func (r *row) find(key int) int {
	for i, e := range *r {
		if e.key == key {
			return i
		}
	}
	return -1
}

func (r *row) remove(i int) { *r = append((*r)[:i:i], (*r)[i+1:]...) }

func (r *row) removeOldest() {
	for len(*r) > 0 && (*r)[0].used {
		first := (*r)[0]
		first.used = false
		*r = append((*r)[1:len(*r):len(*r)], first)
	}
	if len(*r) > 0 {
		r.remove(0)
	}
}

// A Map does what a row does, and tells of each entry that leaves once.
func TestAMapIsARow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want row
		held := map[int]int{}
		m := recent.New(func(key, value int) {
			if was, ok := held[key]; !ok || was != value {
				t.Fatalf("told that %d with %d left; it was %d, %v", key, value, was, ok)
			}
			delete(held, key)
		})
		most := rapid.SampledFrom([]int{3, 40, 1500}).Draw(t, "keys")
		steps := rapid.SliceOfN(rapid.Uint32(), 0, 1500).Draw(t, "steps")
		for _, step := range steps {
			key, value := int(step>>8)%most, int(step)
			i := want.find(key)
			switch step % 8 {
			case 0:
				if m.Remove(key); i >= 0 {
					want.remove(i)
				}
			case 1:
				m.RemoveOldest()
				want.removeOldest()
			case 2, 3:
				got, ok := m.Get(key)
				if ok != (i >= 0) || ok && got != want[i].value {
					t.Fatalf("%d is %d, %v; want %v", key, got, ok, i >= 0)
				}
				if ok {
					want[i].used = true
				}
			default:
				m.Put(key, value)
				if i >= 0 {
					want.remove(i)
				}
				want = append(want, row{{key, value, false}}...)
				held[key] = value
			}
		}
		keys := []int{}
		for _, e := range want {
			keys = append(keys, e.key)
		}
		if key, value, ok := m.Oldest(); ok != (len(want) > 0) || ok && (key != want[0].key || value != want[0].value) {
			t.Fatalf("the oldest is %d, %d, %v, of %v", key, value, ok, want)
		}
		if got := slices.AppendSeq([]int{}, m.Keys()); !slices.Equal(got, keys) || m.Len() != len(keys) || len(held) != len(keys) {
			t.Fatalf("holds %v, want %v", got, keys)
		}
	})
}
