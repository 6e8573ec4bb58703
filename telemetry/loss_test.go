package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
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
		d := &slow{may: make(chan struct{})}
		lost := 0
		a := telemetry.NewAudit(d, options(func(n int) { lost += n }))
		for range 9000 {
			a.Sink(event(decision.Stream))
		}
		close(d.may)
		synctest.Wait()
		if records, missing, _ := counted(d.String()); missing == 0 || missing != lost || records+missing != 9000 {
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
