package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

const (
	// patience is how long the collector may take for one batch, repetitions
	// included. What comes meanwhile waits, as far as there is room.
	patience = 10 * time.Second
	// spansWaiting is how many spans may wait for the collector, a batch on
	// its way included.
	spansWaiting = 4096
	// spansTogether is how many are sent at once, and longestWait how long
	// one waits for others.
	spansTogether = 512
	longestWait   = 2 * time.Second
)

// sending hands spans to the SDK's batches and to the exporter behind them, and
// counts those that get no further: the SDK drops without a word.
type sending struct {
	sdk.SpanProcessor
	waiting atomic.Int64
	lost    func(int)
	log     *slog.Logger
	now     func() time.Time
	ended   context.Context // when nobody waits any more
	giveUp  context.CancelFunc
	drained chan struct{} // when nothing is sent any more

	mu   sync.Mutex
	told time.Time
}

func newSending(exporter sdk.SpanExporter, o TracesOptions) *sending {
	s := &sending{lost: o.Lost, log: o.Log, now: o.Now, drained: make(chan struct{})}
	s.ended, s.giveUp = context.WithCancel(context.Background())
	s.SpanProcessor = sdk.NewBatchSpanProcessor(counted{exporter, s}, sdk.WithMaxQueueSize(spansWaiting),
		sdk.WithMaxExportBatchSize(spansTogether), sdk.WithBatchTimeout(longestWait), sdk.WithExportTimeout(patience))
	return s
}

// OnEnd takes a span if there is room. The queue below is as long, so it always
// has room for what is taken here.
func (s *sending) OnEnd(span sdk.ReadOnlySpan) {
	if s.waiting.Add(1) > spansWaiting {
		s.waiting.Add(-1)
		s.lost(1)
		return
	}
	s.SpanProcessor.OnEnd(span)
}

// counted is an exporter whose failures are counted, and told to the log once a
// minute.
type counted struct {
	sdk.SpanExporter
	*sending
}

// Shutdown is called once, after the last export.
func (c counted) Shutdown(ctx context.Context) error {
	defer close(c.drained)
	return c.SpanExporter.Shutdown(ctx)
}

// ExportSpans never fails: whoever is told of it could only write it to stderr.
func (c counted) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ended, cancel)()
	err := c.SpanExporter.ExportSpans(ctx, spans)
	c.waiting.Add(-int64(len(spans)))
	if err != nil {
		c.lost(len(spans))
		c.complain(err)
	}
	return nil
}

func (s *sending) complain(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); now.Sub(s.told) > time.Minute {
		s.told = now
		s.log.Warn("spans were not sent; decisions are made as ever", "error", err)
	}
}
