package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
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

// Journal writes one JSON line per event that it is for, in order. Lines wait,
// bounded in number, while the writer is with those before, and are written
// together: under load a line costs no waking and no system call of its own.
// Records that do not fit are lost, and that is never silent: they are counted, and
// the journal itself says how many are missing where.
type Journal struct {
	// line writes an event as a line, and says whether it is for the journal.
	line func(*bytes.Buffer, *decision.Event) bool
	out  io.Writer
	file io.Closer // nil for stdout
	lost func(int)
	log  *slog.Logger
	now  func() time.Time

	mu     sync.Mutex
	closed bool
	next   batch
	spare  []byte        // of a batch that was written, for another
	some   chan struct{} // next is no longer empty
	done   chan struct{}

	// Only the writer uses these.
	torn bool      // the last line was written in part
	told time.Time // when the log was last told
}

// batch are lines that are written together, and how many records are missing
// before and after them.
type batch struct {
	before  int
	lines   []byte
	records int
	after   int
}

// openJournal appends to a file, which only its owner may read, or writes to
// standard output where the path is "stdout".
func openJournal(path string, line func(*bytes.Buffer, *decision.Event) bool, o JournalOptions) (*Journal, error) {
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

func newJournal(out io.Writer, line func(*bytes.Buffer, *decision.Event) bool, o JournalOptions) *Journal {
	j := &Journal{line: line, out: out, lost: o.Lost, log: o.Log, now: o.Now, some: make(chan struct{}, 1), done: make(chan struct{})}
	go j.write()
	return j
}

// Sink records a decision. It never waits for the disk.
func (j *Journal) Sink(e *decision.Event) {
	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	buffer.Reset()
	if j.line(buffer, e) {
		j.add(buffer.Bytes())
	}
}

// buffers are for a line each, until it is added.
var buffers = sync.Pool{New: func() any { return &bytes.Buffer{} }}

// add lets a line wait, if there is room.
func (j *Journal) add(line []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		j.lost(1)
	case j.next.records == waiting || j.next.after > 0:
		j.next.after++
		j.lost(1)
	default:
		j.next.lines = append(j.next.lines, line...)
		if j.next.records++; j.next.records == 1 {
			j.wake()
		}
	}
}

// wake tells the writer, unless it is told already.
func (j *Journal) wake() {
	select {
	case j.some <- struct{}{}:
	default:
	}
}

// gap is the line that stands where records are missing.
func (j *Journal) gap(missing int) []byte {
	text, err := json.Marshal(map[string]any{"time": j.now().UTC().Format(time.RFC3339Nano), "kind": "audit_lost", "records": missing})
	if err != nil {
		return nil // not for strings and numbers
	}
	return append(text, '\n')
}

// write is the one writer. It lets others go first: what they decide meanwhile
// is in the same batch.
func (j *Journal) write() {
	defer close(j.done)
	for range j.some {
		runtime.Gosched()
		j.put(j.take())
	}
	j.put(j.take())
}

// take begins another batch.
func (j *Journal) take() batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	b := j.next
	j.next = batch{lines: j.spare[:0]}
	j.spare = nil
	return b
}

// put writes a batch, and tells what is missing where.
func (j *Journal) put(b batch) {
	j.tell(b.before)
	if b.records > 0 {
		n, err := j.append(b.lines)
		if err != nil {
			missing := b.records - bytes.Count(b.lines[:n], []byte{'\n'})
			j.lost(missing)
			j.miss(missing, err)
		}
	}
	j.tell(b.after)
	if cap(b.lines) <= largestSpare {
		j.mu.Lock()
		j.spare = b.lines
		j.mu.Unlock()
	}
}

// largestSpare bounds what is kept for another batch, in bytes.
const largestSpare = 64 << 10

// tell writes how many records are missing; they were counted when they were lost.
func (j *Journal) tell(missing int) {
	if missing == 0 {
		return
	}
	if _, err := j.append(j.gap(missing)); err != nil {
		j.miss(missing, err)
	}
}

// miss lets the next batch tell of records that could not be written.
func (j *Journal) miss(records int, err error) {
	j.mu.Lock()
	j.next.before += records
	j.mu.Unlock()
	j.complain(err)
}

// append writes lines after whole lines only: a full disk may have taken a part
// of the one before.
func (j *Journal) append(lines []byte) (n int, err error) {
	if j.torn {
		if _, err := j.out.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
		j.torn = false
	}
	n, err = j.out.Write(lines)
	if n > 0 {
		j.torn = lines[n-1] != '\n'
	}
	return n, err
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
		close(j.some)
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
