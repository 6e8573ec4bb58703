package telemetry

import (
	"context"
	"crypto/tls"
	"log/slog"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rolepass/rolepass/decision"
)

// TracesOptions are what Traces need.
type TracesOptions struct {
	// Collector is HOST:PORT of one that speaks OTLP over gRPC. Required.
	Collector string
	// TLS is how it is reached; nil: in the clear.
	TLS *tls.Config
	// Ratio is how many of all decisions have a trace: 0.01 is one of 100.
	Ratio float64
	// FollowProxy takes the trace and the choice of the proxy that asks, where
	// it tells of them.
	FollowProxy bool
	// Key hashes objects, as the audit's does. Required.
	Key []byte
	// Version is Rolepass's own.
	Version string
	// Lost is told of spans that were not sent. Required.
	Lost func(spans int)
	// Log is told of a collector that does not take them. Required.
	Log *slog.Logger
	// Now is the clock. Required.
	Now func() time.Time
	// Random gives numbers from 0 up to 1; by default of math/rand.
	Random func() float64
}

// Traces make spans of decisions, after these were made: one for a decision,
// and one below it for each time that somebody else was waited for. Which
// decisions have a trace is chosen here; for the others nothing is made.
type Traces struct {
	objects *objects
	ratio   float64
	follow  bool
	random  func() float64
	lost    func(int)
	tracer  trace.Tracer
	sending *sending
}

// NewTraces sends to a collector. It connects when there is something to send,
// and works without one: then spans are lost, and counted.
func NewTraces(ctx context.Context, o TracesOptions) (*Traces, error) {
	way := insecure.NewCredentials()
	if o.TLS != nil {
		way = credentials.NewTLS(o.TLS)
	}
	// Everything that the environment could say of the way is said here.
	exporter, err := otlptracegrpc.New(ctx,
		otlptracegrpc.WithEndpoint(o.Collector), otlptracegrpc.WithHeaders(map[string]string{}),
		otlptracegrpc.WithDialOption(grpc.WithTransportCredentials(way), grpc.WithNoProxy()),
		otlptracegrpc.WithTimeout(patience),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: true, InitialInterval: time.Second, MaxInterval: patience, MaxElapsedTime: patience}))
	if err != nil {
		return nil, err
	}
	return newTraces(exporter, o), nil
}

// limits are far above what a span has.
var limits = sdk.SpanLimits{AttributeValueLengthLimit: 1024, AttributeCountLimit: 64, EventCountLimit: 1, LinkCountLimit: 1, AttributePerEventCountLimit: 1, AttributePerLinkCountLimit: 1, AttributeValueDepthLimit: 8}

// scope names who made the spans.
const scope = "github.com/rolepass/rolepass"

func newTraces(exporter sdk.SpanExporter, o TracesOptions) *Traces {
	sending := newSending(exporter, o)
	t := &Traces{objects: newObjects(o.Key), ratio: o.Ratio, follow: o.FollowProxy, random: o.Random, lost: o.Lost, sending: sending}
	if t.random == nil {
		t.random = rand.Float64
	}
	provider := sdk.NewTracerProvider(
		sdk.WithSampler(sdk.AlwaysSample()), // chosen before
		sdk.WithRawSpanLimits(limits),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "rolepass"), attribute.String("service.version", o.Version))),
		sdk.WithSpanProcessor(sending))
	t.tracer = provider.Tracer(scope, trace.WithInstrumentationVersion(o.Version))
	return t
}

// Sink makes the spans of a decision, if it has a trace. It never waits.
func (t *Traces) Sink(e *decision.Event) {
	if t.follow && e.Traceparent != "" {
		if above := parent(e.Traceparent); above.IsValid() {
			if above.IsSampled() {
				t.tell(trace.ContextWithRemoteSpanContext(context.Background(), above), e)
			}
			return
		}
	}
	if t.random() < t.ratio {
		t.tell(context.Background(), e)
	}
}

// parent reads the proxy's span. What else it says of the trace (tracestate) is
// for others.
func parent(text string) trace.SpanContext {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": text})
	return trace.SpanContextFromContext(ctx)
}

// tell makes the spans. Whatever goes wrong here is no decision's business.
func (t *Traces) tell(ctx context.Context, e *decision.Event) {
	defer func() {
		if recover() != nil {
			t.lost(1)
		}
	}()
	ctx, span := t.tracer.Start(ctx, "check "+subject(e), trace.WithTimestamp(e.Time), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(t.attributes(e)...))
	for _, step := range e.Steps {
		_, one := t.tracer.Start(ctx, stepName(step), trace.WithTimestamp(step.Start), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(stepAttributes(step)...))
		failed(one, step.Code)
		one.End(trace.WithTimestamp(step.Start.Add(step.Took)))
	}
	failed(span, unavailableCode(e))
	span.End(trace.WithTimestamp(e.Time.Add(e.Took)))
}

// Close sends what still waits, until ctx ends; the rest is counted as lost.
func (t *Traces) Close(ctx context.Context) error {
	err := t.sending.Shutdown(ctx) // not the provider's, which does nothing once ctx has ended
	t.sending.giveUp()
	<-t.sending.drained
	return err
}
