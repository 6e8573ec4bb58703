package stack

import (
	"context"
	"encoding/hex"
	"io"
	"net"
	"sync"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
)

// startCollector takes the spans that Rolepass sends, and writes each down as it
// came.
func (s *Stack) startCollector() (address string, err error) {
	log, err := s.appends("spans.log")
	if err != nil {
		return "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, &spanLog{log: log})
	go func() { _ = server.Serve(listener) }()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = append(s.files, stopper(server.Stop))
	return "http://" + listener.Addr().String(), nil
}

// stopper is something that ends with the stack.
type stopper func()

// Close ends it.
func (s stopper) Close() error { s(); return nil }

// spanLog is a collector that writes spans down, one a line.
type spanLog struct {
	collector.UnimplementedTraceServiceServer
	mu  sync.Mutex
	log io.Writer
}

func (c *spanLog) Export(_ context.Context, in *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range in.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				line, err := protojson.Marshal(span)
				if err != nil {
					return nil, err
				}
				if _, err := c.log.Write(append(line, '\n')); err != nil {
					return nil, err
				}
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// Span is one span of Rolepass.
type Span struct {
	Name       string
	Trace      string // in hexadecimal
	Root       bool   // it is the decision
	Took       time.Duration
	Attributes map[string]string // those that are text
}

// UnmarshalJSON reads a line of the collector.
func (s *Span) UnmarshalJSON(line []byte) error {
	var span tracev1.Span
	if err := protojson.Unmarshal(line, &span); err != nil {
		return err
	}
	s.Name, s.Trace, s.Root = span.Name, hex.EncodeToString(span.TraceId), len(span.ParentSpanId) == 0
	s.Took = time.Duration(span.EndTimeUnixNano - span.StartTimeUnixNano)
	s.Attributes = map[string]string{}
	for _, a := range span.Attributes {
		s.Attributes[a.Key] = a.Value.GetStringValue()
	}
	return nil
}

// Spans reads the spans so far. Rolepass sends them every two seconds.
func (s *Stack) Spans() ([]Span, error) { return readLines[Span](s.Demo.Logs["spans"]) }
