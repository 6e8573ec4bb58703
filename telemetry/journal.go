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

// waiting and waitingBytes are how much may wait for the disk while it takes as much
// again. A decision never waits for it.
const (
	waiting      = 8192
	waitingBytes = 8 << 20
)

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
		return newJournal(os.Stdout, line, o).begin(), nil
	}
	torn := endsWithinALine(path)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the file that decisions are written to: %w", err)
	}
	j := newJournal(nil, line, o)
	j.out, j.file, j.torn = file, file, torn
	return j.begin(), nil
}

// endsWithinALine says so of a file to which a process before this one wrote that
// was killed, or whose disk was full.
func endsWithinALine(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	var last [1]byte
	_, err = file.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

func newJournal(out io.Writer, line func(*bytes.Buffer, *decision.Event) bool, o JournalOptions) *Journal {
	return &Journal{line: line, out: out, lost: o.Lost, log: o.Log, now: o.Now, some: make(chan struct{}, 1), done: make(chan struct{})}
}

// begin starts the writer.
func (j *Journal) begin() *Journal {
	go j.write()
	return j
}

// Sink records a decision. It never waits for the disk.
func (j *Journal) Sink(e *decision.Event) {
	buffer := buffers.Get().(*bytes.Buffer)
	buffer.Reset()
	if j.line(buffer, e) {
		j.add(buffer.Bytes())
	}
	if buffer.Cap() <= largestSpare {
		buffers.Put(buffer)
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
	case j.next.after > 0 || j.next.records == waiting || j.next.records > 0 && len(j.next.lines)+len(line) > waitingBytes:
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

// put writes a batch, and tells what is missing where: at once, or else with what
// comes next.
func (j *Journal) put(b batch) {
	missing := b.before
	for rest := b.lines; len(rest) > 0; {
		some := piece(rest)
		rest = rest[len(some):]
		missing = j.append(missing, some)
	}
	if missing += b.after; missing > 0 {
		missing = j.append(missing, nil)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.next.before += missing
	if cap(b.lines) <= largestSpare {
		j.spare = b.lines
	}
}

// largestSpare bounds what is kept for another line or batch, in bytes.
const largestSpare = 64 << 10

// atOnce is what a pipe takes whole, among what others write to it (PIPE_BUF,
// pipe(7)), less the line of a gap: standard output may be the log's, too.
const atOnce = 4096 - 128

// piece is as many whole lines as go at once, and one at least.
func piece(lines []byte) []byte {
	if end := bytes.LastIndexByte(lines[:min(len(lines), atOnce)], '\n'); end >= 0 {
		return lines[:end+1]
	}
	return lines[:bytes.IndexByte(lines, '\n')+1]
}

// append writes lines, after one that tells how many records are missing before
// them, if any are. It gives how many are missing, and not told of, behind them.
func (j *Journal) append(before int, lines []byte) (missing int) {
	text := lines
	if before > 0 {
		text = append(j.gap(before), lines...)
	}
	n, err := j.writeWhole(text)
	if err == nil {
		return 0
	}
	j.complain(err)
	written := bytes.Count(text[:n], []byte{'\n'})
	if n < len(text) && text[n] == '\n' {
		written++ // what comes next begins with it
	}
	if before > 0 && written > 0 {
		before, written = 0, written-1
	}
	if missing = bytes.Count(lines, []byte{'\n'}) - written; missing > 0 {
		j.lost(missing)
	}
	return before + missing
}

// writeWhole writes after whole lines only: a full disk may have taken a part of
// the one before.
func (j *Journal) writeWhole(text []byte) (n int, err error) {
	if j.torn {
		if _, err := j.out.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
		j.torn = false
	}
	n, err = j.out.Write(text)
	if n > 0 {
		j.torn = text[n-1] != '\n'
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
