package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/rolepass/rolepass/decision"
)

// waiting is how many records may wait for the disk. A decision never does.
const waiting = 8192

// JournalOptions are what a Journal needs beside a place to write to.
type JournalOptions struct {
	// Lost is told of records that could not be written. Required.
	Lost func(records int)
	// Log is told of a disk that does not take them. Required.
	Log *slog.Logger
	// Now is the clock. Required.
	Now func() time.Time
}

// Journal writes one JSON line per event that it is for, in order, behind a
// bounded queue. Records that do not fit are lost, and that is never silent: they
// are counted, and the journal itself says how many are missing where.
type Journal struct {
	// line writes an event as a line; nil: as none.
	line func(*decision.Event) []byte
	out  io.Writer
	file io.Closer // nil for stdout
	lost func(int)
	log  *slog.Logger
	now  func() time.Time

	mu      sync.Mutex
	closed  bool
	missing int // since the last line about it
	queue   chan queued
	done    chan struct{}

	// Only the writer uses these.
	torn bool      // the last line was written in part
	told time.Time // when the log was last told
}

// queued is a line that waits: one record, or what tells of a gap.
type queued struct {
	line []byte
	gap  int // how many records are missing; 0 for a record
}

// openJournal appends to a file, which only its owner may read, or writes to
// standard output where the path is "stdout".
func openJournal(path string, line func(*decision.Event) []byte, o JournalOptions) (*Journal, error) {
	if path == "stdout" {
		return newJournal(os.Stdout, line, o), nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the file that decisions are written to: %w", err)
	}
	j := newJournal(file, line, o)
	j.file = file
	return j, nil
}

func newJournal(out io.Writer, line func(*decision.Event) []byte, o JournalOptions) *Journal {
	j := &Journal{line: line, out: out, lost: o.Lost, log: o.Log, now: o.Now, queue: make(chan queued, waiting), done: make(chan struct{})}
	go j.write()
	return j
}

// Sink records a decision. It never waits.
func (j *Journal) Sink(e *decision.Event) {
	line := j.line(e)
	if line == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		j.lost(1)
		return
	}
	if !j.tellGap() || !j.offer(queued{line: line}) {
		j.missing++
		j.lost(1)
	}
}

// tellGap puts a line where records are missing, if there is room for it.
func (j *Journal) tellGap() bool {
	if j.missing == 0 {
		return true
	}
	if !j.offer(queued{j.gap(), j.missing}) {
		return false
	}
	j.missing = 0
	return true
}

// offer queues a line if there is room.
func (j *Journal) offer(line queued) bool {
	select {
	case j.queue <- line:
		return true
	default:
		return false
	}
}

// gap is the line that stands where records are missing.
func (j *Journal) gap() []byte {
	text, err := json.Marshal(map[string]any{"time": j.now().UTC().Format(time.RFC3339Nano), "kind": "audit_lost", "records": j.missing})
	if err != nil {
		return nil // not for strings and numbers
	}
	return append(text, '\n')
}

// write is the one writer. Where nothing waits, it tells of a gap at once.
func (j *Journal) write() {
	defer close(j.done)
	for line := range j.queue {
		j.put(line)
		if len(j.queue) == 0 {
			j.putGap()
		}
	}
	j.putGap()
}

// putGap tells how many records are missing.
func (j *Journal) putGap() {
	j.mu.Lock()
	if j.missing == 0 { // as after nearly every record
		j.mu.Unlock()
		return
	}
	told := queued{j.gap(), j.missing}
	j.missing = 0
	j.mu.Unlock()
	j.put(told)
}

// put writes a line. What it tells of is missing if that fails.
func (j *Journal) put(q queued) {
	err := j.append(q.line)
	if err == nil {
		return
	}
	if q.gap == 0 { // else it was counted when it was lost
		j.lost(1)
	}
	j.miss(max(1, q.gap))
	j.complain(err)
}

func (j *Journal) miss(records int) {
	j.mu.Lock()
	j.missing += records
	j.mu.Unlock()
}

// append writes a line after whole lines only: a full disk may have taken a
// part of the one before.
func (j *Journal) append(line []byte) error {
	if j.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := j.out.Write(line)
	if n > 0 {
		j.torn = line[n-1] != '\n'
	}
	return err
}

// complain tells the log, once a minute.
func (j *Journal) complain(err error) {
	if now := j.now(); now.Sub(j.told) > time.Minute {
		j.told = now
		j.log.Error("a record of a decision could not be written", "error", err)
	}
}

// Close writes what still waits, until ctx ends.
func (j *Journal) Close(ctx context.Context) error {
	j.mu.Lock()
	if !j.closed {
		j.closed = true
		close(j.queue)
	}
	j.mu.Unlock()
	select {
	case <-j.done:
	case <-ctx.Done():
		return errors.New("the last records of decisions were not written in time")
	}
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
