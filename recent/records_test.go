package recent_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/recent"
)

func keyOf(n int) (key recent.Key) {
	binary.LittleEndian.PutUint64(key[8:], uint64(n))
	return key
}

// text is what the record of a step holds: nothing that another's does.
func text(step, length int) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("step %08d;", step)), length/14+1)[:length]
}

// Records do what a Map of slices does, wherever they move, in room that keeps to
// what they take, and what has left is nowhere.
func TestRecordsAreAMapOfBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records, want := recent.NewSmallRecords(1000), recent.New[recent.Key, []byte](nil)
		most := rapid.SampledFrom([]int{3, 40, 400}).Draw(t, "keys")
		length := rapid.SampledFrom([]int{60, 300, 3000}).Draw(t, "longest")
		for i, step := range rapid.SliceOfN(rapid.Uint32(), 300, 600).Draw(t, "steps") {
			key := keyOf(int(step>>8) % most)
			switch step % 8 {
			case 0:
				records.Remove(key)
				want.Remove(key)
			case 1:
				records.RemoveOldest()
				want.RemoveOldest()
			case 2:
				got, ok := records.Get(key)
				if record, there := want.Get(key); ok != there || !bytes.Equal(got, record) {
					t.Fatalf("got %.20q, %v; want %.20q, %v", got, ok, record, there)
				}
			default:
				record := text(i, int(step>>4)%length)
				if room := records.Put(key, len(record)); copy(room, record) != len(record) {
					t.Fatalf("room for %d of %d bytes", len(room), len(record))
				}
				want.Put(key, record)
			}
		}
		same(t, records, want)
		onlyThat(t, records, want)
	})
}

func same(t *rapid.T, records *recent.Records, want *recent.Map[recent.Key, []byte]) {
	sum := 0
	for key := range want.Keys() {
		record, _ := want.Peek(key)
		got, ok := records.Peek(key)
		if !ok || !bytes.Equal(got, record) {
			t.Fatalf("%x is %.20q, %v; want %.20q", key, got, ok, record)
		}
		sum += len(record)
	}
	if records.Len() != want.Len() || records.Bytes() < sum || records.Bytes() > sum+40*want.Len() {
		t.Fatalf("%d records of %d bytes, want %d of %d", records.Len(), records.Bytes(), want.Len(), sum)
	}
	next, stop := iter.Pull2(want.All())
	defer stop()
	for key, got := range records.All() {
		if at, record, ok := next(); !ok || key != at || !bytes.Equal(got, record) {
			t.Fatalf("%x comes with %.20q, want %x with %.20q", key, got, at, record)
		}
	}
}

var word = regexp.MustCompile(`step [0-9]{8};`)

// onlyThat looks at each word that stands anywhere: it is of a record that is kept.
func onlyThat(t *rapid.T, records *recent.Records, want *recent.Map[recent.Key, []byte]) {
	kept := map[string]bool{}
	for key := range want.Keys() {
		record, _ := want.Peek(key)
		kept[string(word.Find(record))] = true
	}
	for _, segment := range records.Taken() {
		for _, found := range word.FindAll(segment, -1) {
			if !kept[string(found)] {
				t.Fatalf("%q has left, and is there", found)
			}
		}
	}
}

// As many records leave as come: what is taken for them stays little more than they
// take, an eighth of gaps and the ends of segments.
func TestRecordsTakeLittleMoreThanTheyHold(t *testing.T) {
	const size = 20_000
	records := recent.NewSmallRecords(size)
	for i := range 20_000 {
		length := 200 + i*7919%1000
		copy(records.Put(keyOf(i), length), text(i, length))
		records.Get(keyOf(i - i*31%2000)) // it stays longer than its neighbours
		for records.Len() > 2000 {
			records.RemoveOldest()
		}
		if i%1000 != 999 {
			continue
		}
		taken := 0
		for _, segment := range records.Taken() {
			taken += len(segment)
		}
		if most := records.Bytes()*5/4 + 2*size; taken > most {
			t.Fatalf("after %d, %d records of %d bytes take %d, more than %d", i, records.Len(), records.Bytes(), taken, most)
		}
	}
}

// What was there before does not show in the room for a record.
func TestRoomForARecordIsEmpty(t *testing.T) {
	records := recent.NewSmallRecords(1000)
	for i := range 100 {
		room := records.Put(keyOf(i%7), 20+i)
		if left := bytes.Trim(room, "\x00"); len(left) > 0 {
			t.Fatalf("there is %q in the room for record %d", left, i)
		}
		copy(room, text(i, 20+i))
	}
}

// BenchmarkRecords replaces records among many, as sessions in use do.
func BenchmarkRecords(b *testing.B) {
	records, i := recent.NewRecords(), 0
	for ; i < 100_000; i++ {
		records.Put(keyOf(i), 1300)
	}
	b.ReportAllocs()
	for b.Loop() {
		records.Put(keyOf(i*7919%100_000), 1200+i%200)
		i++
	}
}
