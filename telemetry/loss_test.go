package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/telemetry"
)

// disk takes so many whole writes, then a part of one, then none until it is
// mended.
type disk struct {
	out    bytes.Buffer
	whole  int
	part   int
	mended bool
}

func (d *disk) Write(p []byte) (int, error) {
	if d.mended || d.whole > 0 {
		d.whole--
		return d.out.Write(p)
	}
	n, _ := d.out.Write(p[:d.part])
	d.part = 0
	return n, errors.New("no space left on device")
}

// counted gives the records and the missing records of an audit, and how many
// lines are no JSON.
func counted(text string) (records, missing, unreadable int) {
	for line := range strings.Lines(text) {
		var one struct {
			Kind    string
			Records int
		}
		switch err := json.Unmarshal([]byte(line), &one); {
		case err != nil:
			unreadable++
		case one.Kind == "audit_lost":
			missing += one.Records
		default:
			records++
		}
	}
	return
}

// A disk that was full and has room again: the audit says what is missing as
// soon as it can, and a line that was cut spoils no other.
func TestAGapIsToldWhenTheDiskIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{whole: 1, part: 20}
		lost := 0
		a := telemetry.NewAudit(d, options(func(n int) { lost += n }))
		for range 3 { // the first is written, the second in part, the third not at all
			a.Sink(event(decision.Stream))
			synctest.Wait() // until the writer has nothing to do
		}
		if records, missing, _ := counted(d.out.String()); records != 1 || missing != 0 || lost != 2 {
			t.Errorf("%d records, %d missing, %d lost, on a full disk", records, missing, lost)
		}
		d.mended = true
		a.Sink(event(decision.Stream))
		synctest.Wait()
		text := d.out.String()
		if records, missing, unreadable := counted(text); records != 2 || missing != 2 || unreadable != 1 || lost != 2 {
			t.Errorf("%d records, %d missing, %d cut, %d lost, when it is mended:\n%s", records, missing, unreadable, lost, text)
		}
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// What did not fit is told when the queue is empty, though nothing follows.
func TestAGapIsToldThoughNothingFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, lost := newSlow(), 0
		a := atTheDisk(d, func(n int) { lost += n })
		for range 8999 {
			a.Sink(event(decision.Stream))
		}
		close(d.may)
		synctest.Wait()
		if records, missing, _ := counted(d.String()); missing != 9000-8193 || missing != lost || records != 8193 {
			t.Errorf("%d records, %d missing, %d lost, of 9000", records, missing, lost)
		}
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// Many decide at once, and somebody stops Rolepass meanwhile: each record is
// written or counted.
func TestEachRecordIsWrittenOrCounted(t *testing.T) {
	const deciders, decisions = 8, 500
	var out bytes.Buffer
	var lost atomic.Int64
	a := telemetry.NewAudit(&out, options(func(n int) { lost.Add(int64(n)) }))
	metrics := telemetry.NewMetrics()
	var all sync.WaitGroup
	for range deciders {
		all.Go(func() {
			for range decisions {
				e := event(decision.Stream)
				a.Sink(e)
				metrics.Sink(e)
			}
		})
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	records, _, unreadable := counted(out.String())
	if records+int(lost.Load()) != deciders*decisions || unreadable != 0 {
		t.Errorf("%d records, %d lost, %d unreadable, of %d", records, lost.Load(), unreadable, deciders*decisions)
	}
	a.Sink(event(decision.Stream)) // after the end it is counted, too
	if records+int(lost.Load()) != deciders*decisions+1 {
		t.Error("a record after the end is not counted")
	}
}

// fails fails the writes of these numbers, from 1, after so many lines.
type fails struct {
	out   bytes.Buffer
	n     int
	after map[int]int
}

func (f *fails) Write(p []byte) (n int, err error) {
	f.n++
	lines, ok := f.after[f.n]
	if !ok {
		return f.out.Write(p)
	}
	for range lines {
		n += bytes.IndexByte(p[n:], '\n') + 1
	}
	f.out.Write(p[:n])
	return n, errors.New("input/output error")
}

// kinds are what stands in an audit, line by line: the numbers of tasks, or how many
// are missing, below zero.
func kinds(t *testing.T, text string) (all []int) {
	t.Helper()
	for line := range strings.Lines(text) {
		var one struct{ Task, Records int }
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, one.Task-one.Records)
	}
	return all
}

// numbered is the record of a task.
func numbered(task int) *decision.Event {
	e := event(decision.Stream)
	e.Task = int64(task)
	return e
}

// A gap is told where it is: at once if that can be written, and never behind what
// came later.
func TestAGapStandsWhereItIs(t *testing.T) {
	for name, c := range map[string]struct {
		after map[int]int
		want  []int
	}{
		"one write fails":              {map[int]int{1: 0}, []int{-1, 2, 3}},
		"its gap cannot be told":       {map[int]int{1: 0, 2: 0}, []int{-1, 2, 3}},
		"nor can it with the next":     {map[int]int{1: 0, 2: 0, 3: 0, 4: 0}, []int{-2, 3}},
		"one in the middle":            {map[int]int{2: 0}, []int{1, -1, 3}},
		"it is told, the next is not":  {map[int]int{1: 0, 2: 0, 3: 1}, []int{-1, -1, 3}},
		"the last, and Close tells it": {map[int]int{3: 0, 4: 0}, []int{1, 2, -1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &fails{after: c.after}
				a := telemetry.NewAudit(d, options(func(int) {}))
				for i := range 3 {
					a.Sink(numbered(i + 1))
					synctest.Wait()
				}
				if err := a.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := kinds(t, d.out.String()); !slices.Equal(got, c.want) {
					t.Errorf("the audit has %v, want %v", got, c.want)
				}
			})
		})
	}
}

// What did not fit is told behind what did, and before what came later.
func TestWhatDidNotFitIsToldInItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlow()
		a := atTheDisk(d, func(int) {})
		for i := range 9000 {
			a.Sink(numbered(i + 2))
		}
		close(d.may)
		synctest.Wait()
		a.Sink(numbered(10_000))
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := kinds(t, d.String())
		if want := []int{8193, -(9000 - 8192), 10_000}; len(got) != 8195 || !slices.Equal(got[8192:], want) {
			t.Errorf("%d lines, at the end %v; want %v", len(got), got[max(0, len(got)-3):], want)
		}
	})
}

// Standard output and the log may be one pipe, which takes 4 KiB whole: what is
// written at once is whole lines, no more than that.
func TestALogLineCutsNoRecord(t *testing.T) {
	d := newSlow()
	a := atTheDisk(d, never(t))
	for range 100 {
		a.Sink(event(decision.Stream))
	}
	long := event(decision.Stream)
	long.Role = strings.Repeat("r", 5000)
	a.Sink(long) // alone
	close(d.may)
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if records, _, _ := counted(d.String()); records != 102 {
		t.Fatalf("%d records", records)
	}
	for _, one := range d.writes {
		if lines := strings.Count(one, "\n"); !strings.HasSuffix(one, "\n") || len(one) > 4096 && lines > 1 {
			t.Errorf("%d bytes with %d ends of lines are written at once", len(one), lines)
		}
	}
	if len(d.writes) > 25 {
		t.Errorf("%d writes for 102 records", len(d.writes))
	}
}

// Records are bounded in bytes, too.
func TestLongRecordsAreBounded(t *testing.T) {
	d, lost := newSlow(), 0
	a := atTheDisk(d, func(n int) { lost += n })
	long := event(decision.Stream)
	long.Role = strings.Repeat("r", 100_000)
	for range 200 {
		a.Sink(long)
	}
	a.Sink(numbered(12)) // would fit, and does not go before the others
	close(d.may)
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, missing, _ := counted(d.String())
	if records < 80 || records > 90 || missing != lost || records+missing != 202 {
		t.Errorf("%d records of 100 kB, %d missing, %d lost", records, missing, lost)
	}
	if slices.Contains(kinds(t, d.String()), 12) {
		t.Error("a record stands before the gap of those that came before it")
	}
}

// An end that a killed process has left in a file spoils no record.
func TestATornEndOfAFileSpoilsNoRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := os.WriteFile(path, []byte(`{"kind":"str`), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		recordsOne(t, path)
	}
	text, err := os.ReadFile(path)
	if records, _, unreadable := counted(string(text)); err != nil || records != 2 || unreadable != 1 || strings.Contains(string(text), "\n\n") {
		t.Errorf("%d records, %d unreadable, %v:\n%s", records, unreadable, err, text)
	}
}

// A record of which all but its end was written is there, and not missing.
func TestARecordWithoutItsEndIsThere(t *testing.T) {
	d, lost := &disk{}, 0
	a := telemetry.NewAudit(&ending{d}, options(func(n int) { lost += n }))
	a.Sink(event(decision.Stream))
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if records, missing, _ := counted(d.out.String()); records != 1 || missing != 0 || lost != 0 {
		t.Errorf("%d records, %d missing, %d lost: %s", records, missing, lost, d.out.String())
	}
}

// ending takes all but the last byte.
type ending struct{ *disk }

func (e *ending) Write(p []byte) (int, error) {
	n, _ := e.out.Write(p[:len(p)-1])
	return n, errors.New("no space left on device")
}
