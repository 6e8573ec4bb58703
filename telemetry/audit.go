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

// AuditOptions are what an Audit needs beside a place to write to.
type AuditOptions struct {
	// Key hashes objects. Required.
	Key []byte
	// Lost is told of records that could not be written. Required.
	Lost func(records int)
	// Log is told of a disk that does not take them. Required.
	Log *slog.Logger
	// Now is the clock. Required.
	Now func() time.Time
}

// Audit writes one JSON line per audited decision, in order, behind a bounded
// queue. Records that do not fit are lost, and that is never silent: they are
// counted, and the audit itself says how many are missing where.
type Audit struct {
	objects *objects
	out     io.Writer
	file    io.Closer // nil for stdout
	lost    func(int)
	log     *slog.Logger
	now     func() time.Time

	// lines writes an event as a line; nil: as none.
	lines func(*decision.Event) []byte

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

// OpenAudit appends to a file, which only its owner may read, or writes to
// standard output where the path is "stdout".
func OpenAudit(path string, o AuditOptions) (*Audit, error) {
	if path == "stdout" {
		return NewAudit(os.Stdout, o), nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the audit file: %w", err)
	}
	a := NewAudit(file, o)
	a.file = file
	return a, nil
}

// NewAudit writes to out.
func NewAudit(out io.Writer, o AuditOptions) *Audit {
	a := &Audit{objects: newObjects(o.Key), out: out, lost: o.Lost, log: o.Log, now: o.Now, queue: make(chan queued, waiting), done: make(chan struct{})}
	a.lines = a.line
	go a.write()
	return a
}

// Sink records a decision. It never waits.
func (a *Audit) Sink(e *decision.Event) {
	line := a.lines(e)
	if line == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		a.lost(1)
		return
	}
	if !a.tellGap() || !a.offer(queued{line: line}) {
		a.missing++
		a.lost(1)
	}
}

// tellGap puts a line where records are missing, if there is room for it.
func (a *Audit) tellGap() bool {
	if a.missing == 0 {
		return true
	}
	if !a.offer(queued{a.gap(), a.missing}) {
		return false
	}
	a.missing = 0
	return true
}

// offer queues a line if there is room.
func (a *Audit) offer(line queued) bool {
	select {
	case a.queue <- line:
		return true
	default:
		return false
	}
}

// gap is the line that stands where records are missing.
func (a *Audit) gap() []byte {
	text, err := json.Marshal(map[string]any{"time": a.now().UTC().Format(time.RFC3339Nano), "kind": "audit_lost", "records": a.missing})
	if err != nil {
		return nil // not for strings and numbers
	}
	return append(text, '\n')
}

// write is the one writer. Where nothing waits, it tells of a gap at once.
func (a *Audit) write() {
	defer close(a.done)
	for line := range a.queue {
		a.put(line)
		if len(a.queue) == 0 {
			a.putGap()
		}
	}
	a.putGap()
}

// putGap tells how many records are missing.
func (a *Audit) putGap() {
	a.mu.Lock()
	told := queued{a.gap(), a.missing}
	a.missing = 0
	a.mu.Unlock()
	if told.gap > 0 {
		a.put(told)
	}
}

// put writes a line. What it tells of is missing if that fails.
func (a *Audit) put(q queued) {
	err := a.append(q.line)
	if err == nil {
		return
	}
	if q.gap == 0 { // else it was counted when it was lost
		a.lost(1)
	}
	a.miss(max(1, q.gap))
	a.complain(err)
}

func (a *Audit) miss(records int) {
	a.mu.Lock()
	a.missing += records
	a.mu.Unlock()
}

// append writes a line after whole lines only: a full disk may have taken a
// part of the one before.
func (a *Audit) append(line []byte) error {
	if a.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := a.out.Write(line)
	if n > 0 {
		a.torn = line[n-1] != '\n'
	}
	return err
}

// complain tells the log, once a minute.
func (a *Audit) complain(err error) {
	if now := a.now(); now.Sub(a.told) > time.Minute {
		a.told = now
		a.log.Error("an audit record could not be written", "error", err)
	}
}

// Close writes what still waits, until ctx ends.
func (a *Audit) Close(ctx context.Context) error {
	a.mu.Lock()
	if !a.closed {
		a.closed = true
		close(a.queue)
	}
	a.mu.Unlock()
	select {
	case <-a.done:
	case <-ctx.Done():
		return errors.New("the audit's last records were not written in time")
	}
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}
