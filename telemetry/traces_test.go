package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/telemetry"
)

// receiver is a collector: a server of OTLP on loopback.
type receiver struct {
	collector.UnimplementedTraceServiceServer
	address string

	mu       sync.Mutex
	received []*collector.ExportTraceServiceRequest
	asked    metadata.MD
	// hold, when it is set, is waited for before an answer.
	hold chan struct{}
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{address: listener.Addr().String()}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, r)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return r
}

func (r *receiver) Export(ctx context.Context, in *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	r.mu.Lock()
	r.received = append(r.received, in)
	r.asked, _ = metadata.FromIncomingContext(ctx)
	r.mu.Unlock()
	if r.hold != nil {
		select {
		case <-r.hold:
		case <-ctx.Done():
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// spans are all that came, and looks for canaries in every byte of it.
func (r *receiver) spans(t *testing.T) (all []*tracev1.Span) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, in := range r.received {
		text, err := proto.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"canary", "lovelace", strings.Repeat("5e551", 3)} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("a trace shows %s", secret)
			}
		}
		for _, resource := range in.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				all = append(all, scope.Spans...)
			}
		}
	}
	return all
}

// traces sends every decision to the receiver, unless the test says otherwise.
func (r *receiver) traces(t *testing.T, change func(*telemetry.TracesOptions)) *telemetry.Traces {
	t.Helper()
	o := telemetry.TracesOptions{Collector: r.address, Ratio: 1, Key: []byte("a key of the test"), Version: "1.2.3", Log: slog.New(slog.DiscardHandler), Now: now,
		Lost: func(n int) { t.Errorf("%d spans were lost", n) }}
	if change != nil {
		change(&o)
	}
	traces, err := telemetry.NewTraces(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return traces
}

// sent gives the spans of these events.
func sent(t *testing.T, change func(*telemetry.TracesOptions), events ...*decision.Event) []*tracev1.Span {
	t.Helper()
	r := newReceiver(t)
	traces := r.traces(t, change)
	for _, e := range events {
		traces.Sink(e)
	}
	if err := traces.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r.spans(t)
}

// told writes a span as text: name, kind, duration in µs, status, attributes.
func told(s *tracev1.Span) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s %d %s", s.Name, strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_"), (s.EndTimeUnixNano-s.StartTimeUnixNano)/1000, strings.TrimPrefix(s.Status.GetCode().String(), "STATUS_CODE_"))
	for _, a := range s.Attributes {
		if a.Key != "rolepass.object" {
			fmt.Fprintf(&out, " %s=%s%v", a.Key, a.Value.GetStringValue(), map[bool]any{true: a.Value.GetIntValue(), false: ""}[a.Value.GetStringValue() == ""])
		}
	}
	return out.String()
}

// The spans of a fetch for which the application was asked.
func TestWhatATraceSaysOfAFetch(t *testing.T) {
	e := event(decision.Stream)
	e.Steps = []decision.Step{{Kind: decision.StepQuestion, What: "task", Start: now().Add(100 * time.Microsecond), Took: 1300 * time.Microsecond}}
	spans := sent(t, nil, e)
	if len(spans) != 2 {
		t.Fatalf("%d spans", len(spans))
	}
	question, check := spans[0], spans[1]
	if !bytes.Equal(question.ParentSpanId, check.SpanId) || !bytes.Equal(question.TraceId, check.TraceId) || len(check.ParentSpanId) != 0 {
		t.Errorf("the spans do not hang together: %v, %v", question, check)
	}
	if check.StartTimeUnixNano != uint64(now().UnixNano()) || question.StartTimeUnixNano != check.StartTimeUnixNano+100_000 {
		t.Errorf("they began at %d and %d", check.StartTimeUnixNano, question.StartTimeUnixNano)
	}
	if got, want := told(check), "check fetch SERVER 1500 UNSET rolepass.kind=stream rolepass.code=stream http.request.method=GET rolepass.request_id=r-1"+
		" rolepass.role=arn:aws:iam::111122223333:role/radiology rolepass.bucket=imaging rolepass.session=5e5515e5515e rolepass.idp=corp rolepass.grant=1 rolepass.task=7"; got != want {
		t.Errorf("the span is\n%s, want\n%s", got, want)
	}
	if got, want := told(question), "ask the application CLIENT 1300 UNSET rolepass.question=task"; got != want {
		t.Errorf("the span is\n%s, want\n%s", got, want)
	}
}

// A trace and the audit name an object by one hash.
func TestATraceNamesAnObjectAsTheAuditDoes(t *testing.T) {
	for _, a := range sent(t, nil, event(decision.Stream))[0].Attributes {
		if want := audited(t, event(decision.Stream))[0]["object"]; a.Key == "rolepass.object" && a.Value.GetStringValue() == want {
			return
		}
	}
	t.Error("the span does not have the audit's hash")
}

// The spans of a login, with what it waited for.
func TestWhatATraceSaysOfALogin(t *testing.T) {
	e := event(decision.Page)
	e.Page, e.Location.Bucket, e.Task, e.Role, e.Grant = "login", "", 0, "", 0
	e.Steps = []decision.Step{
		{Kind: login.StepSTS, What: "arn:aws:iam::111122223333:role/radiology", Start: now(), Took: time.Millisecond},
		{Kind: login.StepSTS, What: "arn:aws:iam::111122223333:role/other", Code: "sts_refused", Start: now(), Took: 2 * time.Millisecond},
		{Kind: login.StepSignIn, Start: now(), Took: 3 * time.Millisecond},
	}
	var got []string
	for _, s := range sent(t, nil, e) {
		got = append(got, told(s))
	}
	want := []string{
		"AssumeRoleWithSAML CLIENT 1000 UNSET rolepass.role=arn:aws:iam::111122223333:role/radiology",
		"AssumeRoleWithSAML CLIENT 2000 ERROR rolepass.role=arn:aws:iam::111122223333:role/other rolepass.code=sts_refused",
		"sign in to the application CLIENT 3000 UNSET",
		"check login SERVER 1500 UNSET rolepass.kind=page rolepass.code=login http.request.method=GET rolepass.request_id=r-1 rolepass.session=5e5515e5515e rolepass.idp=corp",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the spans are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A login that failed is one, too.
func TestALoginThatFailedIsTracedAsOne(t *testing.T) {
	e := event(decision.Refuse)
	e.Location.Bucket = ""
	e.Refusal = refusal.New(refusal.Unavailable, "app_unavailable", "canary")
	e.Steps = []decision.Step{{Kind: login.StepSignIn, Code: "app_unavailable", Start: now(), Took: time.Second}}
	spans := sent(t, nil, e)
	if got := spans[len(spans)-1].Name; got != "check login" {
		t.Errorf("the span is %q", got)
	}
}

// A refusal is there with its code; its sentence and its cause, which may quote
// somebody, are the audit's. Only a fault is an error.
func TestWhatATraceSaysOfARefusal(t *testing.T) {
	right, fault := event(decision.Refuse), event(decision.Refuse)
	right.Refusal = refusal.New(refusal.Forbidden, "no_grant", "canary").Because(errors.New("canary"))
	fault.Refusal = refusal.New(refusal.Unavailable, "app_unavailable", "canary").Because(errors.New("canary"))
	door := event(decision.Pass)
	door.Door, door.Location.Bucket = labelstudio.DoorStorage, ""
	door.Method, door.RequestID = "G\nET", strings.Repeat("x", 500)
	spans := sent(t, nil, right, fault, door)
	for i, want := range []string{"check fetch SERVER 1500 UNSET rolepass.kind=refuse rolepass.code=no_grant", "check fetch SERVER 1500 ERROR rolepass.kind=refuse rolepass.code=app_unavailable",
		"check side door SERVER 1500 UNSET rolepass.kind=pass rolepass.code=pass http.request.method=G?ET rolepass.request_id=" + strings.Repeat("x", 64) + " "} {
		if got := told(spans[i]); !strings.HasPrefix(got, want) {
			t.Errorf("the span is\n%s, want\n%s…", got, want)
		}
	}
}

func TestOneOfAHundredHasATrace(t *testing.T) {
	n := 0
	spans := sent(t, func(o *telemetry.TracesOptions) {
		o.Ratio, o.Random = 0.01, func() float64 { n++; return float64(n%100) / 100 }
	}, slicesOf(1000, event(decision.Stream))...)
	if len(spans) != 10 {
		t.Errorf("of 1,000 decisions %d have a span", len(spans))
	}
}

func slicesOf(n int, e *decision.Event) (all []*decision.Event) {
	for range n {
		all = append(all, e)
	}
	return all
}

const (
	chosen    = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	notChosen = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

// What the proxy chose counts where the operator says so, and nowhere else.
func TestTheProxysChoice(t *testing.T) {
	for _, c := range []struct {
		name, traceparent string
		follow            bool
		ratio             float64
		spans             int
		joined            bool
	}{
		{"chosen", chosen, true, 0, 1, true},
		{"not chosen", notChosen, true, 1, 0, false},
		{"none: the ratio", "", true, 1, 1, false},
		{"malformed: the ratio", "00-0-0-01", true, 1, 1, false},
		{"malformed: the ratio, too", "00-0-0-01", true, 0, 0, false},
		{"not followed", chosen, false, 0, 0, false},
		{"not followed, and not joined", notChosen, false, 1, 1, false},
	} {
		e := event(decision.Stream)
		e.Traceparent = c.traceparent
		spans := sent(t, func(o *telemetry.TracesOptions) { o.FollowProxy, o.Ratio = c.follow, c.ratio }, e)
		if len(spans) != c.spans {
			t.Errorf("%s: %d spans, want %d", c.name, len(spans), c.spans)
			continue
		}
		if joined := c.spans > 0 && fmt.Sprintf("%x", spans[0].ParentSpanId) == "b7ad6b7169203331"; joined != c.joined {
			t.Errorf("%s: the span's parent is %x", c.name, spans[0].ParentSpanId)
		}
	}
}

// For a decision without a trace nothing is made.
func TestADecisionWithoutATraceCostsNothing(t *testing.T) {
	r := newReceiver(t)
	traces := r.traces(t, func(o *telemetry.TracesOptions) { o.Ratio = 0 })
	e := event(decision.Stream)
	e.Traceparent = chosen
	if got := testing.AllocsPerRun(200, func() { traces.Sink(e) }); got != 0 {
		t.Errorf("it takes %.0f allocations", got)
	}
	if err := traces.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A collector that stands still delays nobody: what does not fit is counted.
func TestASlowCollectorDelaysNoDecision(t *testing.T) {
	r := newReceiver(t)
	r.hold = make(chan struct{})
	defer close(r.hold)
	var lost atomic.Int64
	traces := r.traces(t, func(o *telemetry.TracesOptions) { o.Lost = func(n int) { lost.Add(int64(n)) } })
	const all, room = 10_000, 4096
	for range all {
		traces.Sink(event(decision.Stream)) // returns although nothing was taken
	}
	if got := lost.Load(); got < all-room-512 || got > all-room {
		t.Errorf("%d of %d spans are lost, and there is room for %d", got, all, room)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := traces.Close(ended); err == nil {
		t.Error("closed although spans wait")
	}
}

// A collector that is not there is told of once; what was for it is counted.
func TestACollectorThatIsNotThere(t *testing.T) {
	nowhere, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nowhere.Close()
	var lost atomic.Int64
	var log bytes.Buffer
	r := &receiver{address: nowhere.Addr().String()}
	traces := r.traces(t, func(o *telemetry.TracesOptions) {
		o.Lost, o.Log = func(n int) { lost.Add(int64(n)) }, slog.New(slog.NewJSONHandler(&log, nil))
	})
	for range 1000 {
		traces.Sink(event(decision.Stream))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_ = traces.Close(ctx) // not all were sent
	if lost.Load() != 1000 || strings.Count(log.String(), "spans were not sent") != 1 {
		t.Errorf("%d of 1,000 spans are counted, and the log says %q", lost.Load(), log.String())
	}
}

// The way to the collector is the configuration's alone: no variable of the
// environment adds to what is sent, or leads it elsewhere.
func TestTheEnvironmentSaysNothing(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=canary",
		"OTEL_TRACES_SAMPLER": "always_off", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "1",
	} {
		t.Setenv(name, value)
	}
	r := newReceiver(t)
	traces := r.traces(t, nil)
	traces.Sink(event(decision.Stream))
	if err := traces.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if spans := r.spans(t); len(spans) != 1 || len(spans[0].Attributes) < 8 {
		t.Errorf("the spans are %v", spans)
	}
	if len(r.asked.Get("authorization")) > 0 {
		t.Error("a header of the environment was sent")
	}
}
